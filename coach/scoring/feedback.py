"""Feedback: three things to keep, to start and to stop, each with the learner's words, and one line said better."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from coach.scoring.check import Check
from coach.scoring.rubric import Rubric
from coach.scoring.scorecard import Blocked, Deducted, Feedback, Missed, Point, Scorecard, Weakest

MOST = 3


class Moment(Protocol):
    """One learner turn as feedback needs it.

    Attributes:
        change: how far trust and patience moved in it, together. bad: checks to avoid that it showed, or numbers got
            wrong. due: the check that was due when it was said; empty when there was none.
    """

    @property
    def text(self) -> str: ...
    @property
    def change(self) -> int: ...
    @property
    def bad(self) -> Sequence[str]: ...
    @property
    def due(self) -> str: ...


def feedback(
    rubric: Rubric,
    checks: Mapping[str, Check],
    card: Scorecard,
    moments: Sequence[Moment] = (),
    say: Mapping[str, str] | None = None,
) -> Feedback:
    """What to tell a learner after a drill.

    Args:
        moments: the turns in order, where the conversation was a drill; without them no weakest line is told.
        say: what could have been said, by check, in place of the check's own example.
    """
    worth = {
        c.check: criterion.points * c.weight / sum(w.weight for w in criterion.checks)
        for criterion in rubric.criteria
        for c in criterion.checks
    }
    better = {i: (say or {}).get(i, c.say) for i, c in checks.items()}
    verdicts = [v for criterion in card.criteria for v in criterion.verdicts]
    shown = sorted((v for v in verdicts if v.met), key=lambda v: -worth[v.check])
    missed = sorted(card.missed, key=lambda m: (m.check not in card.missing_required, -worth.get(m.check, 0)))
    wrong = {v.check: v for v in verdicts if not v.met and v.quote}
    costly: list[Blocked | Deducted] = [*card.blockers, *card.deductions]
    stop = [
        Point(check=c.check, title=c.title, quote=c.quote, turn=c.turn, say=better.get(c.check, ""))
        for c in {c.check: c for c in costly}.values()
    ]
    stop += [
        Point(check=i, title=v.note or checks[i].title, quote=v.quote, turn=v.turn, say=better.get(i, ""))
        for i, v in wrong.items()
    ]
    return Feedback(
        keep=[Point(check=v.check, title=checks[v.check].title, quote=v.quote, turn=v.turn) for v in shown[:MOST]],
        start=[_start(m) for m in missed if m.check not in wrong][:MOST],
        stop=stop[:MOST],
        weakest=_weakest(moments, checks, better),
    )


def _start(missed: Missed) -> Point:
    return Point(check=missed.check, title=missed.title, say=missed.say)


def _weakest(moments: Sequence[Moment], checks: Mapping[str, Check], better: Mapping[str, str]) -> Weakest | None:
    """The turn that lost most; of turns that lost alike, one that did something bad, else the earliest."""
    losing = [(m.change, not m.bad, n, m) for n, m in enumerate(moments, 1) if m.change < 0]
    for change, _, number, moment in sorted(losing, key=lambda x: x[:3]):
        check = next(iter(moment.bad), moment.due)
        if check in checks and better.get(check):
            return Weakest(
                turn=number,
                quote=moment.text,
                change=change,
                because=checks[check].title,
                better=better[check],
            )
    return None
