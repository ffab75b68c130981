"""Scenarios and drills."""

from __future__ import annotations

import json
import secrets
from collections.abc import Generator, Iterator
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Path, Request
from fastapi.responses import JSONResponse, StreamingResponse

from api import shapes
from api.auth import Coach, Someone, Trainer, principal, trainer
from api.problems import Problem
from coach.compose import Whetstone
from coach.drill.casting import fill
from coach.drill.drill import finish, play
from coach.drill.hints import Strength
from coach.drill.learners import Quality
from coach.drill.scenario import Scenario
from coach.drill.session import Session
from coach.drill.voice import AUTHORED
from coach.scoring.scorecard import Scorecard
from coach.store import drills as stored

router = APIRouter(prefix="/api/v1", tags=["drills"], dependencies=[Depends(principal)])


@router.get("/scenarios")
def scenarios(coach: Coach) -> list[shapes.ScenarioSummary]:
    """All scenarios."""
    return [shapes.ScenarioSummary.model_validate(_public(s)) for s in coach.catalogue.told.values()]


@router.get("/scenarios/{scenario_id}")
def scenario(scenario_id: str, coach: Coach) -> shapes.ScenarioDetail:
    """A scenario as the learner is told of it."""
    book = coach.catalogue.playbook(scenario_id)
    return shapes.ScenarioDetail.model_validate({**_public(book.scenario), "customer": book.persona.name})


@router.get("/scenarios/{scenario_id}/cast")
def cast(scenario_id: str, coach: Coach) -> list[shapes.CastMember]:
    """Who can play the customer of a scenario, its usual one first."""
    people = [coach.catalogue.personas[i] for i in coach.catalogue.cast(scenario_id)]
    return [shapes.CastMember.model_validate(p, from_attributes=True) for p in people]


@router.get("/scenarios/{scenario_id}/watch")
def watch(scenario_id: str, coach: Coach, quality: Quality = "good") -> shapes.Watched:
    """The scenario played by a learner written for it, turn by turn, with a trainer's comments."""
    return watched(coach, scenario_id, quality)


def watched(coach: Whetstone, scenario_id: str, quality: Quality) -> shapes.Watched:
    """The scenario as a written learner plays it.

    Raises:
        Problem: nobody has been written for it.
    """
    book = coach.catalogue.playbook(scenario_id)
    if scenario_id not in coach.catalogue.learners:
        raise Problem(404, "nobody has been written for this scenario yet")
    written = coach.catalogue.learners[scenario_id].of(quality)
    says = [fill(t.say, book.persona, book.figures) for t in written.turns]
    drill = play(book, 1, coach.judges, AUTHORED, says)
    card = coach.score(drill)
    return shapes.Watched(
        quality=quality,
        opening=drill.opening,
        turns=[
            shapes.WatchedTurn(
                learner=exchange.learner,
                customer=exchange.spoken.text,
                note=fill(turn.note, book.persona, book.figures),
                shows=[book.checks[i].title for i in turn.shows if i in book.checks],
                trust=exchange.state.trust,
                patience=exchange.state.patience,
            )
            for exchange, turn in zip(drill.exchanges, written.turns, strict=False)
        ],
        ending=drill.outcome.title if drill.outcome else None,
        percent=card.percent,
    )


def _public(scenario: Scenario) -> dict[str, object]:
    names = {*shapes.ScenarioDetail.model_fields} - {"customer"}
    return scenario.model_dump(include=names)


@router.post("/drills", status_code=201)
def start(body: shapes.StartDrill, coach: Coach, who: Someone) -> shapes.Drill:
    """Start a drill; the customer speaks first."""
    voice = body.voice or coach.default_voice
    seed = secrets.randbelow(2**31) if body.seed is None else body.seed
    book = coach.catalogue.playbook(body.scenario, persona=body.persona, level=body.level, seed=seed)
    return shapes.drill(coach.sessions.start(who.id, book, voice=voice, seed=seed, mode=body.mode))


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


@router.post("/drills/{drill_id}/hint")
def hint(drill_id: str, body: shapes.AskHint, coach: Coach, who: Someone) -> shapes.Hint:
    """Help with what is due next, in one of three strengths. It is counted; the judges do not see it."""
    return hint_for(coach, who.id, drill_id, body.strength)


def hint_for(coach: Whetstone, account_id: str, drill_id: str, strength: Strength) -> shapes.Hint:
    """A hint with the lessons that teach what it is about."""
    given = coach.sessions.hint(account_id, drill_id, strength)
    if given is None:
        return shapes.Hint(check=None, strength=strength, because="", text="", lessons=[])
    role = coach.sessions.load(account_id, drill_id).drill.playbook.scenario.role
    lessons = [shapes.Reading(id=i, title=title) for i, title in coach.lessons_for(given.skill, role)]
    return shapes.Hint(
        check=given.check, strength=given.strength, because=given.because, text=given.text, lessons=lessons
    )


@router.post("/drills/{drill_id}/pause")
def pause(drill_id: str, coach: Coach, who: Someone) -> shapes.Drill:
    """Let a drill rest; assessments cannot."""
    return shapes.drill(coach.sessions.pause(who.id, drill_id))


@router.post("/drills/{drill_id}/resume")
def resume(drill_id: str, coach: Coach, who: Someone) -> shapes.Drill:
    """Take up a resting drill."""
    return shapes.drill(coach.sessions.resume(who.id, drill_id))


@router.get("/drills/{drill_id}/branches")
def branches(drill_id: str, coach: Coach, who: Someone) -> list[shapes.Branch]:
    """All branches of a conversation, this drill among them, oldest first."""
    coach.sessions.load(who.id, drill_id)
    return [
        shapes.Branch(
            id=i,
            parent=parent,
            parent_turns=turns,
            percent=card["percent"] if card else None,
            passed=card["passed"] if card else None,
        )
        for i, parent, turns, card in stored.relatives(coach.engine, who.id, drill_id)
    ]


@router.post("/drills/{drill_id}/release", status_code=204, dependencies=[Depends(trainer)])
def release(drill_id: str, coach: Coach) -> None:
    """Let the learner of an assessment take it again."""
    stored.release(coach.engine, drill_id)


@router.get("/concerns", dependencies=[Depends(trainer)])
def concerns(coach: Coach) -> list[shapes.Concern]:
    """Turns that a trainer should look at because of the person, and nobody has yet."""
    return [shapes.Concern.model_validate(c, from_attributes=True) for c in stored.concerns(coach.engine)]


@router.post("/concerns/{drill_id}/{turn_number}/seen", status_code=204)
def seen(drill_id: str, turn_number: Annotated[int, Path(ge=1, le=1000)], coach: Coach, who: Trainer) -> None:
    """Say that somebody has looked after it."""
    if not stored.see_concern(coach.engine, drill_id, turn_number, who.name):
        raise Problem(404, "there is no such turn waiting")


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
