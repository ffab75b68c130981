"""Learner scripts: a good, a middling and a bad learner for every scenario, with what their drills should come to.

Author-labelled: the people who wrote the scenarios wrote the scripts and the expectations.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict

from coach.compose import Whetstone
from coach.drill.drill import Drill, play
from coach.scoring.scorecard import Scorecard
from evals import Report

FOLDER = Path(__file__).parent / "scripts"
Quality = Literal["good", "middling", "bad"]
QUALITIES: tuple[Quality, ...] = ("good", "middling", "bad")
CLEAR_GAP = 20
"""Per cent of the points that must lie between one quality and the next."""


class Expected(BaseModel):
    """What a script should come to, judged by reading it.

    Attributes:
        percent: lowest and highest score. met: every check to do that the script shows, and no other.
    """

    model_config = ConfigDict(extra="forbid")

    ending: str | None
    percent: tuple[int, int]
    met: set[str]
    deductions: set[str] = set()
    blockers: set[str] = set()


def turns(scenario_id: str, quality: Quality) -> list[str]:
    """The learner's turns of a script."""
    text = (FOLDER / f"{scenario_id}.{quality}.txt").read_text(encoding="utf-8")
    return [line.strip() for line in text.splitlines() if line.strip()]


def expected(scenario_id: str) -> dict[Quality, Expected]:
    """What the three scripts of a scenario should come to."""
    raw: dict[Quality, Any] = yaml.safe_load((FOLDER / f"{scenario_id}.expected.yaml").read_text(encoding="utf-8"))
    return {quality: Expected.model_validate(raw[quality]) for quality in QUALITIES}


def play_script(coach: Whetstone, scenario_id: str, quality: Quality, seed: int = 1) -> tuple[Drill, Scorecard]:
    """A script played through its scenario with the authored voice, and its scorecard."""
    book = coach.catalogue.playbook(scenario_id)
    drill = play(book, seed, coach.judges, coach.voices["builtin"], turns(scenario_id, quality))
    return drill, coach.score(drill)


def differences(drill: Drill, card: Scorecard, want: Expected) -> list[str]:
    """In words, where a played script is not what it should be."""
    met = {v.check for c in card.criteria for v in c.verdicts if v.met}
    wrong = []
    if drill.ending != want.ending:
        wrong.append(f"ended with {drill.ending}, not {want.ending}")
    if not want.percent[0] <= card.percent <= want.percent[1]:
        wrong.append(f"{card.percent} % is outside {want.percent[0]} to {want.percent[1]} %")
    for name, got, wanted in (
        ("met", met, want.met),
        ("deductions", {d.check for d in card.deductions}, want.deductions),
        ("blockers", {b.check for b in card.blockers}, want.blockers),
    ):
        if got - wanted:
            wrong.append(f"{name}: not expected {', '.join(sorted(got - wanted))}")
        if wanted - got:
            wrong.append(f"{name}: missing {', '.join(sorted(wanted - got))}")
    return wrong


def run(coach: Whetstone) -> Report:
    """Play every script; it fails where one is not what it should be, or the qualities are not clearly apart."""
    rows: list[dict[str, Any]] = []
    failures = []
    for scenario_id in coach.catalogue.scenarios:
        wanted = expected(scenario_id)
        percents = []
        for quality in QUALITIES:
            drill, card = play_script(coach, scenario_id, quality)
            percents.append(card.percent)
            rows.append(
                {
                    "scenario": scenario_id,
                    "learner": quality,
                    "turns": len(drill.exchanges),
                    "ending": drill.ending,
                    "percent": card.percent,
                    "passed": card.passed,
                    "blockers": len(card.blockers),
                    "facts": f"{len(drill.state.revealed)}/{len(drill.playbook.scenario.facts)}",
                }
            )
            where = f"{scenario_id} {quality}"
            failures += [f"{where}: {d}" for d in differences(drill, card, wanted[quality])]
        if not (percents[0] - percents[1] >= CLEAR_GAP and percents[1] - percents[2] >= CLEAR_GAP):
            failures.append(f"{scenario_id}: {percents} are not clearly apart")
    return Report("scripts", "three learner scripts a scenario, author-labelled", rows, failures=failures)
