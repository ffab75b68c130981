"""The director is a pure fold; these are its laws."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coach.catalogue import load
from coach.drill.director import OUT_OF_ROLE, DrillOver, Observation, State, fold, open_drill, step
from coach.drill.playbook import Playbook
from coach.drill.voice import brief_for, rules_for
from knowledge.text import fold as folded

CATALOGUE = load()
PLAYBOOKS = [CATALOGUE.playbook(i) for i in CATALOGUE.scenarios]
SEEDS = st.integers(0, 2**31 - 1)


@st.composite
def drills(draw: st.DrawFn) -> tuple[Playbook, int, list[Observation]]:
    """Any playbook, any seed, any run of observations: also ones no learner could bring about."""
    book = draw(st.sampled_from(PLAYBOOKS))
    checks = sorted(book.checks)
    helpful = sorted(c for c in checks if book.checks[c].polarity == "do")
    some = st.one_of(
        st.frozensets(st.sampled_from(helpful), max_size=4),
        st.frozensets(st.sampled_from(checks), max_size=3),
    )
    seen = st.builds(
        Observation, met=some, slips=st.frozensets(st.sampled_from(checks), max_size=1), question=st.booleans()
    )
    return book, draw(SEEDS), draw(st.lists(seen, max_size=20))


def run(book: Playbook, seed: int, observations: list[Observation]) -> list[tuple[State, tuple[object, ...]]]:
    """The drill up to its ending, if it ends."""
    told = [open_drill(book, seed)]
    for seen in observations:
        if told[-1][0].ending is not None:
            break
        told.append(step(book, seed, told[-1][0], seen))
    return told  # type: ignore[return-value]


@given(drills())
def test_same_words_and_seed_same_drill(drill: tuple[Playbook, int, list[Observation]]) -> None:
    assert run(*drill) == run(*drill)


@given(drills(), st.integers(0, 20))
def test_cutting_anywhere_and_going_on_is_the_same_as_having_got_there(
    drill: tuple[Playbook, int, list[Observation]], cut: int
) -> None:
    book, seed, observations = drill
    whole = run(book, seed, observations)
    cut = min(cut, len(whole) - 1)
    state = whole[cut][0]
    rest = []
    for seen in observations[cut : len(whole) - 1]:
        state, acts = step(book, seed, state, seen)
        rest.append((state, acts))
    assert rest == whole[cut + 1 :]


@given(drills())
def test_no_line_is_said_twice_and_every_turn_is_answered(drill: tuple[Playbook, int, list[Observation]]) -> None:
    lines = [act.line for _, acts in run(*drill) for act in acts]
    assert len(lines) == len(set(lines))
    assert all(acts for _, acts in run(*drill))


@given(drills())
def test_a_hidden_fact_is_never_in_what_the_voice_is_told_before_its_reveal(
    drill: tuple[Playbook, int, list[Observation]],
) -> None:
    book, seed, observations = drill
    heard: list[tuple[str, str]] = []
    for state, acts in run(book, seed, observations):
        brief = brief_for(book, acts, state, heard)  # type: ignore[arg-type]
        told = folded(" ".join([brief.persona, brief.speech, brief.stance, brief.authored]))
        for fact in book.scenario.facts:
            if fact.id not in state.revealed:
                for secret in fact.secret_patterns():
                    assert not re.search(secret, told), (fact.id, secret, told)
        assert rules_for(book, acts, state, heard).authored == brief.authored  # type: ignore[arg-type]
        heard.append(("customer", brief.authored))


@given(drills())
def test_no_acceptance_while_an_objection_is_open_or_a_must_unraised(
    drill: tuple[Playbook, int, list[Observation]],
) -> None:
    book = drill[0]
    for state, _ in run(*drill):
        ending = next((e for e in book.scenario.endings if e.id == state.ending), None)
        if ending is not None and ending.kind == "won":
            assert not state.open_objections
            assert {o.id for o in book.scenario.objections if o.must} <= set(state.settled)


@given(drills())
def test_the_drill_ends_by_its_turn_limit(drill: tuple[Playbook, int, list[Observation]]) -> None:
    book, seed, observations = drill
    told = run(book, seed, observations)
    most = book.scenario.max_turns
    assert told[-1][0].turn <= most + 2
    if len(observations) >= most + 2:
        assert told[-1][0].ending is not None
    # Beyond the limit only while the last turn got somewhere: something new was shown, told or settled.
    for (earlier, _), (later, _) in pairwise(told):
        if later.turn >= most and later.ending is None:
            assert (later.done, later.revealed, later.settled) != (earlier.done, earlier.revealed, earlier.settled)


@given(drills())
def test_bounds_and_monotony(drill: tuple[Playbook, int, list[Observation]]) -> None:
    before: State | None = None
    for state, _ in run(*drill):
        assert 0 <= state.trust <= 100
        assert 0 <= state.patience <= 100
        assert set(state.settled) <= set(state.raised)
        if before is not None:
            assert state.revealed[: len(before.revealed)] == before.revealed
            assert state.done >= before.done
        before = state


@given(drills())
def test_every_act_that_must_carry_something_has_an_authored_line_that_does(
    drill: tuple[Playbook, int, list[Observation]],
) -> None:
    from coach.drill.guard import incomplete

    book = drill[0]
    for state, acts in run(*drill):
        rules = rules_for(book, acts, state, [])  # type: ignore[arg-type]
        assert incomplete(rules.authored, rules) is None, (acts, rules)


@settings(max_examples=30)
@given(SEEDS)
def test_stepping_out_of_role_is_deflected_whatever_else_is_in_the_turn(seed: int) -> None:
    for book in PLAYBOOKS:
        everything = Observation(met=frozenset(book.checks))
        assert OUT_OF_ROLE in everything.met
        state, acts = step(book, seed, open_drill(book, seed)[0], everything)
        assert [a.kind for a in acts] == ["deflect"]
        assert state.revealed == ()


def test_a_drill_that_is_over_takes_no_more_turns(bakery: Playbook) -> None:
    state = run(bakery, 1, [Observation()] * 20)[-1][0]
    assert state.ending == "hung-up"
    with pytest.raises(DrillOver):
        step(bakery, 1, state, Observation())


def test_the_mood_by_hand(bakery: Playbook) -> None:
    """Zhou Min starts at trust 42, patience 62; a turn of nothing costs her 11 patience; asking what she compares with
    gives 5 and 4, once."""
    state, _ = open_drill(bakery, 1)
    assert (state.trust, state.patience) == (42, 62)
    state, _ = step(bakery, 1, state, Observation())
    assert (state.trust, state.patience) == (42, 51)
    asked = Observation(met=frozenset({"asks-comparison"}))
    state, acts = step(bakery, 1, state, asked)
    assert (state.trust, state.patience) == (47, 55)
    assert [a.of for a in acts if a.kind == "reveal"] == ["rival-quote"]
    state, acts = step(bakery, 1, state, asked)
    assert (state.trust, state.patience) == (47, 44)
    assert acts[0].kind == "recall"


def test_an_offended_customer_reveals_nothing(bakery: Playbook) -> None:
    rude = Observation(met=frozenset({"asks-comparison", "dismisses-concern"}))
    state, acts = step(bakery, 1, open_drill(bakery, 1)[0], rude)
    assert state.revealed == ()
    assert acts[0].kind == "chill"


def test_seeds_vary_the_words(bakery: Playbook) -> None:
    openings = {next(iter(fold(bakery, seed, [])))[1][0].line for seed in range(30)}
    assert openings == set(bakery.scenario.opening)
