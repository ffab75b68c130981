"""The check: one observable behaviour of a learner, the single atom of drills, rubrics and profiles."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator


def _regex(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from error
    return value


Id = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=64)]
Regex = Annotated[str, Field(min_length=1), AfterValidator(_regex)]
Text = Annotated[str, Field(min_length=1)]


class Model(BaseModel):
    """Base of everything read from the library: immutable, unknown keys refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def content_hash(value: Any) -> str:
    """First 16 hex digits of the SHA-256 of `value` as canonical JSON."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class PatternDetector(Model):
    """Met by a sentence in which one of `any` is found and none of `unless`.

    Patterns are searched in folded text (NFKC, Simplified, lower case), sentence by sentence.
    """

    any: list[Regex] = Field(min_length=1)
    unless: list[Regex] = []


class Mistake(Model):
    """A usual wrong value of a figure, and what it tells about the reasoning behind it."""

    figure: str
    say: Text


class NumberDetector(Model):
    """Met by a sentence that speaks of `near` and states the scenario's `figure` within `tolerance`.

    Attributes:
        figure: name of a figure of the scenario; its value is computed, never typed in twice.
        near: what the sentence must speak of for a number in it to be a claim about the figure.
        unit: the dimension a number must have to be compared at all.
        tolerance: largest accepted relative error (0.02 is 2 %).
        mistakes: usual wrong values; recognised ones are named in the feedback.
    """

    figure: str
    near: Regex
    unit: Literal["count", "percent", "yuan", "day", "ratio"]
    tolerance: float = Field(default=0.01, ge=0, le=0.5)
    mistakes: list[Mistake] = []


class Examples(Model):
    """Sentences that show the behaviour, and look-alikes that do not; they teach the judge by meaning."""

    met: list[Text] = Field(min_length=3)
    near: list[Text] = Field(min_length=3)


class Check(Model):
    """One observable behaviour.

    Attributes:
        polarity: `do` earns points when shown; `avoid` costs points, or blocks the pass, when shown.
        family: what kind of evidence it needs; judges are measured per family.
        terms: met by stating something otherwise than the scenario's fact sheet; see `coach.drill.terms`.
        before: the behaviour counts only if it was first shown earlier than this other check.
        definition: what counts, and what does not.
        say: an example of what a learner could have said.
    """

    id: Id
    skill: Id
    family: Literal["ask", "empathy", "explain", "commit", "number", "comply", "conduct"]
    polarity: Literal["do", "avoid"] = "do"
    title: Text
    title_en: Text
    definition: Text
    pattern: PatternDetector | None = None
    number: NumberDetector | None = None
    terms: bool = False
    before: Id | None = None
    examples: Examples | None = None
    say: Text

    @model_validator(mode="after")
    def _detectable(self) -> Check:
        if self.pattern is None and self.number is None and self.examples is None and not self.terms:
            raise ValueError("a check needs a pattern, a number, terms or examples: nothing could ever meet it")
        return self


def words_of(checks: Iterable[Check]) -> tuple[str, ...]:
    """Titles and definitions: repeating them is no evidence of doing what they say."""
    return tuple(text for check in checks for text in (check.title, check.definition))
