"""Feedback: what to keep, start and stop, with the learner's own words, and the turn that cost most."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from coach.catalogue import Catalogue
from coach.drill.casting import fill
from coach.drill.drill import play
from coach.drill.moments import moments
from coach.drill.voice import AUTHORED
from coach.scoring.check import Check
from coach.scoring.feedback import feedback
from coach.scoring.judges import Judge, NumberJudge, PatternJudge
from coach.scoring.rubric import Rubric
from coach.scoring.score import score
from coach.scoring.scorecard import Feedback, Scorecard, add_up
from coach.scoring.verdict import Verdict


@dataclass(frozen=True)
class Turn:
    text: str
    change: int
    bad: tuple[str, ...] = ()
    due: str = ""


def check(id_: str, polarity: str = "do") -> Check:
    return Check.model_validate(
        {
            "id": id_,
            "skill": "discovery",
            "family": "ask",
            "polarity": polarity,
            "title": f"标题 {id_}",
            "title_en": id_,
            "definition": f"定义 {id_}",
            "pattern": {"any": [id_]},
            "say": f"可以说 {id_}",
        }
    )


# Worth: a 30, b 10, c 25, d 15, e 20.
RUBRIC = Rubric.model_validate(
    {
        "id": "r",
        "title": "规则",
        "title_en": "rule",
        "pass_mark": 60,
        "criteria": [
            {
                "id": "one",
                "title": "一",
                "title_en": "1",
                "points": 40,
                "checks": [{"check": "a", "weight": 3}, {"check": "b", "weight": 1}],
            },
            {
                "id": "two",
                "title": "二",
                "title_en": "2",
                "points": 40,
                "checks": [{"check": "c", "weight": 5}, {"check": "d", "weight": 3}],
            },
            {"id": "three", "title": "三", "title_en": "3", "points": 20, "checks": [{"check": "e"}]},
        ],
        "penalties": [{"check": "p", "points": 5}, {"check": "q", "points": 5}],
        "blockers": ["x", "y"],
        "required": ["b"],
    }
)
CHECKS = {i: check(i) for i in "abcde"} | {i: check(i, "avoid") for i in "pqxy"}


def verdicts(shown: str, wrong: str = "") -> dict[str, Verdict]:
    """Every check judged: those of `shown` were, in turn 1, 2, ...; the numbers of `wrong` were got wrong in turn 9."""
    told = {}
    for i, one in CHECKS.items():
        told[i] = Verdict(check=i, polarity=one.polarity, met=False, confidence=0.9)
        if i in shown:
            turn = shown.index(i) + 1
            told[i] = Verdict(check=i, polarity=one.polarity, met=True, quote=f"原话 {i}。", turn=turn, confidence=0.9)
        elif i in wrong:
            told[i] = told[i].model_copy(update={"quote": f"错 {i}。", "turn": 9, "note": f"不是这么算 {i}"})
    return told


def card(shown: str, wrong: str = "") -> Scorecard:
    return add_up(RUBRIC, CHECKS, verdicts(shown, wrong), judges=["pattern"], pinned={})


def told(shown: str, wrong: str = "", turns: list[Turn] | None = None, say: dict[str, str] | None = None) -> Feedback:
    return feedback(RUBRIC, CHECKS, card(shown, wrong), turns or [], say)


class TestKeep:
    def test_what_earned_most_comes_first_and_three_at_most(self) -> None:
        keep = told("bdeac").keep
        assert [p.check for p in keep] == ["a", "c", "e"]
        assert [(p.quote, p.turn, p.say) for p in keep] == [
            ("原话 a。", 4, ""),
            ("原话 c。", 5, ""),
            ("原话 e。", 3, ""),
        ]
        assert keep[0].title == "标题 a"

    def test_nothing_shown_is_nothing_to_keep(self) -> None:
        assert told("").keep == []
        assert told("xp").keep == []


class TestStart:
    def test_what_is_required_comes_first_then_what_is_worth_most(self) -> None:
        assert [p.check for p in told("").start] == ["b", "a", "c"]
        assert [p.check for p in told("b").start] == ["a", "c", "e"]
        assert [p.check for p in told("ac").start] == ["b", "e", "d"]

    def test_it_was_never_said_so_there_is_no_quote_but_an_example(self) -> None:
        point = told("").start[0]
        assert (point.quote, point.turn, point.say) == ("", 0, "可以说 b")

    def test_the_case_has_better_words(self) -> None:
        card_ = add_up(RUBRIC, CHECKS, verdicts(""), judges=[], pinned={}, say={"b": "面包店的话"})
        found = feedback(RUBRIC, CHECKS, card_, [], {"b": "面包店的话"})
        assert [p.say for p in found.start] == ["面包店的话", "可以说 a", "可以说 c"]

    def test_a_number_got_wrong_is_to_stop_and_not_to_start(self) -> None:
        found = told("b", wrong="a")
        assert [p.check for p in found.start] == ["c", "e", "d"]
        assert [(p.check, p.title, p.quote, p.turn, p.say) for p in found.stop] == [
            ("a", "不是这么算 a", "错 a。", 9, "可以说 a")
        ]

    def test_all_shown_is_nothing_to_start(self) -> None:
        assert told("abcde").start == []


class TestStop:
    def test_blockers_before_deductions_before_wrong_numbers(self) -> None:
        assert [p.check for p in told("px", wrong="ac").stop] == ["x", "p", "a"]

    def test_three_at_most(self) -> None:
        assert [p.check for p in told("qpyx").stop] == ["x", "y", "p"]

    def test_each_with_what_was_said_and_what_to_say_instead(self) -> None:
        (point,) = told("abp").stop
        assert (point.title, point.quote, point.turn, point.say) == ("标题 p", "原话 p。", 3, "可以说 p")

    def test_what_blocks_and_costs_is_told_once(self) -> None:
        rubric = RUBRIC.model_copy(update={"blockers": ["p"]})
        both = add_up(rubric, CHECKS, verdicts("p"), judges=[], pinned={})
        assert (len(both.blockers), len(both.deductions)) == (1, 1)
        assert [p.check for p in feedback(rubric, CHECKS, both).stop] == ["p"]

    def test_nothing_bad_is_nothing_to_stop(self) -> None:
        assert told("ab").stop == []


class TestWeakest:
    def test_the_turn_that_lost_most(self) -> None:
        turns = [Turn("一", -5, due="a"), Turn("二", -9, due="b"), Turn("三", 4, due="c")]
        weakest = told("", turns=turns).weakest
        assert weakest is not None
        assert (weakest.turn, weakest.quote, weakest.change) == (2, "二", -9)
        assert (weakest.because, weakest.better) == ("标题 b", "可以说 b")

    def test_what_was_bad_in_it_before_what_was_due(self) -> None:
        weakest = told("", turns=[Turn("一", -5, bad=("p",), due="a")]).weakest
        assert weakest is not None
        assert (weakest.because, weakest.better) == ("标题 p", "可以说 p")

    def test_of_equals_the_bad_one_and_else_the_first(self) -> None:
        same = [Turn("一", -5, due="a"), Turn("二", -5, bad=("p",)), Turn("三", -5, due="c")]
        weakest = told("", turns=same).weakest
        assert weakest is not None
        assert weakest.turn == 2
        weakest = told("", turns=[same[0], same[2]]).weakest
        assert weakest is not None
        assert weakest.turn == 1

    def test_a_turn_nothing_can_be_said_about_is_passed_over(self) -> None:
        weakest = told("", turns=[Turn("一", -20), Turn("二", -3, due="c")]).weakest
        assert weakest is not None
        assert weakest.turn == 2

    @pytest.mark.parametrize("turns", [[], [Turn("一", 0, due="a"), Turn("二", 6, due="b")]])
    def test_nothing_lost_is_no_weakest_line(self, turns: list[Turn]) -> None:
        assert told("", turns=turns).weakest is None

    def test_the_words_of_the_case(self) -> None:
        weakest = told("", turns=[Turn("一", -5, due="a")], say={"a": "面包店的话"}).weakest
        assert weakest is not None
        assert weakest.better == "面包店的话"


@pytest.mark.parametrize("quality", ["middling", "bad"])
@pytest.mark.parametrize("scenario", ["sales-bakery-price", "support-late-parcel", "ops-retention-drop"])
def test_after_a_whole_drill_every_quote_is_the_learners_own(catalogue: Catalogue, scenario: str, quality: str) -> None:
    book = catalogue.playbook(scenario, seed=1)
    turns = [fill(t.say, book.persona, book.figures) for t in catalogue.learners[scenario].of(quality).turns]  # type: ignore[arg-type]
    judges: list[Judge] = [PatternJudge(), NumberJudge()]
    drill = play(book, 1, judges, AUTHORED, turns)
    scored = score(
        book.rubric,
        book.checks,
        drill.said(),
        judges=judges,
        rubric_hash=book.rubric_hash,
        figures=book.figures,
        verdicts=[e.verdicts for e in drill.exchanges],
        say=book.scenario.overrides,
    )
    found = feedback(book.rubric, book.checks, scored, moments(drill), book.scenario.overrides)
    assert found.start
    for points in (found.keep, found.start, found.stop):
        assert len(points) <= 3
    for point in [*found.keep, *found.stop]:
        assert point.quote
        assert point.quote in turns[point.turn - 1]
    assert all(p.quote == "" for p in found.start)
    # Nobody is told to keep and to start the same thing.
    assert not {p.check for p in found.keep} & {p.check for p in [*found.start, *found.stop]}
    missing = [p.check for p in found.start if p.check in book.rubric.required]
    assert [p.check for p in found.start][: len(missing)] == missing
    if found.weakest is not None:
        assert found.weakest.quote == turns[found.weakest.turn - 1]
        lost = [m.change for m in moments(drill)]
        assert found.weakest.change == lost[found.weakest.turn - 1] < 0
