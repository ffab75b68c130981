"""Learner scripts: a good, a middling and a bad learner for every scenario, with what their drills should come to.

Author-labelled: the people who wrote the scenarios wrote the learners and judged, turn by turn, what each turn shows.
"""

from __future__ import annotations

import functools
from typing import Any

from coach import catalogue
from coach.compose import Whetstone
from coach.drill.casting import fill
from coach.drill.drill import Drill, play
from coach.drill.learners import QUALITIES, Played, Quality
from coach.drill.playbook import Playbook
from coach.scoring.scorecard import Scorecard
from evals import Report

ALIKE = 0.85
"""Share of the checks seen in single turns that judges and authors must have in common, either way."""
CLEAR_GAP = 20
"""Per cent of the points that must lie between one quality and the next."""


@functools.cache
def _shipped() -> catalogue.Catalogue:
    return catalogue.load()


def turns(scenario_id: str, quality: Quality, book: Playbook | None = None) -> list[str]:
    """What a learner says, turn by turn, to the customer of `book`; to the scenario's own when None."""
    shipped = _shipped()
    book = book or shipped.playbook(scenario_id)
    return [fill(t.say, book.persona, book.figures) for t in shipped.learners[scenario_id].of(quality).turns]


def play_script(coach: Whetstone, scenario_id: str, quality: Quality, seed: int = 1) -> tuple[Drill, Scorecard]:
    """A learner played through the scenario with the authored voice, and the scorecard."""
    book = coach.catalogue.playbook(scenario_id, seed=seed)
    drill = play(book, seed, coach.judges, coach.voices["builtin"], turns(scenario_id, quality, book))
    return drill, coach.score(drill)


def differences(drill: Drill, card: Scorecard, want: Played) -> list[str]:
    """In words, where a played learner does not come to what was expected of them."""
    wrong = []
    if drill.ending != want.ending:
        wrong.append(f"ended with {drill.ending}, not {want.ending}")
    if not want.percent[0] <= card.percent <= want.percent[1]:
        wrong.append(f"{card.percent} % is outside {want.percent[0]} to {want.percent[1]} %")
    return wrong


def run(coach: Whetstone) -> Report:
    """Play every learner; it fails where one does not come to what was expected, where the qualities are not clearly
    apart, or where the judges see too much or too little of what the authors saw in each turn."""
    rows: list[dict[str, Any]] = []
    failures = []
    both = seen = there = 0
    for scenario_id, learners in coach.catalogue.learners.items():
        percents = []
        for quality in QUALITIES:
            drill, card = play_script(coach, scenario_id, quality)
            percents.append(card.percent)
            for exchange, turn in zip(drill.exchanges, learners.of(quality).turns, strict=False):
                met = {v.check for v in exchange.verdicts.values() if v.met}
                both, seen, there = both + len(met & set(turn.shows)), seen + len(met), there + len(turn.shows)
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
            failures += [f"{where}: {d}" for d in differences(drill, card, learners.of(quality))]
        if not (percents[0] - percents[1] >= CLEAR_GAP and percents[1] - percents[2] >= CLEAR_GAP):
            failures.append(f"{scenario_id}: {percents} are not clearly apart")
    summary = {"of what judges saw, authors saw too": both / seen, "of what authors saw, judges saw too": both / there}
    failures += [f"{k}: {v:.3f} is below {ALIKE}" for k, v in summary.items() if v < ALIKE]
    note = "three learners a scenario, author-labelled turn by turn"
    return Report("scripts", note, rows, summary=summary, failures=failures)
