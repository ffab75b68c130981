"""Scenarios and drills."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request
from fastapi.responses import JSONResponse, StreamingResponse

from api import shapes
from api.auth import Coach, Someone, principal
from api.problems import Problem
from coach.drill.drill import finish
from coach.drill.scenario import Scenario
from coach.drill.session import Session
from coach.scoring.scorecard import Scorecard
from coach.store import drills as stored

router = APIRouter(prefix="/api/v1", tags=["drills"], dependencies=[Depends(principal)])


@router.get("/scenarios")
def scenarios(coach: Coach) -> list[shapes.ScenarioSummary]:
    """All scenarios."""
    return [shapes.ScenarioSummary.model_validate(_public(s)) for s in coach.catalogue.scenarios.values()]


@router.get("/scenarios/{scenario_id}")
def scenario(scenario_id: str, coach: Coach) -> shapes.ScenarioDetail:
    """A scenario as the learner is told of it."""
    book = coach.catalogue.playbook(scenario_id)
    return shapes.ScenarioDetail.model_validate({**_public(book.scenario), "customer": book.persona.name})


def _public(scenario: Scenario) -> dict[str, object]:
    names = {*shapes.ScenarioDetail.model_fields} - {"customer"}
    return scenario.model_dump(include=names)


@router.post("/drills", status_code=201)
def start(body: shapes.StartDrill, coach: Coach, who: Someone) -> shapes.Drill:
    """Start a drill; the customer speaks first."""
    voice = body.voice or coach.default_voice
    book = coach.catalogue.playbook(body.scenario)
    return shapes.drill(coach.sessions.start(who.id, book, voice=voice, seed=body.seed))


@router.get("/drills")
def mine(coach: Coach, who: Someone) -> list[shapes.DrillSummary]:
    """Your latest drills, newest first."""
    return [
        shapes.DrillSummary(
            id=i,
            scenario=s,
            created_at=at,
            percent=card["percent"] if card else None,
            passed=card["passed"] if card else None,
        )
        for i, s, at, card in stored.recent(coach.engine, who.id)
    ]


@router.get("/drills/{drill_id}")
def read(drill_id: str, coach: Coach, who: Someone) -> shapes.Drill:
    """A drill with its transcript, and its scorecard once it is scored."""
    return shapes.drill(coach.sessions.load(who.id, drill_id))


@router.post(
    "/drills/{drill_id}/turns",
    response_model=shapes.Drill,
    responses={200: {"content": {"text/event-stream": {}}, "description": "the drill, or a stream of its answer"}},
)
def turn(
    drill_id: str,
    body: shapes.PostTurn,
    request: Request,
    coach: Coach,
    who: Someone,
    idempotency_key: Annotated[str | None, Header(max_length=128)] = None,
) -> JSONResponse | StreamingResponse:
    """Say something. With `Accept: text/event-stream` the answer comes as events: `piece` with some text, then `done`
    with the whole drill. The same number with the same text, or the same Idempotency-Key, gets the same answer."""
    speaking = coach.sessions.post(who.id, drill_id, body.number, body.text, idempotency_key)
    if "text/event-stream" in request.headers.get("accept", ""):
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(_events(speaking), media_type="text/event-stream", headers=headers)
    return JSONResponse(shapes.drill(finish(speaking)).model_dump(mode="json"))


def _events(speaking: Generator[str, None, Session]) -> Iterator[str]:
    while True:
        try:
            piece = next(speaking)
        except StopIteration as stop:
            yield _event("done", shapes.drill(stop.value).model_dump(mode="json"))
            return
        yield _event("piece", {"text": piece})


def _event(name: str, data: dict[str, object]) -> str:
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"


@router.post("/drills/{drill_id}/score")
def score(drill_id: str, coach: Coach, who: Someone) -> shapes.Drill:
    """End the drill and score it. Again: the same scorecard."""
    return shapes.drill(coach.sessions.score(who.id, drill_id, coach.score))


@router.get("/drills/{drill_id}/scorecard")
def scorecard(drill_id: str, coach: Coach, who: Someone) -> Scorecard:
    """The scorecard of a scored drill."""
    session = coach.sessions.load(who.id, drill_id)
    if session.scorecard is None:
        raise Problem(404, "this drill has not been scored yet")
    return session.scorecard


@router.post("/drills/{drill_id}/rewind", status_code=201)
def rewind(drill_id: str, body: shapes.Rewind, coach: Coach, who: Someone) -> shapes.Drill:
    """A new drill that goes on from an earlier turn of this one; this one is kept."""
    return shapes.drill(coach.sessions.rewind(who.id, drill_id, body.turns))
