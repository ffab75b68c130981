import numpy as np
import pytest

from knowledge.rank import fuse, reciprocal, standardise, top


def test_standardising_and_fusing_by_hand() -> None:
    # mean 2, standard deviation 1: (1, 3) -> (-1, 1)
    assert standardise(np.array([1.0, 3.0])).tolist() == [-1, 1]
    assert standardise(np.array([5.0, 5.0])).tolist() == [0, 0]
    # three tenths of (-1, 1) and seven tenths of (1, -1)
    assert fuse([1.0, 3.0], [0.9, 0.8], 0.3).tolist() == pytest.approx([0.4, -0.4])
    assert fuse([1.0, 3.0], [0.9, 0.8], 1.0).tolist() == pytest.approx([-1, 1])


def test_reciprocal_ranks_by_hand() -> None:
    # ranks (2, 1) and (1, 2), then equal; a third passage is last in both
    fused = reciprocal([2.0, 3.0, 1.0], [0.9, 0.8, 0.1])
    assert fused.tolist() == pytest.approx([1 / 62 + 1 / 61, 1 / 61 + 1 / 62, 2 / 63])


def test_of_equal_scores_the_earlier_comes_first() -> None:
    assert top(np.array([1.0, 2.0, 2.0, 0.0]), 3) == [1, 2, 0]
