"""The API over HTTP: one drill end to end, and everything that can be refused."""

from __future__ import annotations

import json

import httpx
import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from coach.compose import Whetstone
from evals.scripts import turns
from tests.api.conftest import LEARNER, TRAINER

SCENARIO = "sales-bakery-price"


def test_a_whole_drill_through_http(http: httpx.Client) -> None:
    """Scenarios, start, turns as JSON and as events, score, scorecard, readings, rewind: over a real socket."""
    assert SCENARIO in [s["id"] for s in http.get("/api/v1/scenarios").json()]
    drill = http.post("/api/v1/drills", json={"scenario": SCENARIO, "seed": 1}).json()
    at = f"/api/v1/drills/{drill['id']}"
    for number, text in enumerate(turns(SCENARIO, "middling"), 1):
        body = {"number": number, "text": text}
        if number % 2:
            drill = http.post(f"{at}/turns", json=body).raise_for_status().json()
        else:
            answer = http.post(f"{at}/turns", json=body, headers={"Accept": "text/event-stream"})
            events = [e.split("\n") for e in answer.raise_for_status().text.strip().split("\n\n")]
            assert [e[0] for e in events] == ["event: piece"] * (len(events) - 1) + ["event: done"]
            drill = json.loads(events[-1][1].removeprefix("data: "))
            pieces = "".join(json.loads(e[1].removeprefix("data: "))["text"] for e in events[:-1])
            assert pieces == drill["turns"][-1]["customer"]
        if drill["over"]:
            break
    assert drill["ending"]["id"] == "left-open"
    card = http.post(f"{at}/score").raise_for_status().json()["scorecard"]
    assert card == http.get(f"{at}/scorecard").json()
    assert (card["passed"], 35 <= card["percent"] <= 50) == (False, True)
    assert {r["kind"] for r in card["readings"]} == {"case", "lesson"}
    missed = {m["check"]: m["say"] for m in card["missed"]}
    assert "五个多月" in missed["quantifies-return"]
    branch = http.post(f"{at}/rewind", json={"turns": 3}).raise_for_status().json()
    assert [t["learner"] for t in branch["turns"]] == turns(SCENARIO, "middling")[:3]
    assert (branch["parent"], branch["next_number"], branch["over"]) == (drill["id"], 4, False)
    assert http.get("/api/v1/drills").json()[0]["id"] == branch["id"]


def start(client: TestClient) -> str:
    drill = client.post("/api/v1/drills", json={"scenario": SCENARIO, "seed": 1}).json()
    return f"/api/v1/drills/{drill['id']}"


def test_a_repeated_turn_gets_the_same_answer(client: TestClient) -> None:
    at = start(client)
    body = {"number": 1, "text": "您说贵，是跟哪家比的？"}
    first = client.post(f"{at}/turns", json=body, headers={"Idempotency-Key": "k1"}).json()
    again = client.post(f"{at}/turns", json=body, headers={"Idempotency-Key": "k1"}).json()
    assert first == again
    assert len(again["turns"]) == 1


@pytest.mark.parametrize(
    ("body", "status", "word"),
    [
        ({"number": 1, "text": ""}, 422, "empty"),
        ({"number": 1, "text": "长" * 2001}, 422, "2001"),
        ({"number": 1, "text": "a\x00b"}, 422, "NUL"),
        ({"number": 0, "text": "好"}, 422, "number"),
        ({"number": 5, "text": "好"}, 409, "turn 1 is next"),
        ({"text": "好"}, 422, "number"),
        ({"number": "一", "text": "好"}, 422, "number"),
        ([], 422, "body"),
    ],
)
def test_a_turn_that_cannot_be_taken_names_what_is_wrong(
    client: TestClient, body: object, status: int, word: str
) -> None:
    at = start(client)
    answer = client.post(f"{at}/turns", json=body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert word in problem["detail"]
    assert client.get(at).json()["turns"] == []


def test_text_is_kept_exactly(client: TestClient) -> None:
    at = start(client)
    hostile = "<script>alert(1)</script> '; DROP TABLE turn;-- 😀 \u202e倒写 {{7*7}} ../../etc/passwd"
    client.post(f"{at}/turns", json={"number": 1, "text": hostile})
    assert client.get(at).json()["turns"][0]["learner"] == hostile


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "/api/v1/scenarios"),
        ("get", "/api/v1/status"),
        ("post", "/api/v1/drills"),
        ("get", "/api/v1/drills/x"),
        ("post", "/api/v1/drills/x/turns"),
        ("get", "/api/v1/search?q=a"),
        ("post", "/api/v1/ingest"),
        ("get", "/v1/models"),
        ("post", "/v1/chat/completions"),
    ],
)
def test_nothing_without_a_key(client: TestClient, method: str, path: str) -> None:
    client.headers.pop("Authorization")
    assert client.request(method, path).status_code == 401
    assert client.request(method, path, headers={"Authorization": "Bearer wk_guess"}).status_code == 401
    assert client.request(method, path, headers={"Authorization": "Basic eDp5"}).status_code == 401


def test_one_learner_does_not_see_the_other(client: TestClient) -> None:
    at = start(client)
    assert client.get(at, headers=TRAINER).status_code == 404
    assert client.post(f"{at}/score", headers=TRAINER).status_code == 404


def test_only_a_trainer_adds_to_the_library(client: TestClient) -> None:
    files = {"files": ("a.txt", b"x")}
    assert client.post("/api/v1/ingest", files=files).status_code == 403


def test_a_request_too_large_is_refused(client: TestClient) -> None:
    at = start(client)
    answer = client.post(f"{at}/turns", json={"number": 1, "text": "长" * 400_000})
    assert answer.status_code == 413
    assert answer.json()["title"]


def test_a_request_too_large_in_pieces_is_refused_too(client: TestClient) -> None:
    at = start(client)
    answer = client.post(f"{at}/turns", content=(b"x" * 100_000 for _ in range(11)))
    assert answer.status_code == 413
    assert client.get(at).json()["turns"] == []


def test_a_fault_of_ours_is_told_with_the_request_id(coach: Whetstone, monkeypatch: pytest.MonkeyPatch) -> None:
    client = TestClient(create_app(coach, demo=True), base_url="http://127.0.0.1", headers=LEARNER)
    monkeypatch.setattr(type(coach), "sessions", property(lambda _: 1 / 0))
    answer = client.get("/api/v1/drills/x", headers={"X-Request-ID": "abc"})
    assert (answer.status_code, answer.headers["x-request-id"]) == (500, "abc")
    assert "ZeroDivision" not in answer.text


def test_a_search_that_fails_does_not_cost_the_score(coach: Whetstone, monkeypatch: pytest.MonkeyPatch) -> None:
    client = TestClient(create_app(coach, demo=True), base_url="http://127.0.0.1", headers=LEARNER)
    at = start(client)
    client.post(f"{at}/turns", json={"number": 1, "text": "您说贵，是跟哪家比的？"})
    monkeypatch.setattr(type(coach), "library_ready", property(lambda _: True))
    monkeypatch.setattr(type(coach), "library", property(lambda _: 1 / 0))
    card = client.post(f"{at}/score").raise_for_status().json()["scorecard"]
    assert (card["readings"], card["points"] > 0) == ([], True)


def test_what_is_not_there(client: TestClient) -> None:
    assert client.get("/api/v1/scenarios/nope").status_code == 404
    assert client.post("/api/v1/drills", json={"scenario": "nope"}).status_code == 404
    assert client.get("/api/v1/drills/nope").status_code == 404
    assert client.get("/api/v1/nope").status_code == 404
    at = start(client)
    assert client.get(f"{at}/scorecard").status_code == 404


def test_a_voice_that_is_not_there_is_named(client: TestClient) -> None:
    answer = client.post("/api/v1/drills", json={"scenario": SCENARIO, "voice": "llm"})
    assert (answer.status_code, "not configured" in answer.json()["detail"]) == (422, True)


def test_the_learner_is_not_told_what_the_customer_hides(client: TestClient) -> None:
    told = json.dumps(client.get(f"/api/v1/scenarios/{SCENARIO}").json(), ensure_ascii=False)
    assert "47,760" in told
    for hidden in ("店加", "陈总", "一个半小时", "五万"):
        assert hidden not in told


def test_health_readiness_and_metrics(client: TestClient) -> None:
    assert client.get("/healthz").text == "ok"
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json()) == (503, {"database": "ok", "index": "building"})
    start(client)
    measured = client.get("/metrics").text
    assert 'whetstone_requests_total{method="POST",route="/api/v1/drills",status="201"}' in measured


def test_every_answer_has_a_request_id_and_safe_headers(client: TestClient) -> None:
    answer = client.get("/healthz", headers={"X-Request-ID": "abc-1"})
    assert answer.headers["x-request-id"] == "abc-1"
    forged = client.get("/healthz", headers={"X-Request-ID": "a b<script>"})
    assert forged.headers["x-request-id"] != "a b<script>"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_the_demo_answers_to_this_machine_only(client: TestClient) -> None:
    assert client.get("/healthz", headers={"Host": "evil.example"}).status_code == 400


def test_another_site_cannot_act_by_the_browsers_cookie(client: TestClient) -> None:
    from api.auth import COOKIE
    from coach.store import accounts

    coach: Whetstone = client.app.state.whetstone  # type: ignore[attr-defined]
    me = accounts.ensure(coach.engine, "学员", "learner")
    client.headers.pop("Authorization")
    client.cookies.set(COOKIE, accounts.sign_in(coach.engine, me.id))
    body = {"scenario": SCENARIO}
    cross = client.post("/api/v1/drills", json=body, headers={"Sec-Fetch-Site": "cross-site"})
    assert cross.status_code == 403
    assert client.post("/api/v1/drills", json=body, headers={"Origin": "http://evil.example"}).status_code == 403
    assert client.post("/api/v1/drills", json=body, headers={"Sec-Fetch-Site": "same-origin"}).status_code == 201


def test_openapi_documents_every_route_with_examples(client: TestClient) -> None:
    document = client.get("/api/openapi.json").json()
    for path in ("/api/v1/drills", "/api/v1/drills/{drill_id}/turns", "/v1/chat/completions", "/api/v1/search"):
        assert path in document["paths"]
    assert document["components"]["schemas"]["PostTurn"]["examples"]
    summaries = [o["description"] for p in document["paths"].values() for o in p.values()]
    assert all(summaries)
