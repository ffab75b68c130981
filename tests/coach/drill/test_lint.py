"""The linter: every error made on purpose from a shipped scenario that has none."""

from __future__ import annotations

from typing import Any

import pytest

from coach.catalogue import Catalogue
from coach.drill.figures import Draw, Formula
from coach.drill.lint import Finding, lint, to_win
from coach.drill.scenario import Scenario
from coach.scoring.check import Check, Examples

Raw = dict[str, Any]


class Bench:
    """The bakery as authored, to be broken one way at a time."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.scenario = catalogue.scenarios["sales-bakery-price"]
        self.persona = catalogue.personas[self.scenario.persona]
        self.rubric = catalogue.rubrics[self.scenario.rubric]
        self.checks = dict(catalogue.checks)

    def raw(self) -> Raw:
        return self.scenario.model_dump()

    def findings(self, raw: Raw) -> list[Finding]:
        return lint(Scenario.model_validate(raw), self.persona, self.rubric, self.checks)

    def errors(self, raw: Raw) -> list[tuple[str, str]]:
        return [(f.where, f.message) for f in self.findings(raw) if f.severity == "error"]


@pytest.fixture(scope="module")
def bench(catalogue: Catalogue) -> Bench:
    return Bench(catalogue)


def named(items: list[Raw], item_id: str) -> Raw:
    return next(i for i in items if i["id"] == item_id)


def test_the_bakery_itself_has_no_errors(bench: Bench) -> None:
    assert bench.errors(bench.raw()) == []


def test_no_shipped_scenario_has_errors(catalogue: Catalogue) -> None:
    wrong = [
        (scenario.id, finding)
        for scenario in catalogue.scenarios.values()
        for finding in lint(
            scenario, catalogue.personas[scenario.persona], catalogue.rubrics[scenario.rubric], dict(catalogue.checks)
        )
        if finding.severity == "error"
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("when", "says"),
    [
        ({"turn_min": 15}, "out of reach"),
        ({"trust_min": 60, "trust_max": 40}, "trust_min is above trust_max"),
        ({"trust_min": 120}, "out of reach"),
    ],
)
def test_an_ending_that_can_never_hold(bench: Bench, when: Raw, says: str) -> None:
    raw = bench.raw()
    named(raw["endings"], "left-open")["when"] |= when
    assert [w for w, m in bench.errors(raw) if says in m] == ["endings.left-open.when"]


def test_the_last_turn_can_be_reached(bench: Bench) -> None:
    raw = bench.raw()
    named(raw["endings"], "left-open")["when"] |= {"turn_min": 14}
    assert bench.errors(raw) == []


def test_an_ending_in_the_shadow_of_an_earlier_one(bench: Bench) -> None:
    raw = bench.raw()
    ending = named(raw["endings"], "turned-away")
    later = {**ending, "id": "gone-for-good", "when": {**ending["when"], "trust_max": 5, "turn_min": 10}}
    later["lines"] = ["我去别家了，再会。"]
    raw["endings"].insert(2, later)
    assert bench.errors(raw) == [("endings.gone-for-good", "never reached: turned-away is always taken before it")]
    # The other way round each has turns of its own.
    raw["endings"][1], raw["endings"][2] = raw["endings"][2], raw["endings"][1]
    assert bench.errors(raw) == []


def test_a_fact_only_bad_behaviour_brings_out(bench: Bench) -> None:
    raw = bench.raw()
    named(raw["facts"], "budget")["when"]["does"] = ["discounts-first"]
    assert ("facts.budget", "only bad behaviour brings it out") in bench.errors(raw)


def test_a_fact_nobody_has_to_earn(bench: Bench) -> None:
    raw = bench.raw()
    named(raw["facts"], "budget")["when"] = {"trust_min": 45}
    assert bench.errors(raw) == [("facts.budget", "nothing has to be done to earn it")]


def test_an_objection_nothing_settles(bench: Bench) -> None:
    raw = bench.raw()
    named(raw["objections"], "rollout-risk")["settled"] = {}
    assert ("objections.rollout-risk", "nothing settles it: it settles itself") in bench.errors(raw)
    named(raw["objections"], "rollout-risk")["settled"] = {"any": ["false-urgency"]}
    assert ("objections.rollout-risk", "only bad behaviour settles it") in bench.errors(raw)


def test_facts_that_wait_for_each_other(bench: Bench) -> None:
    raw = bench.raw()
    named(raw["facts"], "budget")["when"]["facts"] = ["deadline"]
    assert bench.errors(raw) == []
    named(raw["facts"], "deadline")["when"]["facts"] = ["budget"]
    assert {w for w, m in bench.errors(raw) if "which waits for it" in m} == {"budget", "deadline"}


def test_a_doubt_and_a_fact_that_wait_for_each_other(bench: Bench) -> None:
    raw = bench.raw()
    named(raw["facts"], "waste")["when"]["settled"] = ["too-expensive"]
    assert {w for w, m in bench.errors(raw) if "which waits for it" in m} == {"waste", "too-expensive"}


@pytest.mark.parametrize(
    ("kind", "item", "field", "where"),
    [
        ("facts", "decision-maker", "lines", "facts.decision-maker.lines"),
        ("objections", "lock-in", "raise_lines", "objections.lock-in.raise_lines"),
        ("objections", "lock-in", "press", "objections.lock-in.press"),
        ("endings", "think-it-over", "lines", "endings.think-it-over.lines"),
    ],
)
def test_a_line_without_what_it_is_for(bench: Bench, kind: str, item: str, field: str, where: str) -> None:
    raw = bench.raw()
    named(raw[kind], item)[field][0] = "嗯，今天天气不错。"
    errors = bench.errors(raw)
    assert [w for w, _ in errors] == [where]
    assert "今天天气不错" in errors[0][1]


def test_a_fact_must_carry_every_key_and_not_just_one(bench: Bench) -> None:
    raw = bench.raw()
    named(raw["facts"], "decision-maker")["lines"][0] = "最后是陈总拍板。"
    assert [w for w, _ in bench.errors(raw)] == ["facts.decision-maker.lines"]


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda raw: raw["opening"].append("陈总让我来问问，四万七千多能不能便宜？"), "opening"),
        (lambda raw: raw.update(stance=raw["stance"] + "拍板的是陈总。"), "stance"),
        (lambda raw: raw.update(briefing=raw["briefing"] + "拍板的是陈总。"), "briefing"),
        (lambda raw: raw.update(summary="陈总拍板的一单。"), "summary"),
        (lambda raw: raw["fact_sheet"].append({"title": "人", "text": "陈总拍板。"}), "fact_sheet.人"),
        (lambda raw: named(raw["objections"], "lock-in")["press"].append("退不了陈总会骂。"), "objections.lock-in"),
        (lambda raw: named(raw["facts"], "waste")["again"].append("三万，陈总也知道。"), "facts.waste"),
    ],
)
def test_a_secret_given_away(bench: Bench, change: Any, where: str) -> None:
    raw = bench.raw()
    change(raw)
    errors = bench.errors(raw)
    assert [w for w, _ in errors] == [where]
    assert "gives decision-maker away (陈总)" in errors[0][1]


def test_a_doubt_that_comes_after_the_fact_may_speak_of_it(bench: Bench) -> None:
    raw = bench.raw()
    doubt = named(raw["objections"], "lock-in")
    doubt["press"].append("退不了陈总会骂。")
    doubt["raised"]["facts"] = ["decision-maker"]
    assert bench.errors(raw) == []


def test_a_line_that_stands_there_twice(bench: Bench) -> None:
    raw = bench.raw()
    named(raw["endings"], "think-it-over")["lines"].append(named(raw["endings"], "left-open")["lines"][0])
    assert [w for w, m in bench.errors(raw) if "more than once" in m] == ["lines"]


def test_winnable_with_too_few(bench: Bench) -> None:
    raw = bench.raw()
    named(raw["objections"], "too-expensive")["settled"] = {"all": ["quantifies-return"]}
    named(raw["objections"], "rollout-risk")["settled"] = {"any": ["offers-trial"]}
    named(raw["endings"], "trial-agreed")["when"] |= {"facts": []}
    errors = [(w, m) for w, m in bench.errors(raw) if "can be won with" in m]
    assert [w for w, _ in errors] == ["endings.trial-agreed"]
    assert "3 behaviours: offers-trial, proposes-next-step, quantifies-return;" in errors[0][1]
    named(raw["endings"], "trial-agreed")["when"] |= {"facts": ["waste"]}
    assert bench.errors(raw) == []  # the question that brings it out makes four


def test_what_winning_takes_by_hand(bench: Bench) -> None:
    """Price: value, return and the waste, which takes a question; the doubt about rollout; the next step."""
    scenario = bench.scenario
    rollout = next(o for o in scenario.objections if o.id == "rollout-risk")
    plain = rollout.model_copy(update={"settled": rollout.settled.model_copy(update={"any": ["explains-rollout"]})})
    won = next(e for e in scenario.endings if e.kind == "won")
    assert won.when is not None
    won = won.model_copy(update={"when": won.when.model_copy(update={"does": ["proposes-next-step"]})})
    doubts = [plain if o.id == "rollout-risk" else o for o in scenario.objections]
    assert to_win(scenario.model_copy(update={"objections": doubts}), won) == {
        "links-value-to-need",
        "quantifies-return",
        "asks-problem-impact",
        "explains-rollout",
        "proposes-next-step",
    }


def test_one_behaviour_that_serves_two_conditions_counts_once(bench: Bench) -> None:
    """A trial settles the doubt about rollout and is a next step too; the rollout need not be explained."""
    won = next(e for e in bench.scenario.endings if e.kind == "won")
    assert len(to_win(bench.scenario, won)) == 5


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda raw: named(raw["facts"], "waste")["when"].update(does=["asks-nothing-known"]), "facts.waste.when"),
        (
            lambda raw: named(raw["objections"], "lock-in")["settled"].update(any=["no-such-check"]),
            "objections.lock-in.settled",
        ),
        (lambda raw: named(raw["endings"], "left-open")["when"].update(slips=["no-such"]), "endings.left-open.when"),
        (lambda raw: raw["reactions"].append({"check": "no-such-check"}), "reactions.no-such-check"),
        (lambda raw: raw["overrides"].update({"no-such-check": "好。"}), "overrides.no-such-check"),
    ],
)
def test_a_check_there_is_not(bench: Bench, change: Any, where: str) -> None:
    raw = bench.raw()
    change(raw)
    assert where in [w for w, m in bench.errors(raw) if "no check" in m]


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda raw: raw.update(briefing="<<nobody>>来了。"), "briefing"),
        (lambda raw: raw["opening"].append("一共<<fee:万>>元"), "opening.3"),
        (lambda raw: named(raw["facts"], "waste")["lines"].append("<<fee>>三万"), "facts.waste.lines.2"),
        (lambda raw: named(raw["terms"], "setup-fee").update(truth="<<fee>>元"), "terms.setup-fee.truth"),
    ],
)
def test_a_place_nothing_fills(bench: Bench, change: Any, where: str) -> None:
    raw = bench.raw()
    change(raw)
    assert [w for w, m in bench.errors(raw) if "nothing is called" in m] == [where]


def test_a_waived_check_that_a_condition_speaks_of(bench: Bench) -> None:
    raw = bench.raw()
    raw["waives"] = ["asks-timeline"]
    assert bench.errors(raw) == [("waives.asks-timeline", "a condition speaks of this check: it cannot be waived")]


def test_a_waived_check_the_rubric_does_not_count(bench: Bench) -> None:
    raw = bench.raw()
    raw["waives"] = ["asks-order-number"]
    assert bench.errors(raw) == [("waives.asks-order-number", "the rubric does not count this check")]


class TestMistakes:
    """A check on what the system costs in a month, with the yearly price as the usual mistake."""

    @staticmethod
    def with_number(bench: Bench, figures: dict[str, Any]) -> list[tuple[str, str]]:
        number = {
            "figure": "right",
            "near": "一共",
            "unit": "yuan",
            "tolerance": 0.01,
            "mistakes": [{"figure": "wrong", "say": "这是一年的数。"}],
        }
        check = Check.model_validate(
            {
                "id": "states-cost-right",
                "skill": "pricing",
                "family": "number",
                "title": "报对数",
                "title_en": "States the cost right",
                "definition": "报出的数与事实单一致。",
                "number": number,
                "say": "一共三千九百八十元。",
            }
        )
        raw = bench.raw()
        raw["figures"] |= figures
        raw["reactions"].append({"check": "states-cost-right", "trust": 2})
        found = lint(
            Scenario.model_validate(raw), bench.persona, bench.rubric, {**bench.checks, "states-cost-right": check}
        )
        return [(f.where, f.message) for f in found if f.severity == "error"]

    def test_apart_from_the_right_value(self, bench: Bench) -> None:
        assert self.with_number(bench, {"right": 3980.0, "wrong": 47_760.0}) == []

    def test_equal_to_the_right_value(self, bench: Bench) -> None:
        errors = self.with_number(bench, {"right": 3980.0, "wrong": 4000.0})  # within 1 %: 39.8
        assert errors == [("figures.wrong", "for some seed it equals right")]

    def test_for_some_seed_only(self, bench: Bench) -> None:
        drawn = Draw(low=1, high=4, step=1)
        errors = self.with_number(bench, {"right": drawn, "wrong": 3.0})
        assert errors == [("figures.wrong", "for some seed it equals right")]
        twice = Formula(formula="product", of=["right", 2])
        assert self.with_number(bench, {"right": drawn, "wrong": twice}) == []


def test_nobody_can_do_well_or_walk_away(bench: Bench) -> None:
    raw = bench.raw()
    named(raw["endings"], "trial-agreed")["kind"] = "deferred"
    assert ("endings", "nobody can do well: no ending is won") in bench.errors(raw)
    raw = bench.raw()
    for ending in ("hung-up", "turned-away"):
        named(raw["endings"], ending)["kind"] = "deferred"
    assert ("endings", "the customer can never walk away") in bench.errors(raw)


def test_a_persona_who_runs_out_of_waiting_lines(bench: Bench) -> None:
    few = bench.persona.model_copy(update={"wait": {"neutral": ["嗯。"] * 13}})
    found = lint(bench.scenario, few, bench.rubric, bench.checks)
    assert [f.where for f in found if f.severity == "error"] == ["persona"]


def test_a_check_with_too_few_examples(bench: Bench) -> None:
    check = bench.checks["asks-timeline"]
    assert check.examples is not None
    few = check.model_copy(update={"examples": Examples(met=check.examples.met[:5], near=check.examples.near)})
    found = lint(bench.scenario, bench.persona, bench.rubric, bench.checks | {"asks-timeline": few})
    assert [f.where for f in found if f.severity == "error"] == ["checks.asks-timeline"]


def test_warnings_do_not_keep_it_from_being_published_and_come_last(bench: Bench) -> None:
    raw = bench.raw()
    raw["terms"] = []
    named(raw["facts"], "waste")["lines"] = ["一个月三万。"]
    raw["waives"] = ["asks-timeline"]
    found = bench.findings(raw)
    assert [f.severity for f in found] == sorted((f.severity for f in found), key="error warning".index)
    del raw["waives"]
    assert bench.errors(raw) == []
    assert {"terms", "facts.waste.lines"} <= {f.where for f in bench.findings(raw)}
