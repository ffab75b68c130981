"""Writing scenarios (trainers): check, playtest, publish, versions, a draft from a case."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from api.auth import Coach, Trainer, principal, trainer
from api.problems import Problem
from api.routes.library import Ready
from coach import authoring
from coach.store import authored

router = APIRouter(prefix="/api/v1/authoring", tags=["authoring"], dependencies=[Depends(principal), Depends(trainer)])
Yaml = Annotated[str, Field(max_length=authoring.LONGEST)]


class Written(BaseModel):
    """A scenario as YAML and, if there are any, its learners."""

    model_config = ConfigDict(extra="forbid")

    scenario: Yaml
    learners: Yaml = ""


class Finding(BaseModel):
    severity: str
    where: str
    message: str


class Published(BaseModel):
    id: str
    version: int


class PublishedVersion(BaseModel):
    version: int
    who: str
    at: datetime
    body: str


@router.post("/check")
def check(body: Written, coach: Coach) -> list[Finding]:
    """What is wrong with a scenario; errors keep it from being published."""
    try:
        found = authoring.check(coach.catalogue, body.scenario).findings
    except authoring.AuthoringError as error:
        raise Problem(422, str(error)) from error
    return [Finding.model_validate(f, from_attributes=True) for f in found]


@router.post("/playtest")
def playtest(body: Written, coach: Coach) -> list[dict[str, Any]]:
    """What seven sorts of learners come to in it."""
    try:
        return [authoring.row(p) for p in authoring.try_out(coach, body.scenario, body.learners)]
    except authoring.AuthoringError as error:
        raise Problem(422, str(error)) from error


@router.post("/publish", status_code=201)
def publish(body: Written, coach: Coach, who: Trainer) -> Published:
    """Let it be practised from now on; drills that run keep what they were started with."""
    try:
        name, version = authoring.publish(coach, body.scenario, who.name, body.learners)
    except authoring.AuthoringError as error:
        raise Problem(422, str(error)) from error
    return Published(id=name, version=version)


@router.get("/scenarios/{scenario_id}/versions")
def versions(scenario_id: str, coach: Coach) -> list[PublishedVersion]:
    """What trainers have published of a scenario, oldest first; empty for one that ships."""
    found = authored.versions(coach.engine, "scenario", scenario_id)
    return [PublishedVersion.model_validate(v, from_attributes=True) for v in found]


@router.post("/draft/{item_id}")
def draft(item_id: str, coach: Coach, library: Ready) -> dict[str, str]:
    """A scenario to fill in, as YAML, from an item of the library."""
    try:
        return {"scenario": authoring.draft(coach, library.get(item_id))}
    except KeyError as error:
        raise Problem(404, "there is no such item") from error
