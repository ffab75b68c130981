"""Understanding: whether the judges meet what shows a check and pass over what only looks like it.

Two sets, both author-labelled. The checks' own examples: patterns were written with them in sight, and they teach the
semantic judge, so each is left out of what it is taught while it is judged. `data/utterances.jsonl`: sentences written
by somebody else before seeing the patterns ({"check", "text", "met", "batch"}); patterns were mended on them since, so
they are held out for the semantic judge only.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from coach.compose import Whetstone
from coach.scoring.check import Check, Examples
from coach.scoring.judges import Judge, SemanticJudge
from coach.scoring.verdict import judge_turn
from evals import Report

UTTERANCES = Path(__file__).parent / "data" / "utterances.jsonl"
BAR = 0.9


def run(coach: Whetstone) -> Report:
    """Precision and recall over all checks with examples, by judge and combined."""
    panels: dict[str, list[Judge]] = {
        "pattern": [j for j in coach.judges if j.name == "pattern"],
        "semantic (left out)": [j for j in coach.judges if j.name == "semantic"],
        "combined": list(coach.judges),
    }
    checks = {i: c for i, c in coach.catalogue.checks.items() if c.examples and c.number is None}
    own = [(c, s, met) for c in checks.values() if c.examples for met, s in _labelled(c.examples)]
    said = [json.loads(line) for line in UTTERANCES.read_text(encoding="utf-8").splitlines()]
    others = [(checks[u["check"]], u["text"], u["met"]) for u in said if u["check"] in checks]
    rows = []
    failures = []
    for data, labelled in (("own examples", own), ("utterances", others)):
        for name, judges in panels.items():
            told = [(_meets(judges, check, sentence), met) for check, sentence, met in labelled]
            hits = sum(found and met for found, met in told)
            measures = {
                "precision": hits / max(1, sum(found for found, _ in told)),
                "recall": hits / max(1, sum(met for _, met in told)),
            }
            rows.append({"data": data, "judges": name, "sentences": len(told), **measures})
            if name == "combined":
                failures += [f"{data}: {k} {v:.3f} is below {BAR}" for k, v in measures.items() if v < BAR]
    return Report("understanding", "author-labelled; not held out for the patterns", rows, failures=failures)


def _labelled(examples: Examples) -> list[tuple[bool, str]]:
    return [*((True, s) for s in examples.met), *((False, s) for s in examples.near)]


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
