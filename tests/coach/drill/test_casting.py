"""Casting: personas and levels move wording, mood and bars; the truth of the case never moves."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coach.catalogue import Catalogue, NotInCatalogue
from coach.drill.casting import cast, fill, fits, places, written
from coach.drill.figures import Draw, compute
from coach.drill.persona import Persona
from coach.drill.scenario import Casting, Ending, Fact, Objection, Scenario, When


@pytest.fixture(scope="module")
def written_bakery(catalogue: Catalogue) -> Scenario:
    """As authored: nothing filled in, nothing moved."""
    return catalogue.scenarios["sales-bakery-price"]


@pytest.fixture(scope="module")
def zhou(catalogue: Catalogue) -> Persona:
    """Temper 3, price sensitivity 4, trust 42, patience 62, impatience 11; worries about price, people, commitment."""
    return catalogue.personas["zhou-min"]


def fact(scenario: Scenario, fact_id: str) -> Fact:
    return next(f for f in scenario.facts if f.id == fact_id)


def objection(scenario: Scenario, objection_id: str) -> Objection:
    return next(o for o in scenario.objections if o.id == objection_id)


def ending(scenario: Scenario, ending_id: str) -> Ending:
    return next(e for e in scenario.endings if e.id == ending_id)


class TestFits:
    @pytest.mark.parametrize(
        ("change", "fit"),
        [
            ({}, True),
            ({"age": 30}, True),
            ({"age": 29}, False),
            ({"age": 50}, True),
            ({"age": 51}, False),
            ({"temper": 1}, False),
            ({"temper": 2}, True),
            ({"temper": 4}, True),
            ({"temper": 5}, False),
            ({"talkativeness": 3}, True),
            ({"talkativeness": 4}, False),
            ({"gender": "male"}, False),
            ({"kinds": ["consumer"]}, False),
            ({"kinds": ["consumer", "business"]}, True),
        ],
    )
    def test_every_bound_of_the_cast_counts(
        self, written_bakery: Scenario, zhou: Persona, change: dict[str, object], fit: bool
    ) -> None:
        wanted = Casting(kinds=["business"], age=(30, 50), temper=(2, 4), talkativeness=(1, 3), gender="female")
        scenario = written_bakery.model_copy(update={"cast": wanted})
        assert fits(scenario, zhou.model_copy(update={"id": "somebody-else", **change})) is fit

    def test_its_own_persona_always_fits_and_without_a_cast_nobody_else(
        self, written_bakery: Scenario, zhou: Persona
    ) -> None:
        alone = written_bakery.model_copy(update={"cast": None})
        assert fits(alone, zhou)
        assert not fits(alone, zhou.model_copy(update={"id": "somebody-else"}))
        elsewhere = written_bakery.model_copy(update={"cast": Casting(kinds=["colleague"])})
        assert fits(elsewhere, zhou)

    def test_the_catalogue_casts_only_who_fits(self, catalogue: Catalogue) -> None:
        pool = catalogue.cast("sales-bakery-price")
        assert pool[0] == "zhou-min"
        assert len(set(pool)) == len(pool) > 1
        assert "cao-mancang" not in pool  # a private customer only; the bakery wants somebody in business
        with pytest.raises(NotInCatalogue, match="cao-mancang"):
            catalogue.playbook("sales-bakery-price", persona="cao-mancang")
        assert catalogue.playbook("sales-bakery-price", persona="any", seed=1).persona.id == pool[1]
        assert catalogue.playbook("sales-bakery-price", persona="any", seed=len(pool)).persona.id == pool[0]


class TestLevels:
    @pytest.mark.parametrize(
        ("level", "start"),
        [(1, (50, 76, 7)), (2, (46, 69, 9)), (3, (42, 62, 11)), (4, (38, 55, 13)), (5, (34, 48, 15))],
    )
    def test_a_level_moves_where_the_customer_starts(
        self, written_bakery: Scenario, zhou: Persona, level: int, start: tuple[int, int, int]
    ) -> None:
        somebody = cast(written_bakery, zhou, level=level)[1]
        assert (somebody.trust, somebody.patience, somebody.impatience) == start

    def test_nobody_starts_with_less_than_some_patience_or_waits_for_ever(
        self, written_bakery: Scenario, zhou: Persona
    ) -> None:
        short = zhou.model_copy(update={"patience": 30, "trust": 5})
        somebody = cast(written_bakery, short, level=5)[1]
        assert (somebody.trust, somebody.patience) == (0, 20)
        calm = zhou.model_copy(update={"impatience": 5, "patience": 95, "trust": 99})
        somebody = cast(written_bakery, calm, level=1)[1]
        assert (somebody.trust, somebody.patience, somebody.impatience) == (100, 100, 3)

    @pytest.mark.parametrize(("level", "more"), [(1, -8), (2, -4), (3, 0), (4, 4), (5, 8)])
    def test_a_level_moves_what_trust_is_asked_for(
        self, written_bakery: Scenario, zhou: Persona, level: int, more: int
    ) -> None:
        played = cast(written_bakery, zhou, level=level)[0]
        assert fact(played, "budget").when.trust_min == 45 + more
        won = ending(played, "trial-agreed").when
        assert won is not None
        assert won.trust_min == 62 + more
        # Half as fast for walking away: 2 a level.
        away = ending(played, "turned-away").when
        assert away is not None
        assert away.trust_max == 8 + more // 2
        # Where no bar was written, none appears.
        assert fact(played, "waste").when.trust_min is None
        assert objection(played, "rollout-risk").settled.trust_min is None

    @pytest.mark.parametrize(("sensitivity", "bar"), [(1, 44), (2, 47), (3, 50), (4, 53), (5, 56)])
    def test_price_sensitivity_moves_doubts_about_price_only(
        self, written_bakery: Scenario, zhou: Persona, sensitivity: int, bar: int
    ) -> None:
        doubts = [
            o.model_copy(update={"settled": o.settled.model_copy(update={"trust_min": 50})})
            for o in written_bakery.objections
        ]
        scenario = written_bakery.model_copy(update={"objections": doubts})
        somebody = zhou.model_copy(update={"price_sensitivity": sensitivity})
        played = cast(scenario, somebody)[0]
        assert objection(played, "too-expensive").settled.trust_min == bar
        assert objection(played, "rollout-risk").settled.trust_min == 50
        harder = cast(scenario, somebody, level=5)[0]
        assert objection(harder, "too-expensive").settled.trust_min == bar + 8

    @pytest.mark.parametrize(
        ("temper", "dismissed"), [(1, (-8, -9)), (2, (-9, -11)), (3, (-10, -12)), (4, (-11, -13)), (5, (-12, -15))]
    )
    def test_temper_deepens_what_offends_and_nothing_else(
        self, written_bakery: Scenario, zhou: Persona, temper: int, dismissed: tuple[int, int]
    ) -> None:
        """12 % a step: -10 and -12 become -7.6 and -9.12 for the mildest, -12.4 and -14.88 for the hottest."""
        played = cast(written_bakery, zhou.model_copy(update={"temper": temper}))[0]
        moved = {r.check: (r.trust, r.patience) for r in played.reactions}
        assert moved["dismisses-concern"] == dismissed
        assert moved["summarises-needs"] == (8, 8)

    @pytest.mark.parametrize("level", [0, 6, -1])
    def test_there_is_no_such_level(self, written_bakery: Scenario, zhou: Persona, level: int) -> None:
        with pytest.raises(ValueError, match="level"):
            cast(written_bakery, zhou, level=level)


class TestOptionalDoubts:
    @pytest.mark.parametrize(
        ("level", "worried", "comes_up"),
        [
            (1, True, False),
            (2, True, True),
            (3, True, True),
            (4, True, True),
            (1, False, False),
            (2, False, False),
            (3, False, False),
            (4, False, True),
            (5, False, True),
        ],
    )
    def test_by_worry_and_level(
        self, written_bakery: Scenario, zhou: Persona, level: int, worried: bool, comes_up: bool
    ) -> None:
        somebody = zhou.model_copy(update={"worries": ["commitment"] if worried else ["face"]})
        ids = [o.id for o in cast(written_bakery, somebody, level=level)[0].objections]
        assert ids == ["too-expensive", "rollout-risk", *(["lock-in"] if comes_up else [])]

    def test_a_condition_on_a_doubt_that_does_not_come_up_holds_without_it(
        self, written_bakery: Scenario, zhou: Persona
    ) -> None:
        waits = When(does=["asks-timeline"], settled=["lock-in", "too-expensive"])
        facts = [f.model_copy(update={"when": waits}) if f.id == "deadline" else f for f in written_bakery.facts]
        scenario = written_bakery.model_copy(update={"facts": facts})
        assert fact(cast(scenario, zhou, level=3)[0], "deadline").when.settled == ["lock-in", "too-expensive"]
        assert fact(cast(scenario, zhou, level=1)[0], "deadline").when.settled == ["too-expensive"]


FIGURES = {"price": 12000.0, "rate": 4.26, "whole": 30.0, "big": 1_250_000.0, "thirds": 1234.5}


class TestPlaces:
    @pytest.mark.parametrize(
        ("text", "filled"),
        [
            ("<<name>>到了，<<ta>>说", "周敏到了，她说"),
            ("<<surname>><<sir>>您好", "周女士您好"),
            ("一共<<price>>元", "一共12,000元"),
            ("一共<<price:万>>元", "一共1.2万元"),
            ("一共<<big:万>>", "一共125万"),
            ("占<<rate:%>>", "占4.26%"),
            ("占<<rate:1>>%", "占4.3%"),
            ("占<<whole:1>>%", "占30.0%"),
            ("约<<rate:0>>", "约4"),
            ("<<thirds>>和<<thirds:0>>", "1,234.5和1,234"),
            ("<<price>>除以<<whole>>", "12,000除以30"),
            ("没有可填的 <b> << >>", "没有可填的 <b> << >>"),
        ],
    )
    def test_filled_by_hand(self, zhou: Persona, text: str, filled: str) -> None:
        assert fill(text, zhou, FIGURES) == filled

    def test_a_man_and_a_name_of_two_characters(self, zhou: Persona) -> None:
        man = zhou.model_copy(update={"name": "欧阳海", "gender": "male"})
        assert fill("<<surname>><<sir>>，<<ta>>", man, {}) == "欧阳先生，他"

    @pytest.mark.parametrize("value", [0.0, 0.5, 7.0, 100.0, 1000.0, 12_345.67])
    def test_a_written_figure_reads_back(self, value: float) -> None:
        assert float(written(value).replace(",", "")) == value

    def test_in_a_pattern_every_way_of_writing_it_counts(self, written_bakery: Scenario, zhou: Persona) -> None:
        keyed = written_bakery.facts[0].model_copy(update={"keys": ["<<fee>>元"], "secrets": ["<<fee:万>>"]})
        scenario = written_bakery.model_copy(
            update={"facts": [keyed, *written_bakery.facts[1:]], "figures": {**written_bakery.figures, "fee": 12000.0}}
        )
        played = cast(scenario, zhou)[0].facts[0]
        for said in ("12,000元", "12000元", "1.2万元"):
            assert re.search(played.keys[0], said), said
        for said in ("13,000元", "1200元", "1x2万元", "12万元"):
            assert not re.search(played.keys[0], said), said
        assert re.search(played.secrets[0], "要1.2万")
        assert re.search(played.secrets[0], "要12,000")

    def test_in_a_pattern_a_small_figure_is_not_found_in_a_large_one(
        self, written_bakery: Scenario, zhou: Persona
    ) -> None:
        keyed = written_bakery.facts[0].model_copy(update={"keys": ["<<stores>>"]})
        played = cast(written_bakery.model_copy(update={"facts": [keyed, *written_bakery.facts[1:]]}), zhou)[0]
        assert re.search(played.facts[0].keys[0], "12家店")
        assert not re.search(played.facts[0].keys[0], "要30万元")

    @pytest.mark.parametrize(
        "change",
        [
            {"briefing": "<<nobody>>"},
            {"opening": ["一共<<stores:0>>家", "一共<<shops>>家"]},
            {"fact_sheet": [{"title": "报价", "text": "<<prise>>元"}]},
        ],
    )
    def test_a_place_nothing_fills_is_refused(
        self, written_bakery: Scenario, zhou: Persona, change: dict[str, object]
    ) -> None:
        scenario = Scenario.model_validate(written_bakery.model_dump() | change)
        with pytest.raises(ValueError, match="there is no figure of that name"):
            cast(scenario, zhou)

    def test_places_are_named_without_their_form(self) -> None:
        assert places("<<name>>的<<fee:万>>，<<rate:1>>，<<fee>>") == {"name", "fee", "rate"}


@settings(max_examples=60)
@given(data=st.data())
def test_the_truth_is_the_same_for_everybody(catalogue: Catalogue, data: st.DataObject) -> None:
    """Whoever plays it and however hard: facts, figures, fact sheet, terms and musts are those of the seed."""
    scenario_id = data.draw(st.sampled_from(sorted(catalogue.scenarios)))
    scenario = catalogue.scenarios[scenario_id]
    persona = catalogue.personas[data.draw(st.sampled_from(catalogue.cast(scenario_id)))]
    level, seed = data.draw(st.integers(1, 5)), data.draw(st.integers(0, 2**31 - 1))
    usual = cast(scenario, catalogue.personas[scenario.persona], seed=seed)[0]
    played = cast(scenario, persona, level=level, seed=seed)[0]
    assert played.figures == compute(scenario.figures, seed)
    assert [f.id for f in played.facts] == [f.id for f in scenario.facts]
    assert played.fact_sheet == usual.fact_sheet
    assert played.terms == usual.terms
    assert [e.id for e in played.endings] == [e.id for e in scenario.endings]
    assert {o.id for o in scenario.objections if o.must} <= {o.id for o in played.objections}
    for mine, theirs in zip(played.facts, usual.facts, strict=True):
        assert mine.keys == theirs.keys
        assert (mine.when.does, mine.when.all, mine.when.facts) == (
            theirs.when.does,
            theirs.when.all,
            theirs.when.facts,
        )
    assert "<<" not in played.model_dump_json()


def test_only_the_seed_draws_figures(catalogue: Catalogue) -> None:
    drawing = next(s for s in catalogue.scenarios.values() if any(isinstance(f, Draw) for f in s.figures.values()))
    told = [catalogue.playbook(drawing.id, seed=seed).figures for seed in range(5)]
    assert len({tuple(sorted(f.items())) for f in told}) > 1
    for persona in catalogue.cast(drawing.id):
        assert catalogue.playbook(drawing.id, persona=persona, level=5, seed=3).figures == told[3]
