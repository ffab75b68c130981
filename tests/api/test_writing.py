"""Writing scenarios over HTTP and on the page: for trainers only, and whatever they send."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from coach.catalogue import load
from coach.compose import Whetstone
from coach.scoring.judges import NumberJudge, PatternJudge
from coach.settings import Settings
from tests.api.conftest import LEARNER, TRAINER
from tests.coach.test_authoring import BASE, BROKEN, LEARNERS, WRONG, a_few, own

API = "/api/v1/authoring"
BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
    for before, name in zip("abcdefghij", "bcdefghijk", strict=True)
)
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whetstone]:
    coach = Whetstone(Settings(home=tmp_path_factory.mktemp("home"), llm_model=""))
    coach.judges = (PatternJudge(), NumberJudge())
    with pytest.MonkeyPatch.context() as patch:
        folder = a_few(tmp_path_factory.mktemp("few") / "library")
        patch.setattr("coach.catalogue.load", functools.partial(load, folder))
        yield coach


@pytest.fixture
def client(shared: Whetstone) -> TestClient:
    return TestClient(create_app(shared, demo=True), base_url="http://127.0.0.1", headers=TRAINER)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", f"{API}/check"),
        ("POST", f"{API}/playtest"),
        ("POST", f"{API}/publish"),
        ("GET", f"{API}/scenarios/sales-bakery-price/versions"),
        ("POST", f"{API}/draft/case-x"),
        ("GET", "/write"),
        ("POST", "/write"),
    ],
)
def test_writing_is_for_trainers(client: TestClient, method: str, path: str) -> None:
    # What ships has secrets in it: the text of a scenario is as little for learners as publishing is.
    answer = client.request(method, path, headers=LEARNER)
    assert answer.status_code == 403
    assert "陈总" not in answer.text
    client.headers.pop("Authorization")
    assert client.request(method, path).status_code == 401


def test_checking(client: TestClient) -> None:
    assert client.post(f"{API}/check", json={"scenario": BASE}).json() == []
    where, _, message = WRONG.partition(": ")
    found = client.post(f"{API}/check", json={"scenario": BROKEN}).json()
    assert found[0] == {"severity": "error", "where": where, "message": message}


def test_playing(client: TestClient) -> None:
    rows = client.post(f"{API}/playtest", json={"scenario": BASE, "learners": LEARNERS}).json()
    assert [r["learner"] for r in rows if r["passed"]] == ["good"]
    assert len(rows) == 7
    assert client.post(f"{API}/playtest", json={"scenario": BROKEN}).status_code == 422


def test_publishing(client: TestClient) -> None:
    assert client.post(f"{API}/publish", json={"scenario": BROKEN}).json()["detail"] == WRONG
    answer = client.post(f"{API}/publish", json={"scenario": own("by-http")})
    assert (answer.status_code, answer.json()) == (201, {"id": "by-http", "version": 1})
    assert client.post(f"{API}/publish", json={"scenario": own("by-http")}).json()["version"] == 2
    told = client.get(f"{API}/scenarios/by-http/versions").json()
    assert [(v["version"], v["who"], v["body"]) for v in told] == [
        (1, "demo-trainer", own("by-http")),
        (2, "demo-trainer", own("by-http")),
    ]
    assert client.get(f"{API}/scenarios/sales-bakery-price/versions").json() == []
    assert client.get("/api/v1/scenarios/by-http", headers=LEARNER).json()["title"] == "自己写的一场"
    assert client.post("/api/v1/drills", json={"scenario": "by-http"}, headers=LEARNER).status_code == 201


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (BOMB, 422),
        ("a: &a [*a]", 422),
        ("!!python/object/apply:os.system [exit]", 422),
        (BASE.replace("saas", "sa\x00as"), 422),
        ("", 422),
        ("x" * 200_001, 422),
        ("x" * 1_000_001, 413),
    ],
    ids=["bomb", "loop", "python", "nul", "empty", "long", "longer"],
)
@pytest.mark.parametrize("path", ["check", "playtest", "publish", "page"])
def test_hostile_bodies(client: TestClient, path: str, text: str, status: int) -> None:
    if path == "page":
        answer = client.post("/write", data={"text": text, "do": "check"})
    else:
        answer = client.post(f"{API}/{path}", json={"scenario": text})
    assert answer.status_code == status


@pytest.mark.parametrize("body", [[], {}, {"scenario": 3}, {"scenario": BASE, "extra": 1}, {"scenario": None}])
def test_bodies_of_another_shape(client: TestClient, body: object) -> None:
    assert client.post(f"{API}/check", json=body).status_code == 422


def test_a_draft_waits_for_the_library(client: TestClient) -> None:
    assert client.post(f"{API}/draft/case-x").status_code == 503


def test_the_page_opens_checks_plays_and_publishes(client: TestClient) -> None:
    page = client.get("/write", params={"scenario": "sales-bakery-price"}).text
    assert "陈总拍板，只看多久回本" in page
    assert "没有发现问题" in client.post("/write", data={"text": BASE, "do": "check"}).text
    wrong = client.post("/write", data={"text": BROKEN, "do": "check"})
    assert "there is no check named no-such-check" in wrong.text
    played = client.post("/write", data={"text": BASE, "do": "playtest"}).text
    assert "trial-agreed" in played
    refused = client.post("/write", data={"text": BROKEN, "do": "publish"})
    assert (refused.status_code, "no-such-check" in refused.text) == (422, True)
    text = own("by-page").replace("\n", "\r\n")
    done = client.post("/write", data={"text": text, "do": "publish"}, follow_redirects=False)
    assert (done.status_code, done.headers["location"]) == (303, "/scenarios/by-page")
    # A browser sends its own ends of lines.
    assert own("by-page").splitlines() == client.get(f"{API}/scenarios/by-page/versions").json()[0]["body"].splitlines()
    assert "自己写的一场" in client.get("/write", params={"scenario": "by-page"}).text
    assert client.post("/write", data={"text": BASE, "do": "burn"}).status_code == 422


def test_what_a_trainer_writes_is_text_on_every_page(client: TestClient) -> None:
    text = own("with-html", f"'{HOSTILE}'").replace("seat: 烘焙", f"seat: '</textarea>{HOSTILE}烘焙", 1)
    text = text.replace("运营总监\nrubric", "运营总监'\nrubric", 1)
    assert client.post(f"{API}/publish", json={"scenario": text}).status_code == 201
    drill = client.post("/scenarios/with-html/start").url.path
    pages = [
        client.get("/").text,
        client.get("/scenarios/with-html").text,
        client.get("/write", params={"scenario": "with-html"}).text,
        client.get(drill).text,
        client.post("/write", data={"text": f"</textarea>{HOSTILE}: [", "do": "check"}).text,
    ]
    for page in pages:
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert(1)" in page
