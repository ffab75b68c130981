"""A served app for the API's tests: demo accounts, no language model, the index not built unless asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import httpx
import pytest
import uvicorn
from fastapi.testclient import TestClient

from api.app import create_app
from coach.compose import Whetstone
from coach.settings import Settings

LEARNER = {"Authorization": "Bearer demo-learner"}
TRAINER = {"Authorization": "Bearer demo-trainer"}


@pytest.fixture
def client(coach: Whetstone) -> TestClient:
    """Without its lifespan: nothing is warmed up and the index is not built."""
    return TestClient(create_app(coach, demo=True), base_url="http://127.0.0.1", headers=LEARNER)


@pytest.fixture(scope="session")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Whetstone:
    """A coach with the shipped library in its index; shared, because building it takes seconds."""
    coach = Whetstone(Settings(home=tmp_path_factory.mktemp("indexed"), llm_model=""))
    coach.build_library()
    return coach


@pytest.fixture
def served(indexed: Whetstone) -> Iterator[str]:
    """The address of a real server over the indexed coach."""
    yield from run_server(lambda: indexed)


def run_server(build: Callable[[], Whetstone]) -> Iterator[str]:
    config = uvicorn.Config(create_app(build(), demo=True), port=0, log_config=None)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.01)
        assert thread.is_alive()
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(20)


@pytest.fixture
def http(served: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served, headers=LEARNER, timeout=30) as opened:
        yield opened
