"""A learner turn on its way: understood and directed, not yet answered in words."""

from __future__ import annotations

from dataclasses import dataclass

from coach.drill.director import Act, State
from coach.scoring.verdict import Verdict


@dataclass(frozen=True)
class Turned:
    """A learner turn that has been understood and directed but not yet answered.

    Attributes:
        care: the answer out of the role, where the turn was about the learner and not about the drill.
    """

    learner: str
    verdicts: dict[str, Verdict]
    acts: tuple[Act, ...]
    state: State
    care: str = ""
