"""Rubrics: which checks earn points, which cost them, which block a pass. All arithmetic is here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pydantic import Field, model_validator

from coach.scoring.check import Check, Id, Model, Text, content_hash


class WeightedCheck(Model):
    check: Id
    weight: float = Field(default=1.0, gt=0)


class Criterion(Model):
    """A group of checks worth `points` together, shared out by weight."""

    id: Id
    title: Text
    title_en: Text
    points: float = Field(gt=0)
    checks: list[WeightedCheck] = Field(min_length=1)


class Penalty(Model):
    """Points taken off once when the learner shows a behaviour to avoid."""

    check: Id
    points: float = Field(gt=0)


class Rubric(Model):
    """How a transcript becomes points.

    Attributes:
        pass_mark: per cent of the points that could be earned, needed to pass.
        blockers: checks to avoid that fail the drill whatever the points.
        required: checks without which the drill is not passed.
    """

    id: Id
    title: Text
    title_en: Text
    pass_mark: float = Field(ge=0, le=100)
    criteria: list[Criterion] = Field(min_length=1)
    penalties: list[Penalty] = []
    blockers: list[Id] = []
    required: list[Id] = []

    @model_validator(mode="after")
    def _each_check_once(self) -> Rubric:
        ids = [c.check for criterion in self.criteria for c in criterion.checks]
        ids += [p.check for p in self.penalties]
        twice = sorted({i for i in ids if ids.count(i) > 1})
        if twice:
            raise ValueError(f"checks counted twice: {', '.join(twice)}")
        missing = sorted(set(self.required) - set(ids))
        if missing:
            raise ValueError(f"required but in no criterion: {', '.join(missing)}")
        return self

    def check_ids(self) -> list[str]:
        """Every check the rubric speaks of, in its order, each once."""
        ids = [c.check for criterion in self.criteria for c in criterion.checks]
        ids += [p.check for p in self.penalties]
        return list(dict.fromkeys([*ids, *self.blockers]))


def without(rubric: Rubric, waived: Iterable[str]) -> Rubric:
    """The rubric with checks left out that a case gives no occasion for; a criterion left empty is gone too."""
    out = set(waived)
    criteria = [
        c.model_copy(update={"checks": [w for w in c.checks if w.check not in out]})
        for c in rubric.criteria
        if any(w.check not in out for w in c.checks)
    ]
    return rubric.model_copy(update={"criteria": criteria, "required": [r for r in rubric.required if r not in out]})


def criterion_points(criterion: Criterion, met: Mapping[str, bool]) -> tuple[float, float]:
    """Points earned and points that could be earned for one criterion.

    Args:
        met: whether each check was met; a check that is absent could not be judged. It earns nothing and its
            share is taken out of what could be earned, so that nobody pays for what nobody could see.

    Returns:
        (earned, available), both at most `criterion.points`.
    """
    total = sum(c.weight for c in criterion.checks)
    judged = [c for c in criterion.checks if c.check in met]
    available = criterion.points * sum(c.weight for c in judged) / total
    earned = criterion.points * sum(c.weight for c in judged if met[c.check]) / total
    return earned, available


def pin(rubric: Rubric, checks: Mapping[str, Check]) -> str:
    """Content hash of a rubric together with the checks it counts."""
    used = {i: checks[i].model_dump(mode="json") for i in rubric.check_ids()}
    return content_hash({"rubric": rubric.model_dump(mode="json"), "checks": used})
