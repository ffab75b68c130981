"""The playtest of every shipped scenario: lint findings, and what seven sorts of learners come to."""

from __future__ import annotations

from coach.compose import Whetstone
from coach.drill.lint import lint
from coach.drill.playtest import playtest
from evals import Report

_ILL_WILL = ("silent", "abusive", "rubric-pasting", "off-topic")
MOST_FOR_NOTHING = 25
"""Per cent of the points that a learner of no good will may come to."""


def run(coach: Whetstone) -> Report:
    """One row a scenario; fails on lint errors, on ill will that wins or scores, on a good learner who does not win."""
    rows = []
    failures = []
    c = coach.catalogue
    for scenario in c.scenarios.values():
        book = c.playbook(scenario.id, seed=1)
        found = lint(scenario, c.personas[scenario.persona], c.rubrics[scenario.rubric], dict(c.checks))
        failures += [f"{scenario.id} {f.where}: {f.message}" for f in found if f.severity == "error"]
        row: dict[str, object] = {"scenario": scenario.id, "warnings": sum(f.severity == "warning" for f in found)}
        for played in playtest(book, c.learners.get(scenario.id), coach.judges, coach.score):
            outcome = played.drill.outcome
            kind = outcome.kind if outcome else "unfinished"
            row[played.learner] = f"{kind} {played.card.percent}%"
            if played.learner in _ILL_WILL and (kind == "won" or played.card.percent > MOST_FOR_NOTHING):
                failures.append(f"{scenario.id}: a {played.learner} learner came to {row[played.learner]}")
            if (played.learner == "good") != (kind == "won") and played.learner in ("good", "middling", "bad"):
                failures.append(f"{scenario.id}: the {played.learner} learner came to {kind}")
        rows.append(row)
    return Report("playtest", "seven learners a scenario, usual persona, level 3, seed 1", rows, failures=failures)
