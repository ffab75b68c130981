"""Errors over HTTP: RFC 9457 problem details, and OpenAI's own shape under /v1."""

from __future__ import annotations

import http
import json
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from coach.catalogue import NotInCatalogue
from coach.drill.director import DrillOver
from coach.drill.session import (
    AlreadyScored,
    AttemptUsed,
    BadTurn,
    NoSuchVoice,
    NotInThisMode,
    Resting,
    TimeUp,
    TurnConflict,
)
from coach.drill.strict import NoScript
from coach.store.drills import NoSuchDrill


class Problem(Exception):
    """An error to be told to the caller.

    Args:
        extra: further members of the problem document.
    """

    def __init__(self, status: int, detail: str, **extra: Any) -> None:
        super().__init__(detail)
        self.status, self.detail, self.extra = status, detail, extra


class _Json(JSONResponse):
    """JSON of what somebody sent us, which may hold half a character."""

    def render(self, content: Any) -> bytes:
        return json.dumps(content, ensure_ascii=False).encode("utf-8", "replace")


def respond(request: Request, status: int, detail: str, **extra: Any) -> JSONResponse:
    """A problem document, in the shape that fits the path."""
    title = http.HTTPStatus(status).phrase
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
    if request.url.path.startswith("/v1/"):
        error = {"message": detail, "type": title.lower().replace(" ", "_"), "param": None, "code": status}
        return _Json({"error": error}, status, headers)
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, "instance": request.url.path}
    return _Json({**body, **extra}, status, headers, media_type="application/problem+json")


def install(app: FastAPI) -> None:
    """Register the handlers for every error the domain knows."""

    def on_problem(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, Problem)
        return respond(request, error.status, error.detail, **error.extra)

    def on_http(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        return respond(request, error.status_code, str(error.detail))

    def on_validation(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        errors = [{"field": ".".join(str(p) for p in e["loc"]), "message": e["msg"]} for e in error.errors()]
        first = errors[0]
        return respond(request, 422, f"{first['field']}: {first['message']}", errors=errors)

    def on_domain(request: Request, error: Exception) -> JSONResponse:
        if isinstance(error, NoSuchDrill):
            return respond(request, 404, "there is no such drill")
        if isinstance(error, NotInCatalogue):
            return respond(request, 404, str(error))
        if isinstance(error, TurnConflict):
            return respond(request, 409, str(error), expected=error.expected)
        if isinstance(error, BadTurn | NoSuchVoice | NoScript):
            return respond(request, 422, str(error))
        return respond(request, 409, str(error))

    app.add_exception_handler(Problem, on_problem)
    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(RequestValidationError, on_validation)
    for kind in (
        NoSuchDrill,
        NotInCatalogue,
        TurnConflict,
        BadTurn,
        NoSuchVoice,
        NoScript,
        AlreadyScored,
        DrillOver,
        NotInThisMode,
        Resting,
        TimeUp,
        AttemptUsed,
    ):
        app.add_exception_handler(kind, on_domain)
