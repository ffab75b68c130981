"""Whether it runs, what it runs with, and how it is doing."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text

from api import shapes
from api.auth import Coach, is_demo, principal

router = APIRouter(tags=["health"])


@router.get("/healthz", response_class=PlainTextResponse)
async def alive() -> str:
    """The process answers."""
    return "ok"


@router.get("/readyz")
def ready(coach: Coach) -> JSONResponse:
    """200 when drills and search both work; 503 with what is missing otherwise."""
    try:
        with coach.engine.connect() as connection:
            connection.execute(text("SELECT 1"))
        database = "ok"
    except Exception as error:
        database = type(error).__name__
    parts = {"database": database, "index": "ok" if coach.library_ready else coach.library_failure or "building"}
    return JSONResponse(parts, 200 if set(parts.values()) == {"ok"} else 503)


@router.get("/metrics", include_in_schema=False)
def metrics() -> Response:
    """Counters and latencies for Prometheus; no personal data."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


@router.get("/api/v1/status", dependencies=[Depends(principal)])
def status(request: Request, coach: Coach) -> shapes.Status:
    """Which voice and which judges are at work."""
    return shapes.Status(
        voice=coach.default_voice,
        voices=list(coach.voices),
        model=coach.endpoint.model if coach.endpoint else None,
        judges=coach.judge_names,
        index_ready=coach.library_ready,
        passages=coach.library.index.count() if coach.library_ready else 0,
        demo=is_demo(request),
    )
