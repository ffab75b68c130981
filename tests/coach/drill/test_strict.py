"""Strict practice: the standard script said word for word, step by step, and what it comes to."""

from __future__ import annotations

import pytest

from coach.catalogue import Catalogue
from coach.drill.director import DrillOver
from coach.drill.drill import Drill, hear, play
from coach.drill.playbook import Playbook
from coach.drill.scenario import ScriptStep
from coach.drill.strict import CLOSE, DONE, NoScript, difference, strict_book
from coach.drill.voice import AUTHORED
from coach.scoring.score import score
from coach.scoring.scorecard import Scorecard

STEP = ScriptStep(
    title="退费",
    customer="用得不好呢？",
    say="签约后九十天内不满意，按剩余月份退费，实施费不退。",
    keys=["九十天", "剩余月份", "实施费不退"],
)
STEPS = [
    ScriptStep(title="问好", customer="喂？", say="您好，这里是知仓科技的小程。", keys=["知仓科技", "小程"]),
    STEP,
    ScriptStep(title="道别", customer="行。", say="谢谢您，下周四下午两点见。", keys=["下周四", "两点"]),
]


@pytest.fixture(scope="module")
def book(bakery: Playbook) -> Playbook:
    return strict_book(bakery.model_copy(update={"scenario": bakery.scenario.model_copy(update={"script": STEPS})}))


def said(book: Playbook, *turns: str) -> Drill:
    return play(book, 1, [], AUTHORED, turns)


def card(drill: Drill) -> Scorecard:
    book = drill.playbook
    return score(
        book.rubric,
        book.checks,
        drill.said(),
        judges=[],
        rubric_hash=book.rubric_hash,
        verdicts=[e.verdicts for e in drill.exchanges],
    )


class TestDifference:
    @pytest.mark.parametrize(
        "text",
        [
            STEP.say,
            "签约后九十天内不满意,按剩余月份退费,实施费不退",  # punctuation and width are not words
            "簽約後九十天內不滿意，按剩餘月份退費，實施費不退。",  # nor is the script it is written in
            "嗯，签约后九十天内不满意，按剩余月份退费，实施费不退的。",
        ],
    )
    def test_said_as_it_stands(self, text: str) -> None:
        assert difference(STEP, text) == ""

    def test_a_key_left_out_is_named(self) -> None:
        assert difference(STEP, "签约后九十天内不满意，按剩余月份退费。") == "漏了关键词：实施费不退"
        assert difference(STEP, "随便退。") == "漏了关键词：九十天、剩余月份、实施费不退"

    def test_the_wrong_order(self) -> None:
        said = "实施费不退，按剩余月份退费，签约后九十天内不满意。"
        assert difference(STEP, said) == "顺序不对，应当是：九十天 → 剩余月份 → 实施费不退"

    def test_a_paraphrase_with_every_key(self) -> None:
        """Everything that matters is there, in order, and half of the words are others."""
        said = "您要是用着不好，九十天里随时跟我讲一声，我给您算剩余月份的钱，就是先说清楚实施费不退，好吧？"
        note = difference(STEP, said)
        assert note.startswith("与标准话术相似 ")
        assert float(note.removeprefix("与标准话术相似 ").split("%")[0]) < CLOSE
        assert note.endswith(STEP.say)

    def test_a_key_said_twice_counts_where_the_order_holds(self) -> None:
        step = ScriptStep(title="次", customer="嗯？", say="先一次，后一次。", keys=["一次", "一次"])
        assert difference(step, "先一次，后一次。") == ""
        assert difference(step, "先一次，后来。").startswith("顺序不对")


def test_every_shipped_script_passes_its_own_words_whoever_the_customer_is(catalogue: Catalogue) -> None:
    scripted = [s for s in catalogue.scenarios.values() if s.script]
    assert scripted
    for scenario in scripted:
        for persona in catalogue.cast(scenario.id)[:4]:
            played = catalogue.playbook(scenario.id, persona=persona, seed=3).scenario
            for step in played.script:
                assert difference(step, step.say) == "", (scenario.id, persona, step.title)


def test_the_customer_goes_on_with_the_script_and_the_drill_ends_with_it(book: Playbook) -> None:
    drill = said(book, STEPS[0].say)
    assert drill.opening == "喂？"
    assert drill.exchanges[0].spoken.text == "用得不好呢？"
    assert drill.ending is None
    # Whatever is said, the next line comes.
    drill = said(book, STEPS[0].say, "我不知道。")
    assert (drill.exchanges[1].spoken.text, drill.ending) == ("行。", None)
    drill = said(book, STEPS[0].say, "我不知道。", STEPS[2].say)
    assert drill.ending == DONE
    assert drill.outcome is not None
    assert len(drill.exchanges) == len(STEPS)
    with pytest.raises(DrillOver):
        hear(drill, [], "还有一句。")


def test_each_turn_is_held_against_its_own_step(book: Playbook) -> None:
    drill = said(book, STEPS[1].say, STEPS[1].say, "谢谢您，两点见，下周四下午。")
    verdicts = [next(iter(e.verdicts.values())) for e in drill.exchanges]
    assert [v.check for v in verdicts] == ["step-1", "step-2", "step-3"]
    assert [v.met for v in verdicts] == [False, True, False]
    assert [v.turn for v in verdicts] == [1, 2, 3]
    assert [v.quote for v in verdicts] == [e.learner for e in drill.exchanges]
    assert verdicts[0].note == "漏了关键词：知仓科技、小程"
    assert verdicts[2].note == "顺序不对，应当是：下周四 → 两点"


@pytest.mark.parametrize(
    ("turns", "percent", "passed"),
    [
        ([s.say for s in STEPS], 100, True),
        ([STEPS[0].say, "我不知道。", STEPS[2].say], 67, False),
        (["不会", "不会", "不会"], 0, False),
    ],
)
def test_the_score_by_hand(book: Playbook, turns: list[str], percent: int, passed: bool) -> None:
    """Three steps share 100 points evenly; 80 pass."""
    told = card(said(book, *turns))
    assert (told.max_points, told.percent, told.passed) == (100, percent, passed)
    assert [m.say for m in told.missed] == [s.say for s, turn in zip(STEPS, turns, strict=True) if s.say != turn]


def test_nine_of_ten_steps_would_pass_and_seven_not(bakery: Playbook) -> None:
    steps = [
        ScriptStep(title=f"第{n}", customer="嗯？", say=f"这是第{n}句标准话术。", keys=[f"第{n}句"])
        for n in "一二三四五六七八九十"
    ]
    ten = strict_book(bakery.model_copy(update={"scenario": bakery.scenario.model_copy(update={"script": steps})}))
    for right, passed in ((9, True), (8, True), (7, False)):
        turns = [s.say for s in steps[:right]] + ["我忘词了。"] * (10 - right)
        told = card(said(ten, *turns))
        assert (told.percent, told.passed) == (10 * right, passed)


def test_nobodys_mood_changes(book: Playbook) -> None:
    drill = said(book, "滚。", "不会", "不会")
    assert {(e.state.trust, e.state.patience) for e in drill.exchanges} == {(42, 62)}


def test_without_a_script_there_is_nothing_to_practise(bakery: Playbook) -> None:
    bare = bakery.model_copy(update={"scenario": bakery.scenario.model_copy(update={"script": []})})
    with pytest.raises(NoScript, match="sales-bakery-price"):
        strict_book(bare)
