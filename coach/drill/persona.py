"""Persona: who the learner talks to. It changes wording, patience and pet worries, never the truth of the case."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from coach.scoring.check import Id, Model, Text

Mood = Literal["cold", "neutral", "warm"]
Seat = Literal["business", "consumer", "colleague"]
"""Where somebody sits: across the table of a deal, as a private customer, or inside the learner's own company."""
Worry = Literal[
    "price",
    "change",
    "reliability",
    "time",
    "people",
    "law",
    "privacy",
    "face",
    "commitment",
    "effort",
    "quality",
    "fairness",
]
Scale = Annotated[int, Field(ge=1, le=5)]
Echoing = Annotated[str, StringConstraints(pattern=r"\{words\}")]
Holding = Annotated[str, StringConstraints(pattern=r"\{then\}.*\{now\}")]
Correcting = Annotated[str, StringConstraints(pattern=r"\{now\}")]


class Tics(Model):
    """Turns of speech put onto the case's neutral lines by chance: interjections in front, a few words behind."""

    start: list[Text] = []
    tail: list[Text] = []


class Persona(Model):
    """A character with words of its own for everything that is not about the case.

    Attributes:
        job: what they do, where the case does not give them a seat of its own.
        kinds: the seats they can take.
        temper, price_sensitivity, talkativeness: 1 little to 5 much.
        trust, patience: where the conversation starts, 0 to 100.
        impatience: patience lost on a turn in which the learner does nothing useful.
        worries: what they bring up even where the case does not insist on it.
        wait: said on a turn with nothing in it to react to; all moods together must outlast a drill.
        shrug: said to a question the customer has no answer to.
        deflect: said to an attempt to step out of the role-play.
        chill, warm: said to something bad, or good, that the scenario has no words of its own for.
        silent: not answering. interrupt: cutting in on somebody who talks too long.
        ask_back: to vague words, which it quotes as `{words}`.
        contradict: to a figure that differs from what the learner said before (`{then}`, `{now}`).
        misstate: to a figure that differs from what the customer has on paper (`{now}`).
        echo: taking up a number or time the learner has just named (`{words}`).
        pushed: to being pressed for a decision again.
    """

    id: Id
    name: Annotated[str, Field(min_length=2, max_length=4)]
    gender: Literal["female", "male"] = "female"
    age: Annotated[int, Field(ge=16, le=95)] = 40
    city: str = ""
    job: str = ""
    kinds: list[Seat] = Field(default=["business", "consumer", "colleague"], min_length=1)
    temper: Scale = 3
    price_sensitivity: Scale = 3
    talkativeness: Scale = 3
    describe: Text
    speech: Text
    tics: Tics = Tics()
    trust: int = Field(ge=0, le=100)
    patience: int = Field(ge=1, le=100)
    impatience: int = Field(ge=0, le=50)
    worries: list[Worry] = []
    wait: dict[Mood, list[Text]]
    shrug: list[Text] = Field(min_length=4)
    deflect: list[Text] = Field(min_length=4)
    chill: list[Text] = Field(min_length=4)
    warm: list[Text] = Field(min_length=4)
    silent: list[Text] = []
    interrupt: list[Text] = []
    ask_back: list[Echoing] = []
    contradict: list[Holding] = []
    misstate: list[Correcting] = []
    echo: list[Echoing] = []
    pushed: list[Text] = []
