"""A real server process: killed in the middle of a turn, and watched for where it connects."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from sqlalchemy import Engine

from tests.api.conftest import LEARNER
from tests.fake_openai import FakeOpenAI

TURNS = ["您说贵，是跟现在这套比，还是手上有别家的报价？", "现在各家店每天订货是怎么定的？", "每个月报损大概有多少？"]


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port: int = s.getsockname()[1]
        return port


@contextmanager
def server(home: Path, **settings: str) -> Iterator[tuple[subprocess.Popen[str], httpx.Client]]:
    """`whetstone serve --demo` in a process of its own, and a client that waits for it."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("WHETSTONE_")}
    env |= {"WHETSTONE_HOME": str(home), **settings}
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-c", "from coach.cli import main; main()", "serve", "--demo", "--port", str(port)],
        env=env,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    banner = ""
    while "Whetstone" not in banner:
        line = process.stderr.readline()
        assert line, f"the server did not start: {banner}"
        banner += line
    # What it logs later must not fill the pipe.
    threading.Thread(target=process.stderr.read, daemon=True).start()
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=LEARNER, timeout=60) as client:
            yield process, client
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(30)


def test_killed_in_the_middle_of_a_turn_nothing_answered_is_lost(tmp_path: Path, engine: Engine) -> None:
    """On both databases: two turns are answered, the process dies inside the third, the next process goes on."""
    asked = threading.Event()
    third = {"seen": False}

    def reply(messages: list[dict[str, str]]) -> str:
        if third["seen"]:
            asked.set()
            threading.Event().wait(30)
        return "嗯。"

    database = engine.url.render_as_string(hide_password=False)
    with FakeOpenAI(reply=reply) as fake:
        llm = {"WHETSTONE_LLM_BASE_URL": fake.base_url, "WHETSTONE_LLM_MODEL": "fake", "WHETSTONE_LLM_API_KEY": "k"}
        with server(tmp_path, WHETSTONE_DATABASE_URL=database, **llm) as (process, client):
            drill = client.post("/api/v1/drills", json={"scenario": "sales-bakery-price", "seed": 1}).json()
            at = f"/api/v1/drills/{drill['id']}"
            for number, text in enumerate(TURNS[:2], 1):
                answered = client.post(f"{at}/turns", json={"number": number, "text": text}).json()
            third["seen"] = True
            posting = threading.Thread(target=_post_into_the_void, args=(client, f"{at}/turns", 3, TURNS[2]))
            posting.start()
            assert asked.wait(30), "the third turn never reached the model"
            os.kill(process.pid, signal.SIGKILL)
            process.wait(30)
            posting.join(30)
        fake.close()
    with server(tmp_path, WHETSTONE_DATABASE_URL=database) as (_, client):
        kept = client.get(at).json()
        assert kept["turns"][:2] == answered["turns"]
        assert (kept["turns"][2]["learner"], kept["turns"][2]["customer"]) == (TURNS[2], None)
        told = client.post(f"{at}/turns", json={"number": 3, "text": TURNS[2]}).json()
        assert "三万" in told["turns"][2]["customer"]
        assert client.post(f"{at}/turns", json={"number": 3, "text": TURNS[2]}).json() == told


def _post_into_the_void(client: httpx.Client, path: str, number: int, text: str) -> None:
    try:
        client.post(path, json={"number": number, "text": text})
    except httpx.HTTPError:
        return


WATCHED = """
import json, sys
reached = []
def hook(event, args):
    if event == "socket.connect":
        reached.append(repr(args[1]))
    elif event == "socket.getaddrinfo":
        reached.append(repr(args[0]))
sys.addaudithook(hook)
from pathlib import Path
from fastapi.testclient import TestClient
from api.app import create_app
from coach.compose import Whetstone
from coach.settings import Settings
from evals.scripts import turns
coach = Whetstone(Settings())
coach.build_library()
app = create_app(coach, demo=True)
client = TestClient(app, base_url="http://127.0.0.1", headers={"Authorization": "Bearer demo-learner"})
drill = client.post("/api/v1/drills", json={"scenario": "sales-bakery-price", "seed": 1}).json()
at = f"/api/v1/drills/{drill['id']}"
for n, text in enumerate(turns("sales-bakery-price", "middling")[:4], 1):
    assert client.post(f"{at}/turns", json={"number": n, "text": text}).status_code == 200
assert client.post(f"{at}/score").json()["scorecard"]["readings"]
assert client.get("/api/v1/search", params={"q": "客户嫌贵"}).json()["hits"]
print(json.dumps(reached))
"""


def test_a_drill_connects_to_nothing_beyond_this_machine(tmp_path: Path) -> None:
    """With the model voice on a loopback endpoint; every connection and name look-up of the process is written down."""
    with FakeOpenAI(reply="嗯。") as fake:
        env = {k: v for k, v in os.environ.items() if not k.startswith(("WHETSTONE_", "LANG"))}
        env |= {
            "WHETSTONE_HOME": str(tmp_path),
            "WHETSTONE_LLM_BASE_URL": fake.base_url,
            "WHETSTONE_LLM_MODEL": "fake",
        }
        done = subprocess.run([sys.executable, "-c", WATCHED], env=env, capture_output=True, text=True, timeout=110)
        assert done.returncode == 0, done.stderr[-2000:]
        assert fake.requests, "the model was never asked: the test proves nothing"
    reached = json.loads(done.stdout.splitlines()[-1])
    beyond = [r for r in reached if "127.0.0.1" not in r and "localhost" not in r and "::1" not in r]
    assert beyond == []
    assert reached
