"""Learners of a scenario: a good, a middling and a bad one, turn by turn, with what a trainer would say about it.

They are watched by people (how it is done, and how it goes wrong), played by the playtest, and measured by the harness.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from coach.scoring.check import Id, Model

Quality = Literal["good", "middling", "bad"]
QUALITIES: tuple[Quality, ...] = ("good", "middling", "bad")


class LearnerTurn(Model):
    """What a learner says in one turn.

    Attributes:
        shows: every check the turn shows, wanted or not, judged by reading it.
        note: what a trainer watching would say about it.
    """

    say: Annotated[str, Field(min_length=1, max_length=2000)]
    shows: list[Id] = []
    note: str = ""


class Played(Model):
    """A learner of one quality, and what the drill should come to with the usual persona at the usual level.

    Attributes:
        ending: id of the ending; None where the talk is left unfinished. percent: lowest and highest score.
    """

    turns: list[LearnerTurn] = Field(min_length=3)
    ending: Id | None
    percent: tuple[int, int]

    def shown(self) -> set[str]:
        return {check for turn in self.turns for check in turn.shows}


class Learners(Model):
    """The three learners of one scenario; `id` is the scenario's."""

    id: Id
    good: Played
    middling: Played
    bad: Played

    def of(self, quality: Quality) -> Played:
        played: Played = getattr(self, quality)
        return played
