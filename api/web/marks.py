"""Marking words in a text: quotes of a scorecard in the transcript, and words of a query in a passage."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from coach.scoring.evidence import locate
from knowledge.text import fold, terms

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


def matched(text: str, query: str) -> list[Stretch]:
    """`text` cut where words of `query` begin and end, compared as the search compares them."""
    folded, places = _folded(text)
    hit = [False] * len(text)
    for term in {t for t in terms(query) if len(t) > 1}:
        at = folded.find(term)
        while at >= 0:
            for i in range(at, at + len(term)):
                hit[places[i]] = True
            at = folded.find(term, at + 1)
    return list(_runs(text, hit))


def _folded(text: str) -> tuple[str, Sequence[int]]:
    """The folded text, and for each of its characters the place in `text` it came from."""
    whole = fold(text)
    if len(whole) == len(text):
        return whole, range(len(text))
    pieces = [(fold(char), i) for i, char in enumerate(text)]
    return "".join(p for p, _ in pieces), [i for p, i in pieces for _ in p]


def _runs(text: str, hit: Sequence[bool]) -> Iterable[Stretch]:
    start = 0
    for i in range(1, len(text) + 1):
        if i == len(text) or hit[i] != hit[start]:
            yield Stretch(text[start:i], "good" if hit[start] else None)
            start = i
