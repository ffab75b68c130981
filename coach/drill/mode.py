"""Modes: what a learner may do while a drill runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

ModeName = Literal["practice", "assessment", "strict", "free"]


@dataclass(frozen=True)
class Mode:
    """The rules of a mode.

    Attributes:
        hints, rewinds, pauses: what the learner may do. attempts: how many drills of one scenario; None for any number.
        timed: the scenario's minutes bound it. mood: the learner may see how the customer feels.
        scripted: a standard script is to be said word for word.
    """

    hints: bool
    rewinds: bool
    pauses: bool
    attempts: int | None
    timed: bool
    mood: bool
    scripted: bool = False


MODES: Mapping[ModeName, Mode] = {
    "practice": Mode(hints=True, rewinds=True, pauses=True, attempts=None, timed=False, mood=True),
    "assessment": Mode(hints=False, rewinds=False, pauses=False, attempts=1, timed=True, mood=False),
    "strict": Mode(hints=False, rewinds=True, pauses=True, attempts=None, timed=False, mood=False, scripted=True),
    "free": Mode(hints=True, rewinds=True, pauses=True, attempts=None, timed=False, mood=False),
}
FREE_TURNS = 40
"""Turns of a free drill, whatever the scenario says."""
