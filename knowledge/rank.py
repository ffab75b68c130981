"""Combining what words say with what vectors say of the same passages. Arrays in, arrays out."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]

_RECIPROCAL = 60  # the constant of Cormack, Clarke and Büttcher, SIGIR 2009


def fuse(lexical: Sequence[float] | Scores, dense: Sequence[float] | Scores, share: float) -> Scores:
    """`share` of the standardised lexical scores and the rest of the dense ones, over the same candidates."""
    return share * standardise(np.asarray(lexical, float)) + (1 - share) * standardise(np.asarray(dense, float))


def reciprocal(lexical: Sequence[float] | Scores, dense: Sequence[float] | Scores) -> Scores:
    """Reciprocal-rank fusion of the two rankings of the same candidates."""
    fused = np.zeros(len(dense))
    for scores in (np.asarray(lexical, float), np.asarray(dense, float)):
        for rank, place in enumerate(top(scores, len(scores)), start=1):
            fused[place] += 1 / (_RECIPROCAL + rank)
    return fused


def standardise(scores: Scores) -> Scores:
    """Z-scores; all 0 where the scores do not differ."""
    spread = float(scores.std()) if scores.size else 0.0
    if spread < 1e-12:
        return np.zeros_like(scores)
    return np.asarray((scores - scores.mean()) / spread, dtype=np.float64)


def top(scores: Scores, count: int) -> list[int]:
    """Positions of the `count` best scores, best first; of equal ones the earlier first."""
    return [int(position) for position in np.argsort(-scores, kind="stable")[:count]]
