"""What every request gets: an id, a log line, a measurement, a size limit and safe headers. Plain ASGI."""

from __future__ import annotations

import re
import time
import traceback
import uuid

import structlog
from prometheus_client import Counter, Histogram
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import problems

log = structlog.get_logger()
REQUESTS = Counter("whetstone_requests_total", "Requests answered", ["route", "method", "status"])
SECONDS = Histogram(
    "whetstone_request_seconds",
    "Seconds to the last byte",
    ["route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15),
)
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_MOST_BYTES = 1_000_000
_MOST_BYTES_UPLOADED = 20_000_000
_HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}
# FastAPI's own documentation page loads its script from a public server; it is served without one.


class _TooLarge(Exception):
    pass


class Observed:
    """Wraps the whole app."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {k.decode("latin-1"): v.decode("latin-1") for k, v in scope["headers"]}
        given = headers.get("x-request-id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        began = time.perf_counter()
        status = 500
        started = overflowed = refused = False
        most = _MOST_BYTES_UPLOADED if scope["path"] == "/api/v1/ingest" else _MOST_BYTES
        taken = 0

        async def counted() -> Message:
            nonlocal taken, overflowed
            message = await receive()
            taken += len(message.get("body", b""))
            overflowed = overflowed or taken > most
            if overflowed:
                raise _TooLarge
            return message

        async def finished(message: Message) -> None:
            nonlocal status, started, refused
            if overflowed and not started:
                # The framework takes a body that cannot be read for a bad one; it was too large.
                refused = started = True
                await too_large()
            if refused:
                return
            if message["type"] == "http.response.start":
                status, started = message["status"], True
            await send(with_headers(message))

        def with_headers(message: Message) -> Message:
            if message["type"] == "http.response.start":
                present = {k.lower() for k, _ in message["headers"]}
                extra = {**_HEADERS, "x-request-id": request_id}
                message["headers"] = [
                    *message["headers"],
                    *((k.encode(), v.encode()) for k, v in extra.items() if k.encode() not in present),
                ]
            return message

        async def plain(message: Message) -> None:
            await send(with_headers(message))

        async def too_large() -> None:
            nonlocal status
            status = 413
            response = problems.respond(Request(scope), 413, f"the request is larger than {most:,} bytes")
            await response(scope, receive, plain)

        structlog.contextvars.bind_contextvars(request_id=request_id)
        try:
            if headers.get("content-length", "0").isdigit() and int(headers.get("content-length", "0")) > most:
                await too_large()
            else:
                await self._app(scope, counted, finished)
        except _TooLarge:
            if not started:
                await too_large()
        except Exception as error:
            # Where it happened, not what it says: the message of a database error can hold what people wrote.
            frames = [f"{f.filename}:{f.lineno} {f.name}" for f in traceback.extract_tb(error.__traceback__)[-12:]]
            log.error("unhandled", path=scope["path"], error=type(error).__name__, frames=frames)
            if started:
                raise
            told = "something went wrong on our side; the log has it under the request id"
            await problems.respond(Request(scope), 500, told)(scope, receive, plain)
        finally:
            route = getattr(scope.get("route"), "path", "unmatched")
            seconds = time.perf_counter() - began
            REQUESTS.labels(route, scope["method"], status).inc()
            SECONDS.labels(route).observe(seconds)
            if route not in ("/healthz", "/readyz", "/metrics"):
                log.info("request", method=scope["method"], route=route, status=status, ms=round(seconds * 1000, 1))
            structlog.contextvars.unbind_contextvars("request_id")


def set_up_logging() -> None:
    """JSON lines on standard error, each with the request id; keys, cookies and what people say are never logged."""
    import logging
    import sys

    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
    )
