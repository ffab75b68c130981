"""Pages around a drill: hints, pauses, watching how it is done, branches side by side, and a trainer's view."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Path, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from api.auth import Coach, Someone, Trainer, trainer
from api.problems import Problem
from api.routes.drills import hint_for, watched
from api.web.chat import chat
from api.web.render import PageRoute, page
from coach.drill.hints import Strength
from coach.drill.learners import QUALITIES
from coach.drill.moments import moments
from coach.drill.session import Session
from coach.store import drills as stored

router = APIRouter(include_in_schema=False, route_class=PageRoute, default_response_class=HTMLResponse)


@router.get("/scenarios/{scenario_id}/watch")
def watch(request: Request, scenario_id: str, coach: Coach, who: Someone) -> HTMLResponse:
    book = coach.catalogue.playbook(scenario_id)
    if scenario_id not in coach.catalogue.learners:
        raise Problem(404, "nobody has been written for this scenario yet")
    played = [watched(coach, scenario_id, q) for q in reversed(QUALITIES) if q != "middling"]
    return page(request, "watch.html", who=who, book=book, played=played)


@router.post("/drills/{drill_id}/hint")
def hint(
    request: Request, drill_id: str, coach: Coach, who: Someone, strength: Annotated[Strength, Form()]
) -> HTMLResponse:
    given = hint_for(coach, who.id, drill_id, strength)
    return chat(request, coach.sessions.load(who.id, drill_id), who=who, hint=given)


@router.post("/drills/{drill_id}/pause")
def pause(drill_id: str, coach: Coach, who: Someone) -> Response:
    coach.sessions.pause(who.id, drill_id)
    return RedirectResponse(f"/drills/{drill_id}", 303)


@router.post("/drills/{drill_id}/resume")
def resume(drill_id: str, coach: Coach, who: Someone) -> Response:
    coach.sessions.resume(who.id, drill_id)
    return RedirectResponse(f"/drills/{drill_id}", 303)


@router.get("/drills/{drill_id}/compare")
def compare(request: Request, drill_id: str, coach: Coach, who: Someone, other: str = "") -> HTMLResponse:
    session = coach.sessions.load(who.id, drill_id)
    branches = stored.relatives(coach.engine, who.id, drill_id)
    beside = other or session.parent_id or next((i for i, *_ in branches if i != drill_id), None)
    if beside is None or beside not in {i for i, *_ in branches}:
        raise Problem(404, "this conversation has no other branch: rewind it to make one")
    sides = [coach.sessions.load(who.id, beside), session]
    return page(
        request,
        "compare.html",
        who=who,
        book=session.drill.playbook,
        sides=sides,
        numbers={i: n for n, (i, *_) in enumerate(branches, 1)},
        branches=branches,
        shared=_shared(sides[0], sides[1]),
        scores=_scores(sides),
    )


def _shared(one: Session, other: Session) -> int:
    """How many turns two branches have in common at their beginning."""
    pairs = zip(one.drill.exchanges, other.drill.exchanges, strict=False)
    count = 0
    for a, b in pairs:
        if (a.learner, a.spoken.text) != (b.learner, b.spoken.text):
            break
        count += 1
    return count


def _scores(sides: list[Session]) -> list[tuple[str, list[tuple[float, float] | None]]]:
    """Points by criterion, one column a side; None where a side has not been scored."""
    rubric = sides[0].drill.playbook.rubric
    columns = [{c.id: (c.points, c.max) for c in side.scorecard.criteria} if side.scorecard else {} for side in sides]
    return [(criterion.id, [column.get(criterion.id) for column in columns]) for criterion in rubric.criteria]


@router.get("/drills/{drill_id}/understanding", dependencies=[Depends(trainer)])
def understanding(request: Request, drill_id: str, coach: Coach, who: Someone) -> HTMLResponse:
    """What was understood of each turn and what the customer made of it (trainers)."""
    session = coach.sessions.load(None, drill_id)
    turns = zip(moments(session.drill), session.drill.exchanges, strict=True)
    return page(request, "understanding.html", who=who, session=session, book=session.drill.playbook, turns=list(turns))


@router.post("/concerns/{drill_id}/{turn}/seen")
def seen(drill_id: str, turn: Annotated[int, Path(ge=1, le=1000)], coach: Coach, who: Trainer) -> Response:
    stored.see_concern(coach.engine, drill_id, turn, who.name)
    return RedirectResponse("/", 303)
