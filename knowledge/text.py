"""Normalising Chinese and English text for search, matching and cutting.

Folding is for comparing, never for showing: a passage keeps the script its author wrote.
"""

import re
import unicodedata
from functools import lru_cache
from typing import Protocol


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
    """Index terms: bigrams of each Chinese run, a lone character as it is, words and numbers whole."""
    found: list[str] = []
    for run in _TERM.findall(fold(text)):
        if len(run) > 2 and is_han(run[0]):
            found.extend(run[i : i + 2] for i in range(len(run) - 1))
        else:
            found.append(run)
    return found


def is_han(char: str) -> bool:
    """Whether `char` is one Chinese character."""
    return "\u4e00" <= char <= "\u9fff" or "\u3400" <= char <= "\u4dbf"


@lru_cache(maxsize=1)
def _simplifier() -> _Converter:
    from opencc import OpenCC  # its dictionaries take 20 ms, which `--help` should not pay

    converter: _Converter = OpenCC("t2s")
    return converter
