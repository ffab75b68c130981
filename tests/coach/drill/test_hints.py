"""Hints: what is due next, worked out by hand for the bakery, and told in three strengths."""

from __future__ import annotations

from dataclasses import replace

import pytest

from coach.drill.director import State, open_drill
from coach.drill.hints import STRENGTHS, due, hint
from coach.drill.playbook import Playbook
from coach.drill.scenario import When

FACTS = ("manual-ordering", "waste", "decision-maker", "budget", "deadline", "rival-quote")


def at(book: Playbook, *, turn: int = 1, done: set[str] | None = None, **change: object) -> State:
    return replace(open_drill(book, 1)[0], turn=turn, done=frozenset(done or ()), **change)  # type: ignore[arg-type]


def wanted(book: Playbook) -> set[str]:
    return {i for i, c in book.checks.items() if c.polarity == "do"}


def test_the_first_words_are_for_whoever_is_there(bakery: Playbook) -> None:
    assert due(bakery, at(bakery, turn=0)) == ("acknowledges-concern", "")
    # Later, or once it has been said, it waits its turn.
    assert due(bakery, at(bakery, turn=0, done={"acknowledges-concern"})) == ("asks-problem-impact", "")
    assert due(bakery, at(bakery, turn=1)) == ("asks-problem-impact", "")


def test_an_open_doubt_comes_first_and_what_it_waits_for_before_its_answer(bakery: Playbook) -> None:
    """The doubt about price is settled by value and return, once the waste is known: the question, then the two."""
    raised = at(bakery, raised=("too-expensive",))
    assert due(bakery, raised) == ("asks-problem-impact", "太贵")
    known = replace(raised, revealed=("waste",))
    done = frozenset({"asks-problem-impact"})
    assert due(bakery, replace(known, done=done)) == ("links-value-to-need", "太贵")
    done |= {"links-value-to-need"}
    assert due(bakery, replace(known, done=done)) == ("quantifies-return", "太贵")
    # Settled: on to what is hidden.
    done |= {"quantifies-return"}
    assert due(bakery, replace(known, done=done, settled=("too-expensive",))) == ("asks-comparison", "")


def test_of_ways_to_settle_a_doubt_the_one_worth_most(bakery: Playbook) -> None:
    """Explaining the rollout is worth 25 * 1/4.5 = 5.6 points, a trial 15 * 1/3 = 5."""
    state = at(bakery, turn=5, raised=("rollout-risk",))
    assert due(bakery, state) == ("explains-rollout", "怕店长学不会、影响营业")
    # What was said before the doubt came up has to be said to it again.
    early = replace(state, done=frozenset({"offers-trial"}))
    assert due(bakery, early) == ("explains-rollout", "怕店长学不会、影响营业")


def test_a_settled_doubt_is_done_with(bakery: Playbook) -> None:
    state = at(bakery, turn=5, raised=("rollout-risk",), settled=("rollout-risk",))
    assert due(bakery, state) == ("asks-problem-impact", "")


def test_then_what_is_hidden_by_what_asking_is_worth(bakery: Playbook) -> None:
    """9.3 points for the waste, 8.3 for the comparison, 7 for who decides; 4.7 for each of the rest, as authored."""
    asked: list[str] = []
    for _ in range(6):
        found = due(bakery, at(bakery, done=set(asked)))
        assert found is not None
        asked.append(found[0])
    assert asked == [
        "asks-problem-impact",
        "asks-comparison",
        "asks-decision-process",
        "asks-current-process",
        "asks-budget",
        "asks-timeline",
    ]


def test_a_fact_that_waits_for_another_is_not_asked_for_yet(bakery: Playbook) -> None:
    facts = [
        f.model_copy(update={"when": When(does=["asks-problem-impact"], facts=["deadline"])}) if f.id == "waste" else f
        for f in bakery.scenario.facts
    ]
    book = bakery.model_copy(update={"scenario": bakery.scenario.model_copy(update={"facts": facts})})
    assert due(book, at(book)) == ("asks-comparison", "")
    assert due(book, at(book, revealed=("deadline",))) == ("asks-problem-impact", "")


def test_then_what_earns_most(bakery: Playbook) -> None:
    """Value: 25 points over 4.5; the return alone is 11.1 of them, the link 8.3; the next step 15 * 1.5/3 = 7.5."""
    done = {
        "asks-problem-impact",
        "asks-comparison",
        "asks-decision-process",
        "asks-current-process",
        "asks-budget",
        "asks-timeline",
    }
    told = []
    for _ in range(3):
        found = due(bakery, at(bakery, done=done, revealed=FACTS))
        assert found is not None
        told.append(found[0])
        done.add(found[0])
    assert told == ["quantifies-return", "links-value-to-need", "proposes-next-step"]


def test_a_behaviour_to_avoid_is_never_due(bakery: Playbook) -> None:
    done: set[str] = set()
    while found := due(bakery, at(bakery, done=done, revealed=FACTS)):
        assert bakery.checks[found[0]].polarity == "do"
        done.add(found[0])
    earning = {c.check for criterion in bakery.rubric.criteria for c in criterion.checks}
    assert earning <= done


def test_nothing_left_is_no_hint(bakery: Playbook) -> None:
    state = at(bakery, turn=9, done=wanted(bakery), revealed=FACTS)
    assert due(bakery, state) is None
    for strength in STRENGTHS:
        assert hint(bakery, state, strength) is None


def test_three_strengths_of_the_same_hint(bakery: Playbook) -> None:
    state = at(bakery, raised=("too-expensive",))
    told = {s: hint(bakery, state, s) for s in STRENGTHS}
    check = bakery.checks["asks-problem-impact"]
    texts = {s: h.text for s, h in told.items() if h is not None}
    assert texts == {
        "direction": check.title,
        "structure": check.definition,
        "example": "卖不完扔掉的货，一个月大概值多少钱？店长每天耗在订货上的时间呢？",
    }
    for strength, given in told.items():
        assert given is not None
        assert (given.check, given.skill, given.strength, given.because) == (check.id, check.skill, strength, "太贵")


def test_an_example_without_words_of_the_case_is_the_checks_own(bakery: Playbook) -> None:
    bare = bakery.model_copy(update={"scenario": bakery.scenario.model_copy(update={"overrides": {}})})
    given = hint(bare, at(bare), "example")
    assert given is not None
    assert given.text == bakery.checks["asks-problem-impact"].say


@pytest.mark.parametrize("strength", STRENGTHS)
def test_asking_changes_nothing(bakery: Playbook, strength: str) -> None:
    state = at(bakery)
    assert hint(bakery, state, strength) == hint(bakery, state, strength)  # type: ignore[arg-type]
    assert state == at(bakery)
