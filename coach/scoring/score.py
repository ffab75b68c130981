"""Scoring a transcript: every judge reads it, code adds it up, and the library is asked for what would have helped."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from typing import Protocol

from coach.scoring import meaning
from coach.scoring.check import Check, words_of
from coach.scoring.judges import Figures, Judge, SemanticJudge
from coach.scoring.model_judge import ModelJudge, second_opinion
from coach.scoring.rubric import Rubric
from coach.scoring.scorecard import Reading, Scorecard, add_up
from coach.scoring.verdict import Verdict, judge_turn, over_transcript

MOST_READINGS_FOR = 4
"""How many of the costliest missed checks readings are looked up for."""


class Found(Protocol):
    """What a search finds, as far as readings need it."""

    @property
    def id(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def kind(self) -> str: ...


Search = Callable[[str], Sequence[Found]]
"""The library's best passages for a query, best first."""


def score(
    rubric: Rubric,
    checks: Mapping[str, Check],
    said: Sequence[tuple[str, str]],
    *,
    judges: Sequence[Judge],
    rubric_hash: str,
    figures: Figures | None = None,
    verdicts: Sequence[Mapping[str, Verdict]] | None = None,
    model_judge: ModelJudge | None = None,
    search: Search | None = None,
    say: Mapping[str, str] | None = None,
    pins: Mapping[str, str] | None = None,
) -> Scorecard:
    """The scorecard of a conversation.

    Args:
        checks: at least those of the rubric. said: (speaker, text), speaker "learner" or "customer", in order.
        pins: further content hashes to put on the scorecard.
        figures: of the scenario; without them, checks on numbers are not scored.
        verdicts: one mapping a learner turn where they were judged already, as in a drill; judged here else.
        search: finds cases and lessons for what was missed; none are linked without it.
    """
    used = [checks[i] for i in rubric.check_ids()]
    by_turn = [dict(v) for v in verdicts] if verdicts is not None else judge(used, said, judges, figures or {})
    merged = over_transcript(by_turn, used)
    names = [j.name for j in judges]
    pinned = {"rubric": rubric_hash, "whetstone": version("whetstone"), **(pins or {})}
    if any(isinstance(j, SemanticJudge) for j in judges):
        pinned["embedder"] = meaning.fingerprint()
    if model_judge is not None and by_turn:
        opinions, failed = model_judge.read([c for c in used if c.id in merged], said)
        merged = second_opinion(merged, opinions)
        names.append(f"{model_judge.name} ({failed})" if failed else model_judge.name)
        pinned |= model_judge.pins
    card = add_up(rubric, checks, merged, judges=names, pinned=pinned, say=say)
    if search is not None:
        card = card.model_copy(update={"readings": readings(rubric, checks, card, search)})
    return card


def judge(
    checks: Sequence[Check], said: Sequence[tuple[str, str]], judges: Sequence[Judge], figures: Figures
) -> list[dict[str, Verdict]]:
    """Verdicts turn by turn. Repeating the rubric's words or the customer's earlier ones is no evidence."""
    words = words_of(checks)
    heard: list[str] = []
    turns: list[dict[str, Verdict]] = []
    for speaker, text in said:
        if speaker == "learner":
            turns.append(
                judge_turn(judges, checks, text, turn=len(turns) + 1, figures=figures, copied_from=[*words, *heard])
            )
        else:
            heard.append(text)
    return turns


def readings(rubric: Rubric, checks: Mapping[str, Check], card: Scorecard, search: Search) -> list[Reading]:
    """The best case and the best lesson for each of the costliest missed checks, each item once."""
    cost = {
        c.check: criterion.points * c.weight / sum(w.weight for w in criterion.checks)
        for criterion in rubric.criteria
        for c in criterion.checks
    }
    missed = sorted((m.check for m in card.missed), key=lambda i: -cost.get(i, 0))
    missed = [*(b.check for b in card.blockers), *(d.check for d in card.deductions), *missed]
    found: dict[str, Reading] = {}
    for check in missed[:MOST_READINGS_FOR]:
        hits = search(f"{checks[check].title}。{checks[check].definition}")
        for kind in ("lesson", "case"):
            best = next((h for h in hits if h.kind == kind), None)
            if best is not None and best.id not in found:
                found[best.id] = Reading(id=best.id, title=best.title, kind=kind, because=check)
    return list(found.values())
