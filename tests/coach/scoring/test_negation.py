"""Saying the opposite of a behaviour earns nothing; the negatives of ordinary questions and honesty cost nothing."""

from __future__ import annotations

import pytest

from coach.catalogue import Catalogue
from coach.compose import Whetstone
from coach.drill.drill import play
from coach.scoring.judges import NumberJudge, PatternJudge
from coach.scoring.verdict import CROWDED, judge_turn

JUDGES = [PatternJudge(), NumberJudge()]
FIGURES = {
    "compensation": 62,
    "supervisor_voucher": 100,
    "supervisor_compensation": 112,
    "voucher_and_goods": 430,
    "sample_per_arm": 10_314,
}


def met(catalogue: Catalogue, check: str, text: str) -> bool:
    verdicts = judge_turn(JUDGES, [catalogue.checks[check]], text, turn=1, figures=FIGURES, copied_from=[])
    return check in verdicts and verdicts[check].met


@pytest.mark.parametrize(
    ("check", "text"),
    [
        ("asks-budget", "我不会问您预算多少"),
        ("asks-decision-process", "我不打算问谁拍板、看重什么"),
        ("asks-timeline", "我才不管您什么时候要用"),
        ("offers-trial", "两家店免费试用十四天？没有。"),
        ("acknowledges-concern", "我不理解您的顾虑"),
        ("apologises-for-the-harm", "停了四天没动，我不觉得抱歉"),
        ("states-compensation-right", "我能补的一共是62元，但是我不给"),
        ("owns-follow-up", "我不会给您回电话，明天下午四点也不会"),
        ("offers-remedy-within-policy", "不给您补发，次日达也没有"),
    ],
)
def test_a_refusal_is_not_the_behaviour(catalogue: Catalogue, check: str, text: str) -> None:
    assert not met(catalogue, check, text)


@pytest.mark.parametrize(
    ("check", "text"),
    [
        ("asks-problem-impact", "报损多不多，一个月大概多少？"),
        ("asks-budget", "不知道您这边预算大概是多少？"),
        ("asks-budget", "方便说下预算吗？不方便也没关系"),
        ("explains-policy-plainly", "钱退给您东西还留下，这个我没有权限，我不想糊弄您"),
        ("states-compensation-right", "别的我不敢答应，我能补的一共是62元"),
        ("offers-trial", "可以先选两家店免费试用十四天，不满意就停"),
    ],
)
def test_negatives_that_negate_nothing(catalogue: Catalogue, check: str, text: str) -> None:
    assert met(catalogue, check, text)


def test_an_interrogation_counts_two_questions(catalogue: Catalogue) -> None:
    asked = "您预算大概多少？最后谁拍板？希望什么时候用上？现在怎么订货？"
    ids = ["asks-budget", "asks-decision-process", "asks-timeline", "asks-current-process"]
    checks = [catalogue.checks[i] for i in reversed(ids)]
    verdicts = judge_turn(JUDGES, checks, asked, turn=1, figures={}, copied_from=[])
    assert [i for i in ids if verdicts[i].met] == ids[:2]
    assert {verdicts[i].note for i in ids[2:]} == {CROWDED}


def test_a_drill_of_refusals_is_not_won(coach: Whetstone) -> None:
    said = [
        "我不会问您预算多少，也不问谁拍板，报损多少钱我不关心。您的顾虑不合理。",
        "别问我跟谁比，什么时候用我不管，现在怎么订货我也不问。",
        "一个月扔掉三万，用了我们系统也省不了，四十年回本。",
        "九十天内不满意也不退，数据导不出来。",
        "两家店免费试用十四天？没有。明天上午也不给您开通。",
    ]
    drill = play(coach.catalogue.playbook("sales-bakery-price"), 1, coach.judges, coach.voices["builtin"], said)
    card = coach.score(drill)
    assert drill.ending != "trial-agreed"
    assert drill.state.revealed == ()
    assert (card.percent < 20, card.passed) == (True, False)


@pytest.mark.parametrize("text", ["预算" + "万" * 1500, "一" * 2000, "0." * 1000, "样本" + "亿万" * 900, "8-" * 900])
def test_absurd_numbers_are_read_without_failing(coach: Whetstone, text: str) -> None:
    for scenario in coach.catalogue.scenarios:
        drill = play(coach.catalogue.playbook(scenario), 1, coach.judges, coach.voices["builtin"], [text[:2000]])
        assert len(drill.exchanges) == 1


def test_insults_block(coach: Whetstone) -> None:
    for scenario in coach.catalogue.scenarios:
        drill = play(coach.catalogue.playbook(scenario), 1, coach.judges, coach.voices["builtin"], ["傻逼，滚"])
        assert [b.check for b in coach.score(drill).blockers] == ["insults-the-customer"]
        assert drill.exchanges[0].acts[0].kind == "chill"
