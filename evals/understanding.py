"""Understanding: whether the judges meet a check's positive examples and pass over its near misses.

Author-labelled, and the same sentences teach the semantic judge, so each is left out of what it is taught while it is
judged. Patterns were written with these sentences in sight: for them this is no held-out figure.
"""

from __future__ import annotations

from typing import Any

from coach.compose import Whetstone
from coach.scoring.check import Check, Examples
from coach.scoring.judges import Judge, SemanticJudge
from coach.scoring.verdict import judge_turn
from evals import Report

BAR = 0.9


def run(coach: Whetstone) -> Report:
    """Precision and recall over all checks with examples, by judge and combined."""
    panels: dict[str, list[Judge]] = {
        "pattern": [j for j in coach.judges if j.name == "pattern"],
        "semantic (left out)": [j for j in coach.judges if j.name == "semantic"],
        "combined": list(coach.judges),
    }
    checks = [c for c in coach.catalogue.checks.values() if c.examples and c.number is None]
    rows = []
    combined: dict[str, float] = {}
    for name, judges in panels.items():
        hits = wrong = missed = 0
        for check in checks:
            assert check.examples is not None
            for sentence in check.examples.met:
                if _meets(judges, check, sentence):
                    hits += 1
                else:
                    missed += 1
            wrong += sum(_meets(judges, check, s) for s in check.examples.near)
        combined = {
            "precision": hits / (hits + wrong) if hits + wrong else 0.0,
            "recall": hits / (hits + missed) if hits + missed else 0.0,
        }
        rows.append({"judges": name, "checks": len(checks), "positives": hits + missed, **combined})
    failures = [f"combined {k} {v:.3f} is below {BAR}" for k, v in combined.items() if v < BAR]
    return Report("understanding", "the checks' own examples, author-labelled", rows, failures=failures)


def _meets(judges: list[Judge], check: Check, sentence: str) -> bool:
    assert check.examples is not None
    fewer = Examples.model_construct(
        met=[s for s in check.examples.met if s != sentence],
        near=[s for s in check.examples.near if s != sentence],
    )
    used: list[Judge] = [SemanticJudge() if isinstance(j, SemanticJudge) else j for j in judges]
    taught = check.model_copy(update={"examples": fewer})
    verdicts: dict[str, Any] = judge_turn(used, [taught], sentence, turn=1, figures={}, copied_from=[])
    return check.id in verdicts and verdicts[check.id].met
