"""Hints: which behaviour is due next, told in three strengths. The judges never see that one was asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from coach.drill.director import State
from coach.drill.playbook import Playbook
from coach.drill.scenario import When

Strength = Literal["direction", "structure", "example"]
STRENGTHS: tuple[Strength, ...] = ("direction", "structure", "example")


@dataclass(frozen=True)
class Hint:
    """Help with one check.

    Attributes:
        because: what in the conversation calls for it, in words; empty where nothing in particular does.
    """

    check: str
    skill: str
    strength: Strength
    because: str
    text: str


def due(book: Playbook, state: State) -> tuple[str, str] | None:
    """The check that is due next and why: an open doubt first, then what is still hidden, then what earns points.

    Returns:
        (check, because); None when everything has been shown.
    """
    for check, because in _candidates(book, state):
        # A doubt goes in answer to something said to it, also when it has been said before.
        fresh = because or check not in state.done
        if fresh and check in book.checks and book.checks[check].polarity == "do":
            return check, because
    return None


def _candidates(book: Playbook, state: State) -> Iterator[tuple[str, str]]:
    worth = _worth(book)
    scenario = book.scenario
    if state.turn == 0:
        # The first words are for whoever is there: what earns points with nothing asked for yet.
        yield from ((c, "") for c in sorted(worth, key=lambda c: -worth[c]) if book.checks[c].family == "empathy")
    for objection in scenario.objections:
        if objection.id in state.open_objections:
            for fact in scenario.facts:
                if fact.id in objection.settled.facts and fact.id not in state.revealed:
                    yield from ((c, objection.title) for c in _wanted(fact.when, worth, state))
            fresh = _wanted(objection.settled, worth, state)
            again = sorted(objection.settled.check_ids(), key=lambda c: -worth.get(c, 0))
            yield from ((c, objection.title) for c in fresh or again[:1])
    hidden = [f for f in scenario.facts if f.id not in state.revealed and set(f.when.facts) <= set(state.revealed)]
    asked = [c for f in hidden for c in _wanted(f.when, worth, state)]
    yield from ((c, "") for c in sorted(asked, key=lambda c: -worth.get(c, 0)))
    yield from ((c, "") for c in sorted(worth, key=lambda c: -worth[c]))
    for ending in scenario.endings:
        if ending.kind == "won" and ending.when is not None:
            yield from ((c, "") for c in _wanted(ending.when, worth, state))


def _wanted(when: When, worth: dict[str, float], state: State) -> list[str]:
    """What a condition still wants; of alternatives, the one worth most."""
    wanted = [c for c in when.all if c not in state.done]
    for group in (when.any, when.does):
        if group and not state.done & set(group):
            wanted.append(max(group, key=lambda c: worth.get(c, 0)))
    return wanted


def _worth(book: Playbook) -> dict[str, float]:
    return {
        c.check: criterion.points * c.weight / sum(w.weight for w in criterion.checks)
        for criterion in book.rubric.criteria
        for c in criterion.checks
    }


def hint(book: Playbook, state: State, strength: Strength) -> Hint | None:
    """Help with what is due next; None when there is nothing left to help with."""
    found = due(book, state)
    if found is None:
        return None
    check, because = book.checks[found[0]], found[1]
    text = {
        "direction": check.title,
        "structure": check.definition,
        "example": book.scenario.overrides.get(check.id, check.say),
    }[strength]
    return Hint(check.id, check.skill, strength, because, text)
