"""The scorecard: points, pass and blockers worked out by code from verdicts, each with its verbatim quote."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import BaseModel

from coach.scoring.check import Check
from coach.scoring.rubric import Rubric, criterion_points
from coach.scoring.verdict import Verdict


class Missed(BaseModel):
    """A check that was not shown, and what would have helped."""

    check: str
    title: str
    say: str


class Blocked(BaseModel):
    """A behaviour that fails the drill whatever the points."""

    check: str
    title: str
    quote: str
    turn: int


class Deducted(BaseModel):
    check: str
    title: str
    points: float
    quote: str
    turn: int


class CriterionScore(BaseModel):
    """Points of one criterion; `max` leaves out checks that could not be judged here."""

    id: str
    title: str
    points: float
    max: float
    verdicts: list[Verdict]


class Reading(BaseModel):
    """A case or lesson that would have helped, found by search for what was missed."""

    id: str
    title: str
    kind: str
    because: str


class Point(BaseModel):
    """One thing to keep, start or stop.

    Attributes:
        quote: the learner's words it is about, verbatim; empty for what was never said.
        say: how it could be said; empty for what was said well.
    """

    check: str
    title: str
    quote: str = ""
    turn: int = 0
    say: str = ""


class Weakest(BaseModel):
    """The turn that cost most, and what could have been said in its place.

    Attributes:
        change: how trust and patience moved together. because: title of what was shown that should not be, or of what
            was due and not done.
    """

    turn: int
    quote: str
    change: int
    because: str
    better: str


class Feedback(BaseModel):
    keep: list[Point]
    start: list[Point]
    stop: list[Point]
    weakest: Weakest | None = None


class Scorecard(BaseModel):
    """What a drill came to.

    Attributes:
        points, max_points: points after deductions, and points that could be earned; one decimal.
        percent: 100 * points / max_points, rounded to a whole number.
        not_scored: checks no judge could judge (no figures to compare with, for instance).
        needs_review, review: whether a person should look, and at which checks; the score stands until they do.
        feedback: what to keep, start and stop. hints: how many were asked for; they cost nothing and judges do not
            know of them.
        pinned: content hashes of the rubric, prompts, embedder and model behind this score.
    """

    rubric: str
    rubric_title: str
    points: float
    max_points: float
    percent: int
    passed: bool
    pass_mark: float
    blockers: list[Blocked]
    deductions: list[Deducted]
    criteria: list[CriterionScore]
    missed: list[Missed]
    missing_required: list[str] = []
    not_scored: list[str]
    needs_review: bool
    review: list[str]
    readings: list[Reading] = []
    feedback: Feedback | None = None
    hints: int = 0
    judges: list[str]
    pinned: dict[str, str]


def add_up(
    rubric: Rubric,
    checks: Mapping[str, Check],
    verdicts: Mapping[str, Verdict],
    *,
    judges: Sequence[str],
    pinned: Mapping[str, str],
    say: Mapping[str, str] | None = None,
) -> Scorecard:
    """The scorecard for one verdict a check.

    Args:
        verdicts: checks that are absent could not be judged; they neither earn nor cost.
        say: what could have been said, by check, in place of the check's own example.
    """
    met = {i: v.met for i, v in verdicts.items()}
    criteria = []
    for criterion in rubric.criteria:
        earned, available = criterion_points(criterion, met)
        criteria.append(
            CriterionScore(
                id=criterion.id,
                title=criterion.title,
                points=round(earned, 1),
                max=round(available, 1),
                verdicts=[verdicts[c.check] for c in criterion.checks if c.check in verdicts],
            )
        )
    deductions = [
        Deducted(
            check=p.check,
            title=checks[p.check].title,
            points=p.points,
            quote=verdicts[p.check].quote,
            turn=verdicts[p.check].turn,
        )
        for p in rubric.penalties
        if met.get(p.check)
    ]
    blockers = [
        Blocked(check=b, title=checks[b].title, quote=verdicts[b].quote, turn=verdicts[b].turn)
        for b in rubric.blockers
        if met.get(b)
    ]
    exact = [criterion_points(c, met) for c in rubric.criteria]
    available = sum(a for _, a in exact)
    points = max(0.0, sum(e for e, _ in exact) - sum(d.points for d in deductions))
    percent = 100 * points / available if available else 0.0
    earning = [c.check for criterion in rubric.criteria for c in criterion.checks]
    missing_required = [i for i in rubric.required if not met.get(i)]
    review = [i for i in rubric.check_ids() if i in verdicts and verdicts[i].doubtful]
    return Scorecard(
        rubric=rubric.id,
        rubric_title=rubric.title,
        points=round(points, 1),
        max_points=round(available, 1),
        percent=round(percent),
        passed=bool(available) and percent >= rubric.pass_mark and not blockers and not missing_required,
        pass_mark=rubric.pass_mark,
        blockers=blockers,
        deductions=deductions,
        criteria=criteria,
        missed=[
            Missed(check=i, title=checks[i].title, say=(say or {}).get(i, checks[i].say))
            for i in earning
            if i in met and not met[i]
        ],
        missing_required=missing_required,
        not_scored=[i for i in earning if i not in verdicts],
        needs_review=bool(review),
        review=review,
        judges=list(judges),
        pinned=dict(pinned),
    )
