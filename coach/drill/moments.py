"""Moments: what each learner turn did to the conversation, for feedback and for the trainer's view."""

from __future__ import annotations

from dataclasses import dataclass

from coach.drill.drill import Drill
from coach.drill.hints import due
from coach.scoring.verdict import CROWDED


@dataclass(frozen=True)
class Moment:
    """One learner turn.

    Attributes:
        change: how far trust and patience moved in it, together. shown: checks it showed. missed: numbers it got wrong.
        bad: those of both that cost something. due: the check that was due when it was said; empty when none was.
    """

    turn: int
    text: str
    trust: int
    patience: int
    change: int
    shown: tuple[str, ...]
    bad: tuple[str, ...]
    due: str


def moments(drill: Drill) -> list[Moment]:
    """Every turn of a drill in order; in strict practice nobody's mood changes."""
    told = []
    for number, exchange in enumerate(drill.exchanges, 1):
        before, after = drill.before(number), exchange.state
        verdicts = exchange.verdicts.values()
        slips = [v.check for v in verdicts if not v.met and v.note and v.note != CROWDED]
        found = due(drill.playbook, before)
        told.append(
            Moment(
                turn=number,
                text=exchange.learner,
                trust=after.trust,
                patience=after.patience,
                change=after.trust + after.patience - before.trust - before.patience,
                shown=tuple(sorted(v.check for v in verdicts if v.met)),
                bad=tuple(sorted(v.check for v in verdicts if v.met and v.polarity == "avoid")) + tuple(sorted(slips)),
                due=found[0] if found else "",
            )
        )
    return told
