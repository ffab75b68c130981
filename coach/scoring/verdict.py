"""Verdicts: what several judges' votes on one check come to, for one turn and for a whole transcript.

No quote, no point: a check is met only with a quote, and the quote is in the learner's own words, verbatim.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel

from coach.scoring import negation
from coach.scoring.check import Check
from coach.scoring.evidence import locate, own_sentences
from coach.scoring.judges import Figures, Judge, Vote

CROWDED = "crowded"
ORDER = "order"
"""Notes on checks that were shown but do not count: too much at once in one turn; too late."""
_MOST_QUESTIONS = 2
_MOST_SHOWN = 5
_BY_MEANING = ("semantic", "learned")
SURE = 0.7
"""From this confidence on a vote counts; below it the judge only asks for a second look."""


class Opinion(BaseModel):
    """One judge's part in a verdict, as shown to people."""

    met: bool
    confidence: float
    counts: bool


class Verdict(BaseModel):
    """Whether one check was shown.

    Attributes:
        met: the behaviour was shown (for a check to avoid, that is bad).
        quote: the learner's words that show it, verbatim; for a number got wrong, the words with the wrong number.
        turn: number of the learner's turn the quote is from, from 1; 0 without a quote.
        confidence: probability (0 to 1) that `met` is right, as the deciding judge puts it. Not calibrated.
        note: what was wrong with a number that was stated wrongly; or `CROWDED` or `ORDER`.
        doubtful: judges disagree or none is sure; a person should look.
    """

    check: str
    polarity: Literal["do", "avoid"]
    met: bool
    quote: str = ""
    turn: int = 0
    confidence: float
    note: str = ""
    doubtful: bool = False
    judges: dict[str, Opinion] = {}


def judge_turn(
    judges: Sequence[Judge],
    checks: Sequence[Check],
    text: str,
    *,
    turn: int,
    figures: Figures,
    copied_from: Sequence[str],
) -> dict[str, Verdict]:
    """Verdicts on every check that could be judged, for one learner turn.

    Args:
        copied_from: texts whose repetition is no evidence: the rubric's words and what the customer has said.
    """
    said = negation.without_answered_no(own_sentences(text, copied_from))
    votes: dict[str, list[Vote]] = {}
    for judge in judges:
        for vote in judge.votes(checks, said, figures):
            votes.setdefault(vote.check, []).append(vote)
    verdicts = {c.id: combine(c, votes[c.id], text=text, turn=turn) for c in checks if c.id in votes}
    return _uncrowded(verdicts, checks, text)


def _uncrowded(verdicts: dict[str, Verdict], checks: Sequence[Check], text: str) -> dict[str, Verdict]:
    """Only the first two questions of a turn count, and the first five behaviours in all.

    More questions at once is an interrogation and is not answered; more behaviours at once is a list being recited.
    """
    shown = [c for c in checks if c.polarity == "do" and c.id in verdicts and verdicts[c.id].met]
    shown.sort(key=lambda c: text.find(verdicts[c.id].quote))
    too_many = {c.id for c in [c for c in shown if c.family == "ask"][_MOST_QUESTIONS:]}
    too_many |= {c.id for c in [c for c in shown if c.id not in too_many][_MOST_SHOWN:]}
    return verdicts | {i: verdicts[i].model_copy(update={"met": False, "note": CROWDED}) for i in too_many}


def combine(check: Check, votes: Sequence[Vote], *, text: str, turn: int) -> Verdict:
    """One verdict from the votes on one check in one turn.

    A pattern or a number that is found decides; meaning decides where no pattern spoke up for the check. Meaning alone
    never convicts of a behaviour to avoid: that takes a pattern, or a person.
    """
    opinions = {
        v.judge: Opinion(met=v.met, confidence=round(v.confidence, 2), counts=v.confidence >= SURE) for v in votes
    }
    found = [v for v in votes if v.met and v.confidence >= SURE and locate(v.quote, text)]
    decisive = [v for v in found if check.polarity == "do" or v.judge not in _BY_MEANING]
    decisive.sort(key=lambda v: -v.confidence)
    wrong = next((v for v in votes if v.note), None)
    hesitant = [v for v in votes if v.met and v not in decisive]
    if decisive and wrong is None:
        best = decisive[0]
        return Verdict(
            check=check.id,
            polarity=check.polarity,
            met=True,
            quote=locate(best.quote, text) or "",
            turn=turn,
            confidence=round(best.confidence, 2),
            judges=opinions,
        )
    quote = wrong.quote if wrong else ""
    return Verdict(
        check=check.id,
        polarity=check.polarity,
        met=False,
        quote=quote,
        turn=turn if quote else 0,
        confidence=round(0.5 if hesitant else max(v.confidence for v in votes), 2),
        note=wrong.note if wrong else "",
        doubtful=bool(hesitant) and wrong is None,
        judges=opinions,
    )


def over_transcript(turns: Sequence[dict[str, Verdict]], checks: Sequence[Check]) -> dict[str, Verdict]:
    """One verdict a check from its verdicts turn by turn.

    The first turn that meets a check is the evidence. A number corrected later is met; a wrong one keeps its quote. A
    check that must come before another is not met when the other was shown first.
    """
    merged: dict[str, Verdict] = {}
    for check in checks:
        seen = [t[check.id] for t in turns if check.id in t]
        if not seen:
            continue
        met = [v for v in seen if v.met]
        wrong = [v for v in seen if v.note]
        doubtful = [v for v in seen if v.doubtful]
        merged[check.id] = (met or wrong or doubtful or seen)[0]
    for check in checks:
        verdict = merged.get(check.id)
        other = merged.get(check.before) if check.before else None
        if verdict and verdict.met and other and other.met and other.turn < verdict.turn:
            merged[check.id] = verdict.model_copy(update={"met": False, "note": ORDER})
    return merged
