"""Judges: each reads a learner's sentences and says which checks they show, with a quote and how sure it is.

A judge is a function of (checks, sentences); it knows nothing of points, of the learner, or of other judges.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from coach.scoring import meaning, negation
from coach.scoring.check import Check, NumberDetector
from coach.scoring.meaning import Vectors
from coach.scoring.quantity import Quantity, find_quantities
from knowledge.text import fold

Figures = Mapping[str, float]
_GUESSES = 5
"""From this many different percentages in one sentence on, it lists guesses and claims none."""


@dataclass(frozen=True)
class Vote:
    """One judge's opinion of one check on one learner turn.

    Attributes:
        quote: the learner's sentence the opinion rests on; empty when nothing was found.
        confidence: the judge's own probability (0 to 1) that its `met` is right.
        note: for a number that was stated wrongly, what was wrong with it.
    """

    judge: str
    check: str
    met: bool
    confidence: float
    quote: str = ""
    note: str = ""


class Judge(Protocol):
    name: str

    def votes(self, checks: Sequence[Check], sentences: Sequence[str], figures: Figures) -> list[Vote]:
        """At most one vote a check; no vote where the judge cannot judge it."""
        ...


class PatternJudge:
    """Regular expressions of the check over folded sentences."""

    name = "pattern"

    def votes(self, checks: Sequence[Check], sentences: Sequence[str], figures: Figures) -> list[Vote]:
        folded = [(s, fold(s)) for s in sentences]
        votes = []
        for check in checks:
            if check.pattern is None:
                continue
            wanted, vetoes = _compiled(tuple(check.pattern.any)), _compiled(tuple(check.pattern.unless))
            hit = next(
                (
                    original
                    for original, text in folded
                    if not any(p.search(text) for p in vetoes) and _shown(check, wanted, text)
                ),
                None,
            )
            votes.append(Vote(self.name, check.id, hit is not None, 0.95 if hit else 0.7, hit or ""))
        return votes


@functools.lru_cache(maxsize=4096)
def _compiled(patterns: tuple[str, ...]) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(p) for p in patterns)


def _shown(check: Check, wanted: Sequence[re.Pattern[str]], text: str) -> bool:
    """Whether a pattern is found; for a behaviour to show, where the speaker does not refuse or deny it."""
    found = (match for p in wanted if (match := p.search(text)))
    return any(check.polarity == "avoid" or not negation.refused(text, m.start(), m.end()) for m in found)


class NumberJudge:
    """Figures stated in words or digits, compared with the scenario's computed values."""

    name = "number"

    def votes(self, checks: Sequence[Check], sentences: Sequence[str], figures: Figures) -> list[Vote]:
        votes = []
        for check in checks:
            if check.number is None or check.number.figure not in figures:
                continue
            votes.append(self._vote(check, check.number, sentences, figures))
        return votes

    def _vote(self, check: Check, number: NumberDetector, sentences: Sequence[str], figures: Figures) -> Vote:
        value = figures[number.figure]
        wrong: tuple[str, str] | None = None
        for sentence in sentences:
            text = fold(sentence)
            if not re.search(number.near, text):
                continue
            claims = [q for q in find_quantities(text) if _comparable(q, number.unit)]
            if not claims or negation.guesses(text):
                continue
            claims = [
                q
                for q in claims
                if not negation.denied_number(text, q.start) and not negation.refused(text, q.start, q.end)
            ]
            if len({(q.low, q.high) for q in claims}) >= _GUESSES and number.unit == "percent":
                continue
            if any(q.near(value, number.tolerance) for q in claims):
                return Vote(self.name, check.id, True, 0.97, sentence)
            for claim in claims:
                for mistake in number.mistakes:
                    if mistake.figure in figures and claim.near(figures[mistake.figure], number.tolerance):
                        wrong = sentence, mistake.say
        if wrong:
            return Vote(self.name, check.id, False, 0.97, wrong[0], wrong[1])
        return Vote(self.name, check.id, False, 0.9)


def _comparable(quantity: Quantity, unit: str) -> bool:
    return quantity.unit == unit or (quantity.unit == "none" and unit in {"count", "yuan", "ratio"})


class SemanticJudge:
    """Meaning: nearer to the check's positive examples than to its near misses.

    Cosine similarity of sentence embeddings (Universal Sentence Encoder, multilingual, 512 dimensions). Against near
    misses written to deceive it, three in four of its finds are right at any bar (`whetstone eval understanding`
    leaves each example out in turn), so only near paraphrases of an example count; the rest ask for a second look.
    """

    name = "semantic"
    CLOSE = 0.60
    SURE_CLOSE = 0.72
    MARGIN = 0.10

    def __init__(self) -> None:
        self._examples: dict[str, tuple[Vectors, Vectors]] = {}

    def votes(self, checks: Sequence[Check], sentences: Sequence[str], figures: Figures) -> list[Vote]:
        judged = [c for c in checks if c.examples is not None]
        said = [s for s in sentences if len(s) >= 4]
        if not judged or not said:
            return []
        vectors = np.stack([meaning.vector(s) for s in said])
        votes = []
        for check in judged:
            met, near = self._taught(check)
            closeness = (vectors @ met.T).max(axis=1)
            margin = closeness - (vectors @ near.T).max(axis=1)
            best = int(np.argmax(np.where(margin > 0, closeness, closeness - 1)))
            votes.append(self._vote(check.id, float(closeness[best]), float(margin[best]), said[best]))
        return votes

    def _vote(self, check: str, closeness: float, margin: float, sentence: str) -> Vote:
        if closeness >= self.SURE_CLOSE and margin >= self.MARGIN:
            return Vote(self.name, check, True, min(0.95, 0.75 + margin), sentence)
        if closeness >= self.CLOSE and margin >= self.MARGIN:
            return Vote(self.name, check, True, 0.55, sentence)
        return Vote(self.name, check, False, 0.8 if margin <= 0 else 0.65)

    def _taught(self, check: Check) -> tuple[Vectors, Vectors]:
        assert check.examples is not None
        key = f"{check.id}:{hash((tuple(check.examples.met), tuple(check.examples.near)))}"
        if key not in self._examples:
            self._examples[key] = (meaning.encode(check.examples.met), meaning.encode(check.examples.near))
        return self._examples[key]
