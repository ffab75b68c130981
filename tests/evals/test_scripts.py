"""The learners of every scenario: each verdict as its author judged it by reading, and the qualities clearly apart."""

from __future__ import annotations

import dataclasses

import pytest

from coach.catalogue import load
from coach.compose import Whetstone
from evals.scripts import CLEAR_GAP, QUALITIES, Quality, differences, play_script


@pytest.mark.parametrize("scenario_id", sorted(load().learners))
def test_a_scenarios_three_learners(coach: Whetstone, scenario_id: str) -> None:
    percents = []
    for quality in QUALITIES:
        drill, card = play_script(coach, scenario_id, quality)
        assert differences(drill, card, coach.catalogue.learners[scenario_id].of(quality)) == [], quality
        percents.append(card.percent)
        learner = [e.learner for e in drill.exchanges]
        for criterion in card.criteria:
            for verdict in criterion.verdicts:
                assert not verdict.met or verdict.quote in learner[verdict.turn - 1]
    good, middling, bad = percents
    assert good - middling >= CLEAR_GAP
    assert middling - bad >= CLEAR_GAP


@pytest.mark.parametrize("quality", QUALITIES)
def test_the_score_does_not_hang_on_the_seed(coach: Whetstone, quality: Quality) -> None:
    cards = [play_script(coach, "sales-bakery-price", quality, seed)[1].percent for seed in (2, 3, 4)]
    assert len(set(cards)) == 1


def test_the_report_fails_where_a_script_falls_short(coach: Whetstone, monkeypatch: pytest.MonkeyPatch) -> None:
    from evals import scripts

    one = coach.catalogue.learners["sales-bakery-price"]
    wrong = one.model_copy(update={"good": one.good.model_copy(update={"ending": "another"})})
    catalogue = dataclasses.replace(coach.catalogue, learners={one.id: wrong})
    monkeypatch.setattr(type(coach), "catalogue", property(lambda self: catalogue))
    report = scripts.run(coach)
    assert report.failures == ["sales-bakery-price good: ended with trial-agreed, not another"]
    assert "not another" in report.as_text()
