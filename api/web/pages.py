"""The pages: from the sign-in to the scorecard, usable without script, nicer with it."""

from __future__ import annotations

import contextlib
import secrets
from pathlib import Path
from typing import Annotated, Any, get_args
from urllib.parse import quote

from fastapi import APIRouter, FastAPI, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

from api import auth, problems
from api.auth import COOKIE, DEMO_ACCOUNTS, Coach, Someone
from api.problems import Problem
from api.routes.library import readable
from api.web import language, marks
from api.web.chat import chat
from api.web.drawing import draw
from api.web.render import PageRoute, error_page, landing, page, plain, remember_language
from coach.drill.casting import LEVELS, USUAL_LEVEL
from coach.drill.director import DrillOver
from coach.drill.drill import finish
from coach.drill.mode import ModeName
from coach.drill.session import AlreadyScored, BadTurn, Resting, TimeUp, TurnConflict
from coach.learning_path import GoalNotFound, path_to
from coach.scoring.scorecard import Scorecard
from coach.store import accounts
from coach.store import drills as stored
from knowledge.filters import Filter
from knowledge.graph import Node, NodeKind
from knowledge.item import Kind, Role, Tier
from knowledge.search import LONGEST_QUERY, Results
from knowledge.skills import industries, skills

router = APIRouter(include_in_schema=False, route_class=PageRoute, default_response_class=HTMLResponse)
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_RESULTS = 12
_RELATED = 6
_READ: tuple[NodeKind, ...] = ("case", "lesson", "regulation", "template", "scenario")


class _Static(StaticFiles):
    """Our own files; asked for anew each time, so that an upgrade is seen at once."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "no-cache"
        return response


def mount_static(app: FastAPI) -> None:
    """Serve the pages' own files, and a page for addresses of people that lead nowhere."""
    app.mount("/static", _Static(directory=Path(__file__).parent / "static"), name="static")

    def nowhere(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        for_people = "text/html" in request.headers.get("accept", "")
        if for_people and not request.url.path.startswith(("/api/", "/v1/", "/static/")):
            return remember_language(request, error_page(request, 404, str(error.detail)))
        return problems.respond(request, 404, str(error.detail))

    app.add_exception_handler(404, nowhere)


def _go(path: str) -> RedirectResponse:
    return RedirectResponse(path, 303)


@router.get("/")
def home(request: Request, coach: Coach, tried: bool = False) -> HTMLResponse:
    who = auth.signed_in(request)
    if who is None:
        # A sign-in that leads back here without a cookie: the browser did not keep it.
        return landing(request, message="signin.no-cookie" if tried else "")
    scenarios = coach.catalogue.told
    return page(
        request,
        "home.html",
        who=who,
        coach=coach,
        roles={r: [s for s in scenarios.values() if s.role == r] for r in get_args(Role)},
        drills=[(i, scenarios.get(s), at, card) for i, s, at, card in stored.recent(coach.engine, who.id, limit=5)],
        concerns=stored.concerns(coach.engine) if who.role == "trainer" else [],
    )


@router.post("/sign-in")
def sign_in(
    request: Request,
    coach: Coach,
    key: Annotated[str, Form(max_length=200)] = "",
    demo: Annotated[str, Form(max_length=40)] = "",
    next: Annotated[str, Form(max_length=300)] = "",
) -> Response:
    auth.same_origin(request)
    if demo and auth.is_demo(request) and demo in DEMO_ACCOUNTS:
        who = accounts.ensure(coach.engine, demo, DEMO_ACCOUNTS[demo])
    else:
        found = accounts.by_key(coach.engine, key.strip())
        if found is None:
            return landing(request, 401, message="signin.wrong-key", next=_ours(next))
        who = found
    response = _go(_ours(next) or "/?tried=1")
    host = request.url.hostname or ""
    response.set_cookie(
        COOKIE,
        accounts.sign_in(coach.engine, who.id),
        max_age=14 * 86_400,
        httponly=True,
        samesite="lax",
        secure=not (request.url.scheme == "http" and host in _LOOPBACK),
    )
    return response


def _ours(path: str) -> str:
    """`path` when it is one of this site, else nothing: signing in must not send people elsewhere."""
    return path if path.startswith("/") and not path.startswith("//") and "\\" not in path else ""


@router.post("/sign-out")
def sign_out(request: Request, coach: Coach) -> Response:
    auth.same_origin(request)
    accounts.sign_out(coach.engine, request.cookies.get(COOKIE, ""))
    response = _go("/")
    response.delete_cookie(COOKIE)
    return response


@router.get("/scenarios/{scenario_id}")
def scenario(request: Request, scenario_id: str, coach: Coach, who: Someone) -> HTMLResponse:
    people = [coach.catalogue.personas[i] for i in coach.catalogue.cast(scenario_id)]
    return page(
        request,
        "scenario.html",
        who=who,
        coach=coach,
        book=coach.catalogue.playbook(scenario_id),
        people=people,
        levels=range(LEVELS[0], LEVELS[1] + 1),
        usual=USUAL_LEVEL,
        modes=get_args(ModeName),
        to_watch=scenario_id in coach.catalogue.learners,
    )


@router.post("/scenarios/{scenario_id}/start")
def start(
    scenario_id: str,
    coach: Coach,
    who: Someone,
    voice: Annotated[str, Form(max_length=20)] = "",
    persona: Annotated[str, Form(max_length=64)] = "",
    level: Annotated[int, Form(ge=LEVELS[0], le=LEVELS[1])] = USUAL_LEVEL,
    mode: Annotated[ModeName, Form()] = "practice",
) -> Response:
    seed = secrets.randbelow(2**31)
    book = coach.catalogue.playbook(scenario_id, persona=persona or None, level=level, seed=seed)
    session = coach.sessions.start(who.id, book, voice=voice or coach.default_voice, seed=seed, mode=mode)
    return _go(f"/drills/{session.id}")


@router.get("/drills/{drill_id}")
def drill(request: Request, drill_id: str, coach: Coach, who: Someone) -> HTMLResponse:
    return chat(request, coach.sessions.load(who.id, drill_id), who=who)


@router.post("/drills/{drill_id}/turns")
def turn(
    request: Request,
    drill_id: str,
    coach: Coach,
    who: Someone,
    number: Annotated[int, Form(ge=1, le=1000)],
    text: Annotated[str, Form()] = "",
) -> Response:
    """A turn from a browser without script; what is refused stays in the box."""
    try:
        finish(coach.sessions.post(who.id, drill_id, number, text))
    except (BadTurn, TurnConflict, AlreadyScored, DrillOver, Resting, TimeUp) as error:
        session = coach.sessions.load(who.id, drill_id)
        if not isinstance(error, BadTurn):
            return chat(request, session, who=who, status=409, problem="drill.conflict", draft=text)
        problem = "drill.too-long" if text.strip() else "drill.empty"
        return chat(request, session, who=who, status=422, problem=problem, draft=text)
    return _go(f"/drills/{drill_id}#turn-{number}")


@router.post("/drills/{drill_id}/rewind")
def rewind(drill_id: str, coach: Coach, who: Someone, turns: Annotated[int, Form(ge=0, le=1000)]) -> Response:
    return _go(f"/drills/{coach.sessions.rewind(who.id, drill_id, turns).id}")


@router.post("/drills/{drill_id}/score")
def score(drill_id: str, coach: Coach, who: Someone) -> Response:
    return _go(f"/drills/{coach.sessions.score(who.id, drill_id, coach.score).id}/scorecard")


@router.get("/drills/{drill_id}/scorecard")
def scorecard(request: Request, drill_id: str, coach: Coach, who: Someone) -> Response:
    session = coach.sessions.load(who.id, drill_id)
    card = session.scorecard
    if card is None:
        return _go(f"/drills/{drill_id}")
    book = session.drill.playbook
    return page(
        request,
        "scorecard.html",
        who=who,
        session=session,
        book=book,
        card=card,
        criteria={c.id: c for c in book.rubric.criteria},
        say={m.check: m.say for m in card.missed},
        ending=session.drill.outcome,
        branches=len(stored.relatives(coach.engine, who.id, drill_id)),
        turns=[
            (n, marks.quoted(e.learner, _quotes(card, n)), e.spoken.text)
            for n, e in enumerate(session.drill.exchanges, 1)
        ],
    )


def _quotes(card: Scorecard, turn: int) -> list[marks.Quote]:
    """Every quote the scorecard takes from one turn."""
    found = [
        marks.Quote(v.quote, v.check, "good" if v.met else "bad")
        for criterion in card.criteria
        for v in criterion.verdicts
        if v.turn == turn and v.quote
    ]
    found += [marks.Quote(b.quote, b.check, "bad") for b in card.blockers if b.turn == turn]
    found += [marks.Quote(d.quote, d.check, "bad") for d in card.deductions if d.turn == turn]
    return found


@router.get("/search")
def search(
    request: Request,
    coach: Coach,
    who: Someone,
    q: str = "",
    role: str = "",
    kind: str = "",
    tier: str = "",
    industry: str = "",
    skill: str = "",
) -> HTMLResponse:
    q = q.strip()[:LONGEST_QUERY]
    fits = Filter(
        role=next((r for r in get_args(Role) if r == role), None),
        kind=next((k for k in get_args(Kind) if k == kind), None),
        tier=next((x for x in get_args(Tier) if x == tier), None),
        industry=industry if industry in industries() else None,
        skill=skill if skill in skills() else None,
    )
    found = coach.library.search(q, _RESULTS, fits) if q and coach.library_ready else Results(q)
    return page(
        request,
        "search.html",
        who=who,
        coach=coach,
        q=q,
        fits=fits,
        filters={"role": get_args(Role), "kind": get_args(Kind), "tier": get_args(Tier)},
        industries=industries(),
        skills=skills(),
        found=found,
        hits=[(hit, marks.matched(plain(hit.passage), found.words)) for hit in found.hits],
    )


@router.get("/items/{item_id}")
def item(request: Request, item_id: str, coach: Coach, who: Someone) -> HTMLResponse:
    if not coach.library_ready:
        raise Problem(503, coach.library_failure or "the index of the library is being built; try again in a moment")
    found = readable(coach.library, item_id, who)
    name = f"{found.kind}:{found.id}"
    published = found.status == "published"
    return page(
        request,
        "item.html",
        who=who,
        item=found,
        skills=skills(),
        drawing=draw(coach.graph, name, language.of(request), _address) if published else "",
        related=coach.graph.related(name, _RELATED, _READ) if published else [],
        address=_address,
    )


@router.get("/path")
def path(request: Request, coach: Coach, who: Someone, goal: str = "") -> HTMLResponse:
    goal = goal.strip()[:LONGEST_QUERY]
    way = None
    if goal and coach.library_ready:
        with contextlib.suppress(GoalNotFound):
            way = path_to(coach, goal)
    return page(request, "path.html", who=who, coach=coach, goal=goal, way=way, address=_address)


def _address(node: Node) -> str | None:
    """Where a node of the graph can be read, practised or searched."""
    kind, _, name = node.id.partition(":")
    if kind in get_args(Kind):
        return f"/items/{name}"
    return {"scenario": f"/scenarios/{name}", "skill": f"/search?q={quote(node.title)}&skill={name}"}.get(kind)
