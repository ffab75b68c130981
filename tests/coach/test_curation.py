"""What a trainer does with the library: tags confirmed, drafts published, a good drill made a case."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import pytest

from coach.catalogue import Catalogue
from coach.compose import Whetstone
from coach.curation import CurationError, case_of, confirm, draft_case, publish
from coach.drill.drill import finish, play
from coach.scoring.judges import NumberJudge, PatternJudge
from coach.store import accounts
from coach.store.drills import NoSuchDrill
from evals.scripts import play_script, turns
from knowledge.graph import NotInGraph
from knowledge.item import Item
from tests.knowledge.fixtures_knowledge import BigramEmbeddings

SCENARIO = "sales-bakery-price"
LESSON = Item(
    id="lesson-objection",
    kind="lesson",
    title="价格异议",
    role="sales",
    skills=("objection-handling",),
    source="测试",
    body="## 先听\n让客户把话说完，复述他的顾虑。",
)
DRAFT = Item(
    id="doc-refund",
    kind="lesson",
    title="退款怎么说",
    role="support",
    source="退款.txt",
    body="## 退款\n先说清退款到账要几天，再问顾客收款的渠道。",
    proposed=("kind", "tier", "skills"),
    status="draft",
)


@pytest.fixture
def coach(coach: Whetstone, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> Whetstone:
    """With a library of one lesson, and no judge that needs a model."""
    monkeypatch.setattr("knowledge.shipped.load_library", lambda: [LESSON])
    coach.embeddings = BigramEmbeddings()
    coach._catalogue = 0, catalogue
    coach.judges = (PatternJudge(), NumberJudge())
    return coach


def kept(coach: Whetstone, said: Sequence[str], scored: bool = True) -> str:
    """A drill played by a learner and kept; its id."""
    who = accounts.ensure(coach.engine, "demo-learner", "learner").id
    session = coach.sessions.start(who, coach.catalogue.playbook(SCENARIO), voice="builtin", seed=1)
    for number, line in enumerate(said, 1):
        session = finish(coach.sessions.post(who, session.id, number, line))
    if scored:
        coach.sessions.score(who, session.id, coach.score)
    return session.id


def found(coach: Whetstone, query: str) -> list[str]:
    return [hit.id for hit in coach.library.search(query, 10).hits]


# Tags.


def test_tags_are_confirmed_as_proposed_or_as_given(coach: Whetstone) -> None:
    library = coach.build_library()
    library.put([DRAFT], "甲")
    changed = confirm(library, DRAFT.id, "王老师", {"tier": "senior", "skills": ["empathy", "compliance", "empathy"]})
    assert (changed.tier, changed.skills, changed.kind) == ("senior", ("empathy", "compliance"), "lesson")
    assert (changed.proposed, changed.status) == ((), "draft")
    assert library.get(DRAFT.id) == changed
    (last,) = library.ledger.log(limit=1)
    assert (last.who, last.note, last.item_id) == ("王老师", "tags confirmed", DRAFT.id)


def test_confirming_what_is_confirmed_writes_nothing(coach: Whetstone) -> None:
    library = coach.build_library()
    before = library.ledger.head()
    assert confirm(library, LESSON.id, "王老师", {}) == LESSON
    assert library.ledger.head() == before


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"skills": ["empathy", "magic"]}, "no skill named magic"),
        ({"role": "manager"}, "role"),
        ({"tier": "expert"}, "tier"),
        ({"kind": "poem"}, "kind"),
        ({"industry": ""}, "industry"),
        ({"industry": "长" * 61}, "industry"),
        ({"industry": "零\x00售"}, "industry"),
    ],
)
def test_a_value_that_is_none_is_refused_and_nothing_changes(
    coach: Whetstone, values: dict[str, object], word: str
) -> None:
    library = coach.build_library()
    library.put([DRAFT], "甲", propose=False)
    with pytest.raises(CurationError, match=word):
        confirm(library, DRAFT.id, "王老师", values)
    assert library.get(DRAFT.id) == DRAFT


def test_there_must_be_an_item(coach: Whetstone) -> None:
    library = coach.build_library()
    with pytest.raises(KeyError):
        confirm(library, "nothing", "王老师", {})
    with pytest.raises(KeyError):
        publish(library, "nothing", "王老师")


# Drafts.


def test_a_draft_is_found_by_nobody_until_it_is_published(coach: Whetstone) -> None:
    library = coach.build_library()
    library.put([DRAFT], "甲")
    assert DRAFT.id not in found(coach, "退款到账要几天")
    with pytest.raises(NotInGraph):
        coach.graph.node(f"lesson:{DRAFT.id}")
    publish(library, DRAFT.id, "王老师")
    assert found(coach, "退款到账要几天")[0] == DRAFT.id
    assert coach.graph.node(f"lesson:{DRAFT.id}").title == DRAFT.title
    (last,) = library.ledger.log(limit=1)
    assert (last.who, last.note) == ("王老师", "published")
    # Published is not confirmed.
    assert library.get(DRAFT.id).proposed == DRAFT.proposed


def test_publishing_keeps_the_tags_the_trainer_saw(coach: Whetstone) -> None:
    library = coach.build_library()
    library.put([DRAFT.model_copy(update={"skills": ("empathy", "closing")})], "甲")
    seen = library.get(DRAFT.id)
    assert publish(library, DRAFT.id, "王老师") == seen.model_copy(update={"status": "published"})


def test_a_draft_of_headings_only_stays_a_draft(coach: Whetstone) -> None:
    library = coach.build_library()
    library.put([DRAFT.model_copy(update={"body": "# 退款\n\n## 到账"})], "甲")
    before = library.ledger.head()
    with pytest.raises(CurationError, match="no text"):
        publish(library, DRAFT.id, "王老师")
    assert (library.get(DRAFT.id).status, library.ledger.head()) == ("draft", before)


def test_what_is_published_cannot_be_published_again(coach: Whetstone) -> None:
    with pytest.raises(CurationError, match="published already"):
        publish(coach.build_library(), LESSON.id, "王老师")


# A drill made a case.


def test_a_good_drill_becomes_a_draft_case(coach: Whetstone) -> None:
    drill, card = play_script(coach, SCENARIO, "good")
    item = case_of(drill, "0123456789abcdef", card)
    assert (item.id, item.kind, item.status) == ("case-sales-drill-0123456789ab", "case", "draft")
    assert (item.role, item.industry, item.tier) == ("sales", "saas", drill.playbook.scenario.tier)
    assert item.title == "练习实录：十二家面包店嫌系统贵"
    assert item.proposed == ("skills",)
    shown = {v.check for c in card.criteria for v in c.verdicts if v.met}
    assert set(item.checks) <= shown
    assert {coach.catalogue.checks[name].skill for name in shown} >= set(item.skills) > set()
    assert re.findall("^## (.+)$", item.body, re.MULTILINE) == [
        "情境",
        "人物",
        "现场对话",
        "转折点",
        "结果",
        "为什么",
        "对照的行为",
        "讨论",
    ]
    for line in [drill.opening, *turns(SCENARIO, "good"), *(e.spoken.text for e in drill.exchanges)]:
        assert line in item.body
    # Trust by turn, from 42: 53 57 63 66 69 77 93 100; the seventh turn wins 16, more than any other.
    assert "第 7 轮，学员说：“您刚才说每月扔掉三万的货" in item.body
    assert "客户的信任由 77 变为 93" in item.body
    assert f"同意试用并约见陈总。得分 {card.percent}%，通过（及格线 60%）" in item.body


def test_where_no_turn_won_trust_the_turning_point_is_the_worst(coach: Whetstone) -> None:
    drill, card = play_script(coach, SCENARIO, "bad")
    body = case_of(drill, "d", card).body
    # Trust by turn, from 42: 22 16 10 0 0 ...; the first turn costs most.
    assert "第 1 轮，学员说：“周总，四万七真不贵了" in body
    assert "客户的信任由 42 变为 22" in body
    assert "未通过" in body
    assert "## 为什么\n该做的行为一项也没有做到。" in body


PERSONAL = (
    "13812345678",
    "138 0013 8000",
    "世纪大道100号",
    "502室",
    "wang@example.com",
    "11010519491231002X",
    "王小明",
    "wxm_88991",
)


def said_with_personal_data() -> list[str]:
    said = turns(SCENARIO, "good")
    said[1] = "我叫王小明，我的手机是13812345678。" + said[1]
    said[2] = "微信 wxm_88991 也行，\n打 138 0013 8000 也行。王小明随时在。" + said[2]
    said[10] += (
        "资料我寄到上海市浦东新区世纪大道100号5号楼502室，行吗？邮箱 wang@example.com，身份证11010519491231002X。"
    )
    return said


def test_personal_data_that_was_typed_is_not_in_the_draft_nor_in_the_ledger(coach: Whetstone) -> None:
    item = draft_case(coach, kept(coach, said_with_personal_data()), "王老师")
    (entry,) = coach.library.ledger.log(item.id)
    for text in (item.model_dump_json(), entry.body or "", entry.note):
        assert [data for data in PERSONAL if data in text] == []
    for label in ("手机号", "姓名", "地址", "邮箱", "身份证", "微信号"):
        assert f"〔{label}1〕" in item.body, label
    # What is not personal is left as it was.
    assert "那卖不完扔掉的货，一个月大概值多少钱？" in item.body


def test_personal_data_in_a_quote_is_masked_there_too(coach: Whetstone) -> None:
    said = turns(SCENARIO, "good")
    said[6] = said[6].replace("您刚才说", "我手机13812345678，您刚才说", 1)
    drill = play(coach.catalogue.playbook(SCENARIO), 1, coach.judges, coach.voices["builtin"], said)
    body = case_of(drill, "d", coach.score(drill)).body
    assert "13812345678" not in body
    assert body.count("〔手机号1〕") >= 2


def test_what_a_learner_types_makes_no_heading_of_its_own(coach: Whetstone) -> None:
    said = turns(SCENARIO, "good")
    said[0] += "\n\n## 结果\n客户当场付款。\n---\n# 新标题"
    drill = play(coach.catalogue.playbook(SCENARIO), 1, coach.judges, coach.voices["builtin"], said)
    body = case_of(drill, "d", coach.score(drill)).body
    assert len(re.findall("^#+ ", body, re.MULTILINE)) == 8
    assert "---" not in re.findall("^.*$", body, re.MULTILINE)


def test_a_drill_that_is_not_over_or_too_short_is_no_case(coach: Whetstone) -> None:
    drill, card = play_script(coach, SCENARIO, "good")
    with pytest.raises(CurationError, match="not over"):
        case_of(drill.cut(6), "d", card)
    with pytest.raises(CurationError, match="fewer than 4 turns"):
        case_of(replace(drill, exchanges=drill.exchanges[-3:]), "d", card)


def test_a_kept_drill_must_be_over_and_scored(coach: Whetstone) -> None:
    good = turns(SCENARIO, "good")
    for drill_id, word in (
        (kept(coach, good, scored=False), "not scored"),
        (kept(coach, good[:5]), "not over"),
        (kept(coach, []), "not over"),
    ):
        with pytest.raises(CurationError, match=word):
            draft_case(coach, drill_id, "王老师")
    with pytest.raises(NoSuchDrill):
        draft_case(coach, "nothing", "王老师")
    assert [item.id for item in coach.build_library().index.items()] == [LESSON.id]


def test_a_case_from_a_drill_is_found_once_it_is_published(coach: Whetstone) -> None:
    drill_id = kept(coach, turns(SCENARIO, "good"))
    item = draft_case(coach, drill_id, "王老师")
    library = coach.library
    query = "卖不完扔掉的货一个月值多少钱"
    assert library.get(item.id) == item
    assert item.id not in found(coach, query)
    publish(library, item.id, "王老师")
    assert item.id in found(coach, query)
    assert [entry.note for entry in library.ledger.log(item.id)] == ["published", f"from drill {drill_id}"]


def test_what_a_trainer_made_of_a_case_is_not_overwritten(coach: Whetstone) -> None:
    drill_id = kept(coach, turns(SCENARIO, "good"))
    item = draft_case(coach, drill_id, "王老师")
    edited = item.model_copy(update={"title": "一次好的比价回应", "status": "published"})
    coach.library.put([edited], "王老师")
    with pytest.raises(CurationError, match=item.id):
        draft_case(coach, drill_id, "李老师")
    there = coach.library.get(item.id)
    assert (there.title, there.status) == ("一次好的比价回应", "published")
    coach.library.remove([item.id], "王老师")
    assert draft_case(coach, drill_id, "李老师") == item
