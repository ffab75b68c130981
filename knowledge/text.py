"""Normalising Chinese and English text for search, matching and cutting.

Folding is for comparing, never for showing: a passage keeps the script its author wrote.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Protocol

from knowledge.numerals import in_digits


class _Converter(Protocol):
    def convert(self, text: str) -> str: ...


_SENTENCE = re.compile(
    r"""[^。！？!?…\n]*          # the sentence
        (?:[。！？!?…]+          # its end
           [”’」』）)】》"']*    # closing marks belong to the sentence they close
        |\n|$)""",
    re.VERBOSE,
)
_TERM = re.compile(r"[a-z]+|\d+(?:\.\d+)*%?|[\u3400-\u4dbf\u4e00-\u9fff]+|[^\W\d_]+")


def fold(text: str) -> str:
    """The form in which two texts are compared: NFKC, Simplified characters, lower case."""
    return _simplifier().convert(unicodedata.normalize("NFKC", text)).lower()


def sentences(text: str) -> list[str]:
    """The sentences of `text` in order, each stripped and none empty; a line break ends a sentence."""
    return [part for match in _SENTENCE.finditer(text) if (part := match.group().strip())]


def terms(text: str) -> list[str]:
    """Index terms: bigrams of each Chinese run, a lone character as it is, words whole, numbers in plain digits."""
    found: list[str] = []
    for run in _TERM.findall(in_digits(fold(text))):
        if len(run) > 2 and is_han(run[0]):
            found.extend(run[i : i + 2] for i in range(len(run) - 1))
        else:
            found.append(run)
    return found


def spans(text: str, wanted: Iterable[str]) -> list[tuple[int, int]]:
    """Where `wanted`, terms as `terms` gives them, stand in `text`: [start, end) in order, touching ones joined."""
    lowered: list[str] = []
    places: list[int] = []
    for place, char in enumerate(text):
        for part in unicodedata.normalize("NFKC", char).lower():
            lowered.append(part)
            places.append(place)
    folded = _simplifier().convert("".join(lowered))
    if len(folded) != len(lowered):  # a phrase that is longer in Simplified; the places would be wrong
        folded = "".join(lowered)
    covered = [False] * (len(text) + 1)
    for term in wanted:
        # A word or number stands by itself; a pair of characters is found anywhere.
        pattern = re.escape(term) if is_han(term[0]) else rf"(?<![a-z0-9.]){re.escape(term)}(?![a-z0-9%]|\.\d)"
        # Looking ahead finds a term again where it overlaps itself.
        for match in re.finditer(f"(?={pattern})", folded):
            first, last = places[match.start()], places[match.start() + len(term) - 1]
            covered[first : last + 1] = [True] * (last + 1 - first)
    edges = [n for n, on in enumerate(covered) if on != (covered[n - 1] if n else False)]
    return list(zip(edges[::2], edges[1::2], strict=True))


def is_han(char: str) -> bool:
    """Whether `char` is one Chinese character."""
    return "\u4e00" <= char <= "\u9fff" or "\u3400" <= char <= "\u4dbf"


@lru_cache(maxsize=1)
def _simplifier() -> _Converter:
    from opencc import OpenCC  # its dictionaries take 20 ms, which `--help` should not pay

    converter: _Converter = OpenCC("t2s")
    return converter
