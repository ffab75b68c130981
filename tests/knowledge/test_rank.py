import numpy as np
import pytest

from knowledge.rank import Lexical, fuse, standardise, top


def test_words_shared_count_and_others_score_nothing() -> None:
    scores = Lexical(["客户说太贵", "先道歉再补救", "太贵是和谁比"]).scores("太贵和谁")
    assert top(scores, 2) == [2, 0]
    assert scores[1] == 0


def test_no_texts_and_no_known_words() -> None:
    assert Lexical([]).scores("客户").tolist() == []
    assert Lexical(["客户"]).scores("zzz").tolist() == [0]


def test_standardising_and_fusing_by_hand() -> None:
    # mean 2, standard deviation 1: (1, 3) -> (-1, 1)
    assert standardise(np.array([1.0, 3.0])).tolist() == [-1, 1]
    assert standardise(np.array([5.0, 5.0])).tolist() == [0, 0]
    # three tenths of (-1, 1) and seven tenths of (1, -1)
    assert fuse(np.array([1.0, 3.0]), np.array([0.9, 0.8])).tolist() == pytest.approx([0.4, -0.4])
