"""Texts that are nearly the same: MinHash over character shingles, banded, then compared in full.

Broder, 1997; the banding of Leskovec, Rajaraman and Ullman, Mining of Massive Datasets, chapter 3.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Sequence

from knowledge.numerals import in_digits
from knowledge.text import fold

SAME = 0.8
"""Shared part of all shingles (Jaccard) from which two passages count as one."""

_SHINGLE = 4
_PERMUTATIONS = 64
_ROWS = 4  # 16 bands of 4: two texts that share 0.8 meet in a band with probability 0.9998
_NOISE = re.compile(r"[\W_]+")


def shingles(text: str) -> set[str]:
    """The runs of four characters of a folded text without spaces and punctuation; a shorter text is one shingle."""
    bare = _NOISE.sub("", fold(text))
    return {bare[i : i + _SHINGLE] for i in range(len(bare) - _SHINGLE + 1)} or {bare}


def bands(text: str) -> list[int]:
    """16 keys of 64 bits, signed; texts that are nearly the same share at least one, others hardly ever."""
    from datasketch import MinHash  # with SciPy half a second of imports

    sketch = MinHash(num_perm=_PERMUTATIONS, seed=1)
    sketch.update_batch([shingle.encode() for shingle in shingles(text)])
    values = sketch.hashvalues
    return [
        int.from_bytes(
            hashlib.blake2b(values[at : at + _ROWS].tobytes(), digest_size=8, salt=bytes([at])).digest(),
            signed=True,
        )
        for at in range(0, _PERMUTATIONS, _ROWS)
    ]


def likeness(one: str, other: str) -> float:
    """Jaccard similarity of the two texts' shingles, 0 to 1."""
    ours, theirs = shingles(one), shingles(other)
    return len(ours & theirs) / len(ours | theirs)


def same(one: str, other: str) -> bool:
    """Whether two passages say the same: alike by `SAME`, and with the same figures, as 12 个月 is not 24 个月."""
    return likeness(one, other) >= SAME and _figures(one) == _figures(other)


def _figures(text: str) -> Counter[str]:
    return Counter(re.findall(r"\d+(?:\.\d+)?", in_digits(fold(text))))


def alike(texts: Sequence[str], least: float) -> list[tuple[int, int]]:
    """Pairs of positions, the earlier first, whose texts are alike by `least` or more."""
    cut = [shingles(text) for text in texts]
    return [
        (one, other)
        for other in range(len(cut))
        for one in range(other)
        if len(cut[one] & cut[other]) >= least * len(cut[one] | cut[other])
    ]
