"""The web application: API, OpenAI-compatible endpoint and pages over one running coach."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI
from starlette.middleware.trustedhost import TrustedHostMiddleware

from api import problems
from api.observe import Observed
from api.routes import authoring, chat, drills, health, library
from api.web import pages, practice, writing
from coach.compose import Whetstone

_LOOPBACK = ["127.0.0.1", "localhost", "[::1]"]


def create_app(coach: Whetstone, *, demo: bool = False) -> FastAPI:
    """The app. The index is built in the background, so that the first page need not wait for it.

    Args:
        demo: serve the demo accounts; the caller sees to it that only this machine can reach them.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        threading.Thread(target=coach.warm, name="warm-up", daemon=True).start()
        yield

    app = FastAPI(
        title="Whetstone 砺石",
        version=version("whetstone"),
        summary="Practice hard conversations with a simulated customer, and be scored with evidence.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
    )
    app.state.whetstone = coach
    app.state.demo = demo
    problems.install(app)
    routes = (health, drills, authoring, library, chat, pages, practice, writing)
    for router in (module.router for module in routes):
        app.include_router(router)
    pages.mount_static(app)
    app.add_middleware(Observed)
    if demo:
        # A name that merely resolves to this machine (DNS rebinding) must not reach the demo accounts.
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=_LOOPBACK)
    return app
