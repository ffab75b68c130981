"""The learned judge: taught the same every time, only where there is enough to learn from, and never alone a verdict
against somebody."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from coach.catalogue import Catalogue
from coach.scoring import meaning
from coach.scoring.check import Check
from coach.scoring.judges import Vote
from coach.scoring.learned import FEWEST, Labelled, Learned, LearnedJudge, Talked, load, teach
from coach.scoring.verdict import SURE, combine, judge_turn

APOLOGISES = [
    "实在对不起，给您添麻烦了",
    "非常抱歉，让您久等了",
    "这件事是我们的错，向您道歉",
    "真不好意思，耽误您时间了",
    "对不住您，这次是我们没做好",
    "我代表门店向您诚恳道歉",
    "抱歉让您白跑一趟",
    "给您造成不便，我们深表歉意",
    "很抱歉，是我们疏忽了",
    "对不起，害您担心了",
]
PLAIN = [
    "您的订单号是多少",
    "快递明天下午送到",
    "这款有红色和蓝色两种",
    "门店早上九点开门",
    "会员每年续费一次",
    "请把照片发给我看看",
    "发票可以开公司抬头",
    "地铁二号线直接到",
    "保修期是一年",
    "您想先看哪一款",
]


def check(id_: str, polarity: str = "do", **more: object) -> Check:
    base = {
        "id": id_,
        "skill": "empathy",
        "family": "empathy",
        "polarity": polarity,
        "title": "道歉",
        "title_en": "Apologises",
        "definition": "为给对方带来的不便道歉。",
        "pattern": {"any": ["从来没人这样说话"]},
        "say": "对不起。",
    }
    return Check.model_validate({**base, **more})


def labelled(id_: str, met: list[str], near: list[str]) -> list[Labelled]:
    return [*(Labelled(id_, t, True) for t in met), *(Labelled(id_, t, False) for t in near)]


@pytest.fixture(scope="module")
def taught() -> Learned:
    return teach(labelled("apologises", APOLOGISES, PLAIN))


def test_taught_twice_it_is_the_same(taught: Learned) -> None:
    again = teach(labelled("apologises", APOLOGISES, PLAIN))
    assert again.checks == taught.checks == ("apologises",)
    assert np.array_equal(again.weights, taught.weights)
    assert np.array_equal(again.bias, taught.bias)


@pytest.mark.parametrize(("shown", "not_shown"), [(FEWEST - 1, FEWEST), (FEWEST, FEWEST - 1)])
def test_too_little_is_not_taught(shown: int, not_shown: int) -> None:
    other = labelled("enough", APOLOGISES[:FEWEST], PLAIN[:FEWEST])
    few = labelled("too-few", APOLOGISES[:shown], PLAIN[:not_shown])
    assert teach([*few, *other]).checks == ("enough",)


def test_a_paraphrase_is_recognised_and_another_subject_is_not(taught: Learned) -> None:
    judge = LearnedJudge(taught)
    (vote,) = judge.votes([check("apologises")], ["仓库在城东。", "真是抱歉，这回是我们不对，让您受累了。"], {})
    assert (vote.met, vote.quote) == (True, "真是抱歉，这回是我们不对，让您受累了。")
    assert SURE <= vote.confidence <= 1
    for sentence in ("这款充电宝有两种颜色。", "会议改到周五上午十点。"):
        (vote,) = judge.votes([check("apologises")], [sentence], {})
        assert (vote.met, vote.quote) == (False, "")


def test_the_probability_is_the_sigmoid_of_the_product(taught: Learned) -> None:
    sentence = "抱歉让您等了这么久"
    score = float(meaning.vector(sentence) @ taught.weights[0] + taught.bias[0])
    assert float(taught.probabilities([sentence])[0, 0]) == pytest.approx(1 / (1 + np.exp(-score)), rel=1e-5)


def test_sentences_of_talk_that_does_not_show_it_make_it_more_careful(taught: Learned) -> None:
    sentence = "真不巧，这个我也说不好"
    talk = [Talked((sentence, "麻烦您稍等"), frozenset({"another-check"}))]
    careful = teach(labelled("apologises", APOLOGISES, PLAIN), talk)
    assert careful.probabilities([sentence])[0, 0] < taught.probabilities([sentence])[0, 0]


def test_it_keeps_quiet_about_what_it_was_not_taught(taught: Learned) -> None:
    judge = LearnedJudge(taught)
    assert judge.votes([check("something-else")], ["非常抱歉。"], {}) == []
    assert judge.votes([check("apologises")], [], {}) == []
    assert judge.votes([check("apologises")], ["抱歉"], {}) == []  # too short to mean anything
    number = check("apologises", number={"figure": "fee", "near": "费", "unit": "yuan"}, family="number")
    assert judge.votes([number], ["非常抱歉，费用算错了。"], {}) == []


def test_kept_and_read_again(taught: Learned, tmp_path: Path) -> None:
    path = tmp_path / "learned.npz"
    taught.save(path)
    kept = load(path)
    assert kept is not None
    assert (kept.checks, kept.encoder) == (taught.checks, meaning.fingerprint())
    # Kept at half precision: three digits.
    assert np.allclose(kept.weights, taught.weights, rtol=1e-3, atol=1e-3)
    said = [*APOLOGISES, *PLAIN]
    assert np.abs(kept.probabilities(said) - taught.probabilities(said)).max() < 0.01


def test_weights_of_another_encoder_are_not_used(taught: Learned, tmp_path: Path) -> None:
    path = tmp_path / "learned.npz"
    replace(taught, encoder="0123456789abcdef").save(path)
    assert load(path) is None
    assert load(tmp_path / "none.npz") is None


def test_what_ships_is_for_todays_encoder_and_todays_checks(catalogue: Catalogue) -> None:
    shipped = load()
    assert shipped is not None
    assert shipped.encoder == meaning.fingerprint()
    assert set(shipped.checks) <= set(catalogue.checks)
    assert len(set(shipped.checks)) == len(shipped.checks) > 100
    assert shipped.weights.shape == (len(shipped.checks), 512)
    assert shipped.bias.shape == (len(shipped.checks),)
    assert np.isfinite(shipped.weights).all()


def learned_vote(confidence: float = 0.99, met: bool = True) -> Vote:
    return Vote("learned", "rude", met, confidence, "你懂什么。" if met else "")


class TestNeverAlone:
    def test_it_can_show_something_good(self) -> None:
        verdict = combine(check("rude"), [learned_vote()], text="你懂什么。", turn=2)
        assert (verdict.met, verdict.quote, verdict.turn) == (True, "你懂什么。", 2)

    def test_it_cannot_convict_of_something_bad(self) -> None:
        """A pattern that says nothing, and both judges of meaning sure: a person is asked to look, no more."""
        votes = [
            Vote("pattern", "rude", False, 0.7),
            learned_vote(),
            Vote("semantic", "rude", True, 0.95, "你懂什么。"),
        ]
        verdict = combine(check("rude", "avoid"), votes, text="你懂什么。", turn=2)
        assert (verdict.met, verdict.doubtful, verdict.quote) == (False, True, "")
        assert verdict.judges["learned"].met

    def test_with_a_pattern_it_is_convicted(self) -> None:
        votes = [learned_vote(), Vote("pattern", "rude", True, 0.95, "你懂什么。")]
        verdict = combine(check("rude", "avoid"), votes, text="你懂什么。", turn=2)
        assert (verdict.met, verdict.doubtful) == (True, False)

    def test_no_quote_no_point(self) -> None:
        verdict = combine(check("rude"), [learned_vote()], text="您好。", turn=1)
        assert not verdict.met

    def test_in_a_turn_with_the_judge_itself(self, taught: Learned) -> None:
        text = "非常抱歉，是我们没做好，让您久等了。"
        for polarity, met in (("do", True), ("avoid", False)):
            (verdict,) = judge_turn(
                [LearnedJudge(taught)], [check("apologises", polarity)], text, turn=1, figures={}, copied_from=[]
            ).values()
            assert (verdict.met, verdict.doubtful) == (met, not met)

    def test_repeating_the_rubric_shows_nothing(self, taught: Learned) -> None:
        one = check("apologises")
        assert (
            judge_turn([LearnedJudge(taught)], [one], one.definition, turn=1, figures={}, copied_from=[one.definition])
            == {}
        )
