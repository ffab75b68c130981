"""Marking words in a text: quotes of a scorecard in the transcript, and words of a query in a passage."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from coach.scoring.evidence import locate
from knowledge.text import spans

Tone = Literal["good", "bad"]


@dataclass(frozen=True)
class Quote:
    """Words of the learner that a verdict rests on, and the id of the check they are evidence for."""

    words: str
    check: str
    tone: Tone


@dataclass(frozen=True)
class Stretch:
    """A stretch of text under the same marks.

    Attributes:
        tone: None where nothing is marked; `bad` wins where quotes overlap.
        checks: of the quotes that end with this stretch.
    """

    text: str
    tone: Tone | None
    checks: tuple[str, ...] = ()


def quoted(text: str, quotes: Sequence[Quote]) -> list[Stretch]:
    """`text` cut where quotes begin and end; the stretches joined are `text` again. A quote not in it marks nothing."""
    spans: list[tuple[int, int, Quote]] = []
    for quote in quotes:
        words = locate(quote.words, text)
        if words:
            start = text.index(words)
            spans.append((start, start + len(words), quote))
    cuts = sorted({0, len(text), *(at for start, end, _ in spans for at in (start, end))})
    stretches: list[Stretch] = []
    for left, right in itertools.pairwise(cuts):
        over = [q for start, end, q in spans if start <= left and right <= end]
        tone: Tone | None = ("bad" if any(q.tone == "bad" for q in over) else "good") if over else None
        checks = tuple(dict.fromkeys(q.check for _, end, q in spans if end == right))
        stretches.append(Stretch(text[left:right], tone, checks))
    return stretches


def matched(text: str, words: Iterable[str]) -> list[Stretch]:
    """`text` cut where `words`, the terms a search marks, begin and end."""
    cuts = [(0, 0), *spans(text, words), (len(text), len(text))]
    found = []
    for (_, left), (start, end) in itertools.pairwise(cuts):
        found += [Stretch(text[left:start], None), Stretch(text[start:end], "good")]
    return [one for one in found if one.text]
