"""What may count as evidence: the learner's own sentences, quoted verbatim."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable

from rapidfuzz import fuzz

from knowledge.text import fold, sentences

_NOISE = re.compile(r"[\W_]+")
_LONGEST = 160
_COPIED = 88.0
"""Similarity (rapidfuzz ratio, 0 to 100) from which a sentence is taken to be copied, not said."""


@functools.lru_cache(maxsize=8192)  # the rubric's words are compared with every turn
def normalise(text: str) -> str:
    """`text` without width, case, script, punctuation and space: the form in which quotes are compared."""
    return _NOISE.sub("", fold(text))


def locate(quote: str, text: str) -> str | None:
    """The stretch of `text` that `quote` stands for, verbatim, or None.

    A judge may have changed width, case, punctuation or script of what it quotes; the words must be there, in order.
    """
    wanted = normalise(quote)
    if len(wanted) < 2:
        return None
    if quote in text:
        return quote.strip()
    kept = [(normalise(char), i) for i, char in enumerate(text)]
    kept = [(c, i) for c, i in kept if c]
    haystack = "".join(c for c, _ in kept)
    where = haystack.find(wanted)
    if where < 0:
        return None
    at = 0
    first = last = -1
    for piece, i in kept:
        if first < 0 and at + len(piece) > where:
            first = i
        at += len(piece)
        if at >= where + len(wanted):
            last = i
            break
    return text[first : last + 1]


def own_sentences(text: str, copied_from: Iterable[str]) -> list[str]:
    """The sentences of `text` that are the learner's own.

    A sentence that repeats a line of `copied_from` (the rubric's words, or what the customer has just said) is left
    out: it shows that the learner can copy, not that they can do it.
    """
    sources = [s for s in (normalise(line) for line in copied_from) if len(s) >= 4]
    own = []
    for sentence in sentences(text):
        said = normalise(sentence)
        if said and not any(_is_copy(said, source) for source in sources):
            own += _pieces(sentence)
    return own


def _pieces(sentence: str) -> list[str]:
    """A sentence, or the stretches of one too long to be read at once, cut at commas where there are any."""
    pieces = []
    while len(sentence) > _LONGEST:
        cut = max(sentence.rfind(mark, _LONGEST // 2, _LONGEST) for mark in "，,、；; ") + 1
        pieces.append(sentence[: cut or _LONGEST])
        sentence = sentence[cut or _LONGEST :]
    return [p for p in [*pieces, sentence] if p.strip()]


def _is_copy(said: str, source: str) -> bool:
    if len(said) < 6:
        return said == source
    if source in said and len(source) >= len(said) / 2:
        return True
    if len(said) >= 12 and said in source:
        return True
    return fuzz.ratio(said, source) >= _COPIED
