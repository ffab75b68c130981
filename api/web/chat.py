"""The page of a running drill."""

from __future__ import annotations

from fastapi import Request
from fastapi.responses import HTMLResponse

from api.shapes import Hint
from api.web.render import page
from coach.drill.hints import STRENGTHS
from coach.drill.session import LONGEST_TURN, Session
from coach.store.accounts import Principal


def chat(
    request: Request,
    session: Session,
    *,
    who: Principal,
    status: int = 200,
    problem: str = "",
    draft: str = "",
    hint: Hint | None = None,
) -> HTMLResponse:
    """The conversation as it stands.

    Args:
        problem: key of the text that says why a turn was not taken. draft: what was typed. hint: help just asked for.
    """
    return page(
        request,
        "drill.html",
        status,
        who=who,
        session=session,
        book=session.drill.playbook,
        ending=session.drill.outcome,
        longest=LONGEST_TURN,
        strengths=STRENGTHS,
        problem=problem,
        draft=draft,
        hint=hint,
    )
