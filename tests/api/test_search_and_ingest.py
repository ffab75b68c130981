"""Search and ingest over HTTP."""

from __future__ import annotations

import httpx
from fastapi.testclient import TestClient

from tests.api.conftest import TRAINER


def test_search_finds_the_lesson_on_objections(http: httpx.Client) -> None:
    found = http.get("/api/v1/search", params={"q": "客户异议怎么处理", "k": 3}).raise_for_status().json()
    assert found["hits"][0]["id"] == "lesson-sales-price-objection-02"
    assert found["took_ms"] > 0
    only = http.get("/api/v1/search", params={"q": "客户生气", "role": "support", "kind": "case"}).json()["hits"]
    assert {h["kind"] for h in only} == {"case"}
    assert {h["role"] for h in only} <= {"support", "common"}


def test_search_says_what_is_wrong(http: httpx.Client, client: TestClient) -> None:
    for params in ({}, {"q": ""}, {"q": "  "}, {"q": "a", "k": 0}, {"q": "a", "kind": "nope"}, {"q": "长" * 501}):
        assert http.get("/api/v1/search", params=params).status_code == 422, params
    assert client.get("/api/v1/search", params={"q": "异议"}).status_code == 503


def test_a_trainer_adds_documents_and_the_bad_ones_are_named(http: httpx.Client) -> None:
    text = "一、晨会怎么开\n晨会只讲三件事：昨天的数、今天的事、需要谁帮忙。十五分钟内结束，超时的话题会后单独谈。\n"
    good = text.encode()
    files = [
        ("files", ("../../晨会.txt", good)),
        ("files", ("broken.txt", bytes(range(256)) * 20)),
        ("files", ("empty.txt", b"")),
    ]
    answer = http.post("/api/v1/ingest", files=files, headers=TRAINER)
    told = {f["file"]: f for f in answer.raise_for_status().json()}
    assert told["../../晨会.txt"]["status"] == "added"
    assert (told["broken.txt"]["status"], bool(told["broken.txt"]["reason"])) == ("refused", True)
    assert told["empty.txt"]["status"] == "refused"
    hits = http.get("/api/v1/search", params={"q": "晨会讲哪三件事", "k": 1}).json()["hits"]
    assert "昨天的数" in hits[0]["passage"]


def test_names_that_no_disk_takes_and_files_that_all_fail(http: httpx.Client) -> None:
    text = "一、周会怎么开\n周会看三个数：新客、复购、客诉。每个数一句话讲原因，一句话讲下周做什么。\n".encode()
    long_name = "长" * 200 + ".txt"
    done = http.post("/api/v1/ingest", files=[("files", (long_name, text))], headers=TRAINER)
    assert (done.status_code, done.json()[0]["status"]) == (201, "added")
    for name in ("..", ".", "a\x00b"):
        refused = http.post("/api/v1/ingest", files=[("files", (name, b"x"))], headers=TRAINER)
        assert refused.status_code == 422, name
    twice = http.post(
        "/api/v1/ingest", files=[("files", ("同名.txt", text)), ("files", ("同名.txt", b"a" * 99))], headers=TRAINER
    )
    assert [f["status"] for f in twice.json()] == ["added", "refused"]
