"""What the learner states about price, periods and shares: held against the fact sheet, and against their own word."""

from __future__ import annotations

import pytest

from coach.drill.director import MISSTATES
from coach.drill.drill import Drill, Exchange, play
from coach.drill.playbook import Playbook
from coach.drill.scenario import Term
from coach.drill.terms import Stated, stated
from coach.drill.voice import AUTHORED
from coach.scoring.judges import Judge, NumberJudge, PatternJudge

JUDGES: list[Judge] = [PatternJudge(), NumberJudge()]
FEE = Term(id="fee", title="实施费", near="实施费", unit="yuan", right=[6000.0], truth="实施费一次性 6,000 元。")
REFUND = Term(id="refund", title="退费期限", near="退费", unit="day", right=["window"], truth="九十天内。")
REPLY = Term(id="reply", title="答复", near="答复", unit="day", truth="只看学员自己怎么说。")


def one(sentence: str, *terms: Term) -> Stated | None:
    found = stated(terms or (FEE,), {"window": 90.0}, [sentence])
    assert len(found) <= 1
    return found[0] if found else None


@pytest.mark.parametrize(
    ("sentence", "value", "words", "right"),
    [
        ("实施费一次性6000元。", 6000, "6000元", True),
        ("实施费是六千块。", 6000, "六千块", True),
        ("实施费6,000元，含两次培训。", 6000, "6,000元", True),
        ("实施费一次性5000元。", 5000, "5000元", False),
        ("实施费要六万元。", 60_000, "六万元", False),
        ("实施费6,040元。", 6040, "6,040元", False),  # half a per cent of 6,000 is 30
        ("实施费6,020元。", 6020, "6,020元", True),
    ],
)
def test_a_claim_is_right_or_wrong(sentence: str, value: float, words: str, right: bool) -> None:
    found = one(sentence)
    assert found is not None
    assert (found.term, found.value, found.words, found.right) == ("fee", value, words, right)
    assert found.sentence == sentence


@pytest.mark.parametrize(
    "sentence",
    [
        "实施费是5000元吗？",
        "您觉得实施费5000元贵不贵?",
        "如果实施费是5000元，您能接受。",
        "假如实施费5000元呢。",
        "您刚才说实施费5000元。",
        "听说别家的实施费只要5000元。",
        "原来实施费是5000元。",
        "实施费至少5000元。",
        "实施费5000元，那边收7000元。",
        "实施费不是5000元。",
        "实施费5000元还是6000元都一样。",
        "实施费含两次培训。",
        "专业版一年5000元。",
    ],
)
def test_what_claims_nothing(sentence: str) -> None:
    """A question, a supposition, somebody else's word, two values, a denial, another unit, another thing."""
    assert one(sentence) is None


def test_a_period_may_be_stated_in_another_unit_and_a_figure_named() -> None:
    found = one("不满意三个月退费。", REFUND)
    assert found is not None
    assert (found.value, found.right) == (90, True)
    found = one("不满意两周退费。", REFUND)
    assert found is not None
    assert (found.value, found.right) == (14, False)


def test_where_the_sheet_says_nothing_every_value_is_right() -> None:
    found = one("两天答复您。", REPLY)
    assert found is not None
    assert (found.value, found.right) == (2, True)


def test_the_first_claim_about_a_term_counts_and_each_term_for_itself() -> None:
    found = stated((FEE, REPLY), {}, ["实施费6000元。", "三天答复您。", "实施费5000元。"])
    assert [(s.term, s.value) for s in found] == [("fee", 6000), ("reply", 3)]


def said(book: Playbook, *turns: str) -> Drill:
    return play(book, 1, JUDGES, AUTHORED, turns)


def kinds(exchange: Exchange) -> list[str]:
    return [a.kind for a in exchange.acts]


def test_a_wrong_price_costs_and_the_customer_holds_the_paper_up(bakery: Playbook) -> None:
    turn = said(bakery, "实施费5000元。").exchanges[0]
    verdict = turn.verdicts[MISSTATES]
    assert (verdict.met, verdict.turn) == (True, 1)
    assert verdict.quote == "实施费5000元。"
    assert verdict.note == "实施费一次性 6,000 元，含两次上门培训。"
    act = turn.acts[0]
    assert (act.kind, act.of, act.words) == ("misstate", "setup-fee", ("5000元",))
    assert "5000元" in act.line
    assert turn.state.trust == 42 - 12


@pytest.mark.parametrize(
    "text",
    [
        "实施费一次性6000元，含两次上门培训。",
        "实施费是5000元吗？",
        "十二家店一年合计47,760元。",
        "您好，我先了解一下情况。",
    ],
)
def test_the_right_price_and_no_claim_cost_nothing(bakery: Playbook, text: str) -> None:
    turn = said(bakery, text).exchanges[0]
    assert (turn.verdicts[MISSTATES].met, turn.verdicts[MISSTATES].quote) == (False, "")
    assert "misstate" not in kinds(turn)
    assert turn.state.trust >= 42


def test_the_customer_notices_only_what_is_on_paper(bakery: Playbook) -> None:
    """The refund window is in the learner's sheet and not in the customer's quote: scored, but not noticed."""
    turn = said(bakery, "不满意的话，三十天内按剩余月份退费。").exchanges[0]
    assert turn.verdicts[MISSTATES].met
    assert not {"misstate", "contradict"} & set(kinds(turn))
    assert turn.state.trust >= 42
    known = [t.model_copy(update={"known": True}) for t in bakery.scenario.terms]
    on_paper = bakery.model_copy(update={"scenario": bakery.scenario.model_copy(update={"terms": known})})
    turn = said(on_paper, "不满意的话，三十天内按剩余月份退费。").exchanges[0]
    assert "misstate" in kinds(turn)


def test_a_changed_word_is_quoted_back_with_both_numbers(bakery: Playbook) -> None:
    drill = said(bakery, "不满意的话，九十天内按剩余月份退费。", "不满意的话，三十天内按剩余月份退费。")
    first, second = drill.exchanges
    assert first.state.stated == (("refund-window", "九十天", 90.0),)
    assert "contradict" not in kinds(first)
    act = second.acts[0]
    assert (act.kind, act.of, act.words) == ("contradict", "refund-window", ("九十天", "三十天"))
    assert "九十天" in act.line
    assert "三十天" in act.line
    assert second.state.stated == (("refund-window", "三十天", 30.0),)
    assert second.state.trust == first.state.trust - 8
    assert not second.state.revealed


def test_the_same_word_again_is_no_contradiction(bakery: Playbook) -> None:
    drill = said(bakery, "不满意的话，九十天内按剩余月份退费。", "我再说一次，不满意三个月内退费。")
    assert "contradict" not in kinds(drill.exchanges[1])


def test_corrected_later_it_stays_said_wrong_once(bakery: Playbook) -> None:
    drill = said(bakery, "实施费一次性5000元。", "更正一下，实施费一次性6000元。")
    assert [e.verdicts[MISSTATES].met for e in drill.exchanges] == [True, False]
