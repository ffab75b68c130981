"""The learned judge: what labelled sentences teach about a check, beyond its patterns.

One logistic regression a check over sentence vectors (Universal Sentence Encoder). Taught by `teach`, kept as one file
of weights with the library, so that judging needs nothing but a product of matrices.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import knowledge
from coach.scoring import meaning, negation
from coach.scoring.check import Check
from coach.scoring.judges import Vote
from coach.scoring.verdict import SURE
from knowledge.text import fold

WEIGHTS = Path(knowledge.__file__).parent / "library" / "learned.npz"
FEWEST = 8
"""Sentences that show a check, and as many that do not, without which it is not taught."""
BAR = 0.4
_SCALE = 4.0
_OTHERS = 0.1
"""Weight of sentences written for other checks: taken not to show this one, which is not always so."""
_TALK = 0.3
"""Weight of sentences out of whole conversations, which are what is really said: they keep the judge quiet there."""
_POSITIVE_SHARE = 1 / 3
_SHORTEST = 4


@dataclass(frozen=True)
class Labelled:
    """A sentence and whether it shows a check."""

    check: str
    text: str
    met: bool


@dataclass(frozen=True)
class Talked:
    """Sentences of one turn of a conversation, and every check the turn shows."""

    sentences: tuple[str, ...]
    shows: frozenset[str]


@dataclass(frozen=True)
class Learned:
    """Weights by check: probability = sigmoid(vector @ weights + bias).

    Attributes:
        encoder: fingerprint of the sentence encoder they were taught with; with another they mean nothing.
    """

    checks: tuple[str, ...]
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]
    encoder: str

    @functools.cached_property
    def rows(self) -> Mapping[str, int]:
        return {check: row for row, check in enumerate(self.checks)}

    def probabilities(self, sentences: Sequence[str]) -> NDArray[np.float32]:
        """One row a sentence, one column a check."""
        vectors = np.stack([meaning.vector(s) for s in sentences])
        scores: NDArray[np.float32] = 1 / (1 + np.exp(-(vectors @ self.weights.T + self.bias)))
        return scores

    def save(self, path: Path = WEIGHTS) -> None:
        np.savez_compressed(
            path,
            checks=np.array(self.checks),
            weights=self.weights.astype(np.float16),
            bias=self.bias,
            encoder=np.array(self.encoder),
        )


def load(path: Path = WEIGHTS) -> Learned | None:
    """The weights that ship, or None where there are none for today's encoder."""
    if not path.exists():
        return None
    with np.load(path) as kept:
        learned = Learned(
            tuple(str(c) for c in kept["checks"]),
            kept["weights"].astype(np.float32),
            kept["bias"].astype(np.float32),
            str(kept["encoder"]),
        )
    return learned if learned.encoder == meaning.fingerprint() else None


def teach(labelled: Iterable[Labelled], talked: Iterable[Talked] = ()) -> Learned:
    """Weights for every check with enough labelled sentences; deterministic.

    Sentences of all other checks, and of conversations that do not show it, count as not showing it, lightly; positives
    together weigh half of all negatives.
    """
    from sklearn.linear_model import LogisticRegression

    known, turns = list(labelled), list(talked)
    texts = dict.fromkeys([*(s.text for s in known), *(s for turn in turns for s in turn.sentences)])
    place = {text: i for i, text in enumerate(texts)}
    vectors = meaning.encode(list(texts)) * _SCALE
    of: dict[str, dict[int, bool]] = {}
    for one in known:
        of.setdefault(one.check, {})[place[one.text]] = one.met
    others = np.zeros(len(texts))
    others[[place[s.text] for s in known]] = _OTHERS
    checks, weights, bias = [], [], []
    for check, own in sorted(of.items()):
        shown = [i for i, met in own.items() if met]
        if min(len(shown), len(own) - len(shown)) < FEWEST:
            continue
        target = np.zeros(len(texts))
        target[shown] = 1
        weight = others.copy()
        silent = [place[s] for turn in turns if check not in turn.shows for s in turn.sentences]
        weight[silent] = _TALK
        weight[list(own)] = 1.0
        negative = weight[target == 0].sum()
        weight[target == 1] *= negative * _POSITIVE_SHARE / len(shown)
        model: Any = LogisticRegression(C=3.0, max_iter=400).fit(vectors, target, sample_weight=weight)
        checks.append(check)
        weights.append(model.coef_[0] * _SCALE)
        bias.append(model.intercept_[0])
    return Learned(
        tuple(checks),
        np.array(weights, dtype=np.float32),
        np.array(bias, dtype=np.float32),
        meaning.fingerprint(),
    )


class LearnedJudge:
    """Meaning, as labelled sentences taught it."""

    name = "learned"

    def __init__(self, learned: Learned) -> None:
        self._learned = learned

    def votes(self, checks: Sequence[Check], sentences: Sequence[str], figures: Mapping[str, float]) -> list[Vote]:
        # Vectors hardly tell doing a thing from refusing to: 现在怎么订货我也不问.
        said = [s for s in sentences if len(s) >= _SHORTEST and not negation.refused(fold(s), 0, len(fold(s)))]
        rows = self._learned.rows
        judged = [c for c in checks if c.id in rows and c.number is None]
        if not said or not judged:
            return []
        told = self._learned.probabilities(said)
        votes = []
        for check in judged:
            column = told[:, rows[check.id]]
            best = int(column.argmax())
            sure = float(column[best])
            if sure >= BAR:
                votes.append(Vote(self.name, check.id, True, max(SURE, sure), said[best]))
            else:
                votes.append(Vote(self.name, check.id, False, 1 - sure))
        return votes
