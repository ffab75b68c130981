"""The page on which trainers write scenarios: YAML, what is wrong with it, and what learners would come to in it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse
from starlette.responses import RedirectResponse, Response

from api.auth import Coach, Trainer, trainer
from api.problems import Problem
from api.web.render import PageRoute, page
from coach import authoring
from coach.catalogue import SHIPPED
from coach.store import authored

router = APIRouter(
    include_in_schema=False,
    route_class=PageRoute,
    default_response_class=HTMLResponse,
    dependencies=[Depends(trainer)],
)


@router.get("/write")
def write(request: Request, coach: Coach, who: Trainer, scenario: str = "", case: str = "") -> HTMLResponse:
    text = ""
    if scenario in coach.catalogue.scenarios:
        published = authored.versions(coach.engine, "scenario", scenario)
        text = published[-1].body if published else (SHIPPED / "scenarios" / f"{scenario}.yaml").read_text("utf-8")
    elif case and coach.library_ready:
        try:
            text = authoring.draft(coach, coach.library.get(case))
        except KeyError as error:
            raise Problem(404, "there is no such item") from error
    return _page(request, who, coach, text)


@router.post("/write")
def tried(
    request: Request,
    coach: Coach,
    who: Trainer,
    text: Annotated[str, Form(max_length=authoring.LONGEST)],
    do: Annotated[Literal["check", "playtest", "publish"], Form()],
) -> Response:
    text = text.replace("\r\n", "\n")
    found: dict[str, Any] = {}
    try:
        found["checked"] = authoring.check(coach.catalogue, text)
        if do == "playtest":
            found["rows"] = [authoring.row(p) for p in authoring.try_out(coach, text)]
        if do == "publish":
            name, _ = authoring.publish(coach, text, who.name)
            return RedirectResponse(f"/scenarios/{name}", 303)
    except authoring.AuthoringError as error:
        found["problem"] = str(error)
    return _page(request, who, coach, text, status=422 if "problem" in found else 200, **found)


def _page(request: Request, who: Trainer, coach: Coach, text: str, *, status: int = 200, **found: Any) -> HTMLResponse:
    told = {"checked": None, "rows": [], "problem": "", **found}
    return page(
        request,
        "write.html",
        status,
        who=who,
        text=text,
        scenarios=coach.catalogue.told,
        longest=authoring.LONGEST,
        **told,
    )
