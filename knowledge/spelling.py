"""Mending slips of the keyboard in a short query: 异意处理 for 异议处理, 投述 for 投诉, retenton for retention.

People type Chinese by its sound, so a wrong character is nearly always one of the same sound.
"""

import threading
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from knowledge import synonyms
from knowledge.text import fold, is_han, terms

if TYPE_CHECKING:
    from knowledge.index import Index

_SHORT = 12  # characters; a longer query has enough right words in it to be found by
_LEAST = 2  # passages a word must stand in to be held for the one meant
_LIKE = 80  # likeness, 0 to 100, from which a Latin word is held for a slip of another
# Sounds that speakers of many dialects do not keep apart.
_SAME_SOUND = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("ng", "n"), ("l", "n"), ("r", "l"), ("h", "f"))


@dataclass(frozen=True)
class _Words:
    head: object
    count: Mapping[str, int]
    by_sound: Mapping[str, list[str]]
    latin: list[str]


_kept: "WeakKeyDictionary[Index, _Words]" = WeakKeyDictionary()
_making = threading.Lock()


def mend(query: str, index: "Index") -> str | None:
    """The query with its slips mended, or None when it has none that can be told."""
    folded = fold(query).strip()
    if len(folded) > _SHORT:
        return None
    asked = terms(folded)
    known = {*index.frequencies(asked), *synonyms.vocabulary()}
    if all(term in known or not _is_word(term) for term in asked):
        return None
    words = _words(index)
    mended = _latin(_han(folded, words), words)
    return mended if mended != folded else None


def _is_word(term: str) -> bool:
    return len(term) > 1 and not term[0].isdigit()


def _han(query: str, words: _Words) -> str:
    """Each pair of characters that stands nowhere replaced by the likeliest of its sound, the commonest first."""
    at = 0
    while at < len(query) - 1:
        pair = query[at : at + 2]
        if all(map(is_han, pair)) and not _is_known(pair, words):
            # Where the pairs on both sides are known, only the seam between two words is new: no slip.
            before, after = query[at - 1 : at + 1] if at else "", query[at + 1 : at + 3]
            seam = _is_known(before, words) and _is_known(after, words)
            found = [] if seam else [w for w in words.by_sound.get(_sound(pair), ()) if set(w) & set(pair)]
            if found:
                best = max(found, key=lambda word: _fit(query, at, word, words))
                query = query[:at] + best + query[at + 2 :]
        at += 1
    return query


def _is_known(pair: str, words: _Words) -> bool:
    """Whether a pair stands in some passage, or is a word of the language: 海关 is no slip where no passage has it."""
    import rjieba

    return pair in words.count or (len(pair) == 2 and rjieba.cut(pair, False) == [pair])


def _fit(query: str, at: int, word: str, words: _Words) -> tuple[int, int]:
    """How many of the neighbouring pairs are words with `word` in its place, then how common it is."""
    around = query[max(0, at - 1) : at] + word + query[at + 2 : at + 3]
    return sum(around[i : i + 2] in words.count for i in range(len(around) - 1)), words.count[word]


def _latin(query: str, words: _Words) -> str:
    from rapidfuzz import fuzz, process

    for term in terms(query):
        if term.isascii() and term.isalpha() and len(term) > 3 and term not in words.count:
            found = process.extractOne(term, words.latin, scorer=fuzz.ratio, score_cutoff=_LIKE)
            if found:
                query = query.replace(term, found[0])
    return query


def _words(index: "Index") -> _Words:
    head = (index.head, index.count())
    with _making:
        kept = _kept.get(index)
        if kept is None or kept.head != head:
            count = dict.fromkeys(synonyms.vocabulary(), 1) | index.vocabulary()
            by_sound: dict[str, list[str]] = defaultdict(list)
            for word, number in count.items():
                if len(word) == 2 and is_han(word[0]) and number >= _LEAST:
                    by_sound[_sound(word)].append(word)
            latin = [w for w, n in count.items() if w.isascii() and w.isalpha() and len(w) > 3 and n >= _LEAST]
            kept = _kept[index] = _Words(head, count, by_sound, latin)
    return kept


@lru_cache(maxsize=20_000)
def _sound(word: str) -> str:
    from pypinyin import lazy_pinyin

    return " ".join(_plain(syllable) for syllable in lazy_pinyin(word))


def _plain(syllable: str) -> str:
    for heard, as_if in _SAME_SOUND:
        if heard == "ng":
            syllable = syllable[:-1] if syllable.endswith("ng") else syllable
        elif syllable.startswith(heard):
            return as_if + syllable[len(heard) :]
    return syllable
