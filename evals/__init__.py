"""The evaluation harness: suites that measure, each giving one report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from coach.compose import Whetstone


class EvalError(ValueError):
    """A suite cannot be run; says why."""


@dataclass(frozen=True)
class Report:
    """What a suite measured.

    Attributes:
        note: what the data is and who labelled it.
        rows: one table, a mapping a row. failures: what fell short of the bar, in words.
    """

    suite: str
    note: str
    rows: list[dict[str, Any]]
    summary: Mapping[str, Any] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    @property
    def failed(self) -> bool:
        return bool(self.failures)

    def as_json(self) -> dict[str, Any]:
        return {
            "suite": self.suite,
            "note": self.note,
            "summary": dict(self.summary),
            "rows": self.rows,
            "failures": self.failures,
        }

    def as_text(self) -> str:
        lines = [f"{self.suite}: {self.note}"]
        if self.rows:
            names = list(self.rows[0])
            cells = [[_cell(row.get(n, "")) for n in names] for row in self.rows]
            widths = [max(len(n), *(len(c[i]) for c in cells)) for i, n in enumerate(names)]
            lines.append("  ".join(n.ljust(w) for n, w in zip(names, widths, strict=True)))
            lines += ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) for row in cells]
        lines += [f"{k}: {_cell(v)}" for k, v in self.summary.items()]
        lines += [f"FAILED: {f}" for f in self.failures]
        return "\n".join(lines)


def _cell(value: Any) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def run(suite: str, coach: Whetstone, data: Path | None, voice: str = "builtin") -> Report:
    """Run one suite.

    Args:
        voice: who speaks for the customer in the suite of that name.

    Raises:
        EvalError: the suite needs data that is not there.
    """
    from evals import customer, masking, playtest, retrieval, scripts, tagging, understanding

    if suite == "scripts":
        return scripts.run(coach)
    if suite == "customer":
        from coach import terminal

        if voice == "builtin":
            return customer.run(coach)
        with terminal.voice(coach, voice) as chosen:
            return customer.run(coach, chosen, limit=45)  # a small local model takes seconds a turn
    if suite == "playtest":
        return playtest.run(coach)
    if suite == "understanding":
        return understanding.run(coach)
    if suite == "masking":
        return masking.run()
    if suite == "tagging":
        return tagging.run(coach)
    try:
        found = retrieval.run(data, cache=coach.settings.home / "eval", embeddings=coach.embeddings)
    except (OSError, ValueError) as error:
        raise EvalError(f"--data: {error}") from error
    rows = [{"method": name, **measures} for name, measures in found.pop("methods").items()]
    note = f"questions of {data.name}, labelled by its authors" if data else "author-labelled questions on the library"
    return Report("retrieval", note, rows, summary=found)
