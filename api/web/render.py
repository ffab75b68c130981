"""Rendering: templates, Markdown, and routes whose errors come out as pages."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse, Response
from fastapi.routing import APIRoute
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup

from api import auth
from api.web import language
from knowledge.skills import industries

_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")
_ERRORS = (401, 403, 404, 409, 413, 422, 503)
"""Statuses with words of their own; the others are all a fault on our side."""


def markdown(text: str) -> Markup:
    """Markdown as HTML; HTML in it is shown, not obeyed."""
    return Markup(_MARKDOWN.render(text))  # noqa: S704 - markdown-it escapes all text with html off


def plain(text: str) -> str:
    """Markdown as the text a reader sees, a line for each block."""
    lines = []
    for token in _MARKDOWN.parse(text):
        if token.type == "inline":
            pieces = [" " if c.type == "softbreak" else c.content for c in token.children or ()]
            lines.append("".join(pieces))
        elif token.type in ("fence", "code_block"):
            lines.append(token.content.rstrip())
    return "\n".join(lines)


def _moment(at: datetime) -> str:
    """A stored moment (UTC) in the server's own time."""
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone().strftime("%m-%d %H:%M")


_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters |= {"markdown": markdown, "plain": plain, "moment": _moment, "points": "{:g}".format}


def page(request: Request, template: str, status: int = 200, **context: Any) -> HTMLResponse:
    """A page in the visitor's language.

    Templates can call `t(key, **values)` for a text and `named(thing, field)` for a field that has an English twin.
    """
    lang = language.of(request)
    texts = language.strings(lang)

    def t(key: str, **values: object) -> str:
        return texts[key].format(**values) if values else texts[key]

    def named(thing: Any, field: str = "title") -> str:
        english: str | None = getattr(thing, f"{field}_en", None) if lang == "en" else None
        return english or str(getattr(thing, field))

    def industry(name: str) -> str:
        return named(industries()[name]) if name in industries() else name

    def in_language(other: str) -> str:
        there = request.url if request.method == "GET" else request.url.replace(path="/", query="")
        url = there.include_query_params(lang=other)
        return f"{url.path}?{url.query}"

    html = _TEMPLATES.get_template(template).render(
        {"who": None, "lang": lang, "t": t, "named": named, "in_language": in_language, "industry": industry, **context}
    )
    # A transcript is nobody else's, and going back must not show an old state of a drill.
    return HTMLResponse(html, status, {"Cache-Control": "no-store"})


def landing(request: Request, status: int = 200, **context: Any) -> HTMLResponse:
    """The page of somebody who is not signed in, who may sign in and go on to where they were heading."""
    here = request.url.path if request.method == "GET" and request.url.path != "/" else ""
    values = {"coach": auth.whetstone(request), "demo": auth.is_demo(request), "message": "", "next": here, **context}
    return page(request, "landing.html", status, **values)


def error_page(request: Request, status: int, detail: str) -> HTMLResponse:
    """What went wrong, in the visitor's words, with the exact reason below."""
    if status == 401:
        return landing(request, 401)
    return page(request, "error.html", status, code=status if status in _ERRORS else 500, detail=detail)


class PageRoute(APIRoute):
    """A route for people: errors are pages, and a language once asked for is kept."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                response = await handle(request)
            except Exception as error:
                response = _told(request, error)
            return remember_language(request, response)

        return answer


def remember_language(request: Request, response: Response) -> Response:
    lang = language.asked(request)
    if lang:
        response.set_cookie(language.COOKIE, lang, max_age=31_536_000, httponly=True, samesite="lax")
    return response


def _told(request: Request, error: Exception) -> HTMLResponse:
    """The page for an error, with the status and the reason the API would give for it."""
    handlers = request.app.exception_handlers
    handler = next((handlers[kind] for kind in type(error).__mro__ if kind in handlers), None)
    if handler is None:
        raise error
    problem = handler(request, error)
    return error_page(request, problem.status_code, json.loads(problem.body)["detail"])
