"""Modes, casting, help, rests, branches and concerns over HTTP, and whose they are."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from coach.compose import Whetstone
from coach.scoring.judges import NumberJudge, PatternJudge
from coach.settings import Settings
from coach.store import accounts
from tests.api.conftest import LEARNER, TRAINER

SCENARIO = "sales-bakery-price"
IN_NEED = "我真的不想活了，谁也别管我。"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Whetstone:
    coach = Whetstone(Settings(home=tmp_path_factory.mktemp("home"), llm_model=""))
    coach.judges = (PatternJudge(), NumberJudge())
    return coach


@pytest.fixture
def client(shared: Whetstone, request: pytest.FixtureRequest) -> TestClient:
    """Signed in as somebody new: assessments are taken once."""
    key = accounts.add(shared.engine, request.node.name[:80], "learner")
    app = create_app(shared, demo=True)
    return TestClient(app, base_url="http://127.0.0.1", headers={"Authorization": f"Bearer {key}"})


def start(client: TestClient, **how: object) -> str:
    drill = client.post("/api/v1/drills", json={"scenario": SCENARIO, "seed": 1, **how}).raise_for_status().json()
    return f"/api/v1/drills/{drill['id']}"


def say(client: TestClient, at: str, number: int, text: str = "您说贵，是跟哪家比的？") -> dict[str, object]:
    told: dict[str, object] = (
        client.post(f"{at}/turns", json={"number": number, "text": text}).raise_for_status().json()
    )
    return told


def test_a_drill_tells_its_mode_level_and_customer(client: TestClient) -> None:
    usual = client.get(start(client)).json()
    assert (usual["mode"], usual["level"], usual["customer"], usual["deadline"]) == ("practice", 3, "周敏", None)
    other = client.get(start(client, mode="assessment", persona="gu-heng", level=5)).json()
    name = next(p["name"] for p in client.get(f"/api/v1/scenarios/{SCENARIO}/cast").json() if p["id"] == "gu-heng")
    assert (other["mode"], other["level"], other["customer"]) == ("assessment", 5, name)
    assert other["deadline"] is not None


def test_anybody_is_drawn_by_the_seed(client: TestClient) -> None:
    people = [p["name"] for p in client.get(f"/api/v1/scenarios/{SCENARIO}/cast").json()]
    assert people[0] == "周敏"
    for seed in (0, 5, len(people) + 1):
        drill = client.get(start(client, persona="any", seed=seed)).json()
        assert drill["customer"] == people[seed % len(people)]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"mode": "easy"}, 422),
        ({"level": 6}, 422),
        ({"level": 0}, 422),
        ({"level": "hard"}, 422),
        ({"persona": "nobody-here"}, 404),
        ({"persona": "zheng-yuqing"}, 404),
        ({"persona": "x" * 65}, 422),
        ({"scenario": "sales-discovery", "mode": "strict"}, 422),
    ],
)
def test_what_cannot_be_started(client: TestClient, body: dict[str, object], status: int) -> None:
    answer = client.post("/api/v1/drills", json={"scenario": SCENARIO, **body})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert client.get("/api/v1/drills").json() == []


def test_watching_shows_what_was_written_with_notes(client: TestClient) -> None:
    good, bad = (client.get(f"/api/v1/scenarios/{SCENARIO}/watch?quality={q}").json() for q in ("good", "bad"))
    assert client.get(f"/api/v1/scenarios/{SCENARIO}/watch").json() == good
    assert good["ending"] == "同意试用并约见陈总"
    assert good["percent"] > 70 > 30 > bad["percent"]
    assert "问清“贵”是跟什么比" in good["turns"][0]["shows"]
    assert any(t["note"] for t in good["turns"])
    assert good["turns"][-1]["trust"] > bad["turns"][-1]["trust"]
    assert client.get(f"/api/v1/scenarios/{SCENARIO}/watch?quality=best").status_code == 422
    assert client.get("/api/v1/scenarios/nope/watch").status_code == 404
    assert client.get("/api/v1/scenarios/nope/cast").status_code == 404


def test_a_hint_is_counted_once(client: TestClient) -> None:
    at = start(client)
    told = client.post(f"{at}/hint", json={}).json()
    assert (told["check"], told["strength"], told["text"]) == ("acknowledges-concern", "direction", "先接住对方的顾虑")
    example = client.post(f"{at}/hint", json={"strength": "example"}).json()
    assert example["text"].startswith("我理解您的顾虑，一下子比现在贵这么多")
    client.post(f"{at}/hint", json={"strength": "example"})
    assert client.get(at).json()["hints"] == 2
    assert client.post(f"{at}/hint", json={"strength": "everything"}).status_code == 422
    assert client.post(f"{at}/score").json()["scorecard"]["hints"] == 2
    assert client.post(f"{at}/hint", json={}).status_code == 409


def test_an_assessment_over_http(client: TestClient) -> None:
    at = start(client, mode="assessment")
    assert client.post("/api/v1/drills", json={"scenario": SCENARIO, "mode": "assessment"}).status_code == 409
    for path, body in (("hint", {}), ("pause", None), ("rewind", {"turns": 0})):
        assert client.post(f"{at}/{path}", json=body).status_code == 409
    assert client.post(f"{at}/release").status_code == 403
    assert client.post(f"{at}/release", headers=TRAINER).status_code == 204
    assert client.post("/api/v1/drills/nope/release", headers=TRAINER).status_code == 404
    start(client, mode="assessment")
    assert client.post("/api/v1/drills", json={"scenario": SCENARIO, "mode": "assessment"}).status_code == 409


def test_a_rest_over_http(client: TestClient) -> None:
    at = start(client)
    assert client.post(f"{at}/pause").json()["paused"] is True
    assert client.post(f"{at}/turns", json={"number": 1, "text": "您好"}).status_code == 409
    assert client.post(f"{at}/resume").json()["paused"] is False
    assert len(say(client, at, 1)["turns"]) == 1  # type: ignore[arg-type]


def test_branches_are_those_of_one_conversation(client: TestClient) -> None:
    start(client)
    at = start(client)
    say(client, at, 1)
    first = at.rsplit("/", 1)[1]
    second = client.post(f"{at}/rewind", json={"turns": 1}).json()["id"]
    third = client.post(f"/api/v1/drills/{second}/rewind", json={"turns": 0}).json()["id"]
    percent = client.post(f"{at}/score").json()["scorecard"]["percent"]
    told = client.get(f"/api/v1/drills/{third}/branches").json()
    assert [(b["id"], b["parent"], b["parent_turns"], b["percent"]) for b in told] == [
        (first, None, None, percent),
        (second, first, 1, None),
        (third, second, 0, None),
    ]


def test_a_concern_reaches_trainers_until_one_has_seen_to_it(client: TestClient) -> None:
    at = start(client)
    say(client, at, 1)
    told = say(client, at, 2, IN_NEED)
    turns = told["turns"]
    assert isinstance(turns, list)
    assert turns[1]["voice"]["source"] == "care"
    assert "12356" in turns[1]["customer"]
    me = at.rsplit("/", 1)[1]
    assert client.get("/api/v1/concerns").status_code == 403
    waiting = client.get("/api/v1/concerns", headers=TRAINER).json()
    assert [(c["turn"], c["kind"]) for c in waiting if c["drill_id"] == me] == [(2, "self-harm")]
    assert client.post(f"/api/v1/concerns/{me}/2/seen").status_code == 403
    assert client.post(f"/api/v1/concerns/{me}/1/seen", headers=TRAINER).status_code == 404
    assert client.post(f"/api/v1/concerns/{me}/2/seen", headers=TRAINER).status_code == 204
    assert client.get("/api/v1/concerns", headers=TRAINER).json() == []
    assert client.post(f"/api/v1/concerns/{me}/2/seen", headers=TRAINER).status_code == 404


def test_a_turn_number_out_of_this_world(client: TestClient) -> None:
    assert client.post(f"/api/v1/concerns/x/{10**20}/seen", headers=TRAINER).status_code in (404, 422)


def test_the_mood_is_not_told_in_an_assessment(client: TestClient) -> None:
    turns = say(client, start(client, mode="assessment"), 1)["turns"]
    assert isinstance(turns, list)
    assert turns[0]["mood"] is None


@pytest.mark.parametrize("who", [LEARNER, TRAINER])
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", None),
        ("GET", "/branches", None),
        ("GET", "/scorecard", None),
        ("POST", "/turns", {"number": 2, "text": "您好"}),
        ("POST", "/hint", {}),
        ("POST", "/pause", None),
        ("POST", "/resume", None),
        ("POST", "/rewind", {"turns": 0}),
        ("POST", "/score", None),
    ],
)
def test_somebody_elses_drill_is_nowhere(
    client: TestClient, who: dict[str, str], method: str, path: str, body: object
) -> None:
    at = start(client)
    before = say(client, at, 1)
    assert client.request(method, at + path, json=body, headers=who).status_code == 404
    assert client.get(at).json() == before
