"""The library over HTTP: who may do what, and what hostile input comes to."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from api.app import create_app
from api.routes import library as routes
from coach.compose import Whetstone
from coach.scoring.judges import NumberJudge, PatternJudge
from coach.settings import Settings
from evals.scripts import turns
from knowledge.item import Item
from tests.api.conftest import LEARNER, TRAINER
from tests.knowledge.fixtures_knowledge import BigramEmbeddings

API = "/api/v1"
APOLOGY = "先说对不起，再说错在哪里，不找借口。"
ITEMS = [
    Item(
        id="case-late-parcel",
        kind="case",
        title="生日包裹晚到三天",
        role="support",
        industry="logistics",
        tier="senior",
        skills=("empathy", "service-recovery"),
        related=("lesson-apology",),
        year=2023,
        source="测试",
        body="## 情境\n包裹晚到三天，顾客错过了孩子的生日。\n\n## 做法\n先道歉，再给出可兑现的补救时间。",
    ),
    Item(
        id="lesson-apology",
        kind="lesson",
        title="道歉三句话",
        title_en="An apology in three sentences",
        role="support",
        skills=("empathy",),
        minutes=5,
        source="测试",
        body=f"## 先认错\n{APOLOGY}\n\n## 再补救\n说清什么时候补：“今天六点前给您回电。”",
    ),
    Item(
        id="regulation-price",
        kind="regulation",
        title="明码标价",
        skills=("compliance",),
        source="测试",
        body="## 条文\n商品要明码标价，不得在标价之外加价出售。",
    ),
]
NOTE = "回访记录\n顾客的手机是13812345678，寄到上海市浦东新区世纪大道100号502室。下午回访。\n"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Whetstone:
    coach = Whetstone(Settings(home=tmp_path_factory.mktemp("small"), llm_model=""))
    coach.embeddings = BigramEmbeddings()
    coach.judges = (PatternJudge(), NumberJudge())
    return coach


@pytest.fixture
def app(home: Whetstone, monkeypatch: pytest.MonkeyPatch) -> Iterator[FastAPI]:
    """Over a library of three items, which every test finds as they ship."""
    monkeypatch.setattr("knowledge.shipped.load_library", lambda: ITEMS)
    home.build_library()
    yield create_app(home, demo=True)
    home.library.roll_back(len(ITEMS), "tests")


@pytest.fixture
def learner(app: FastAPI) -> TestClient:
    return TestClient(app, base_url="http://127.0.0.1", headers=LEARNER)


@pytest.fixture
def trainer(app: FastAPI) -> TestClient:
    return TestClient(app, base_url="http://127.0.0.1", headers=TRAINER)


@pytest.fixture
def real(indexed: Whetstone) -> TestClient:
    """Over the library that ships."""
    return TestClient(create_app(indexed, demo=True), base_url="http://127.0.0.1", headers=LEARNER)


def ids(client: TestClient, q: str, **wanted: object) -> set[str]:
    answer = client.get(f"{API}/search", params={"q": q, "k": 20, **wanted}).raise_for_status()
    return {hit["id"] for hit in answer.json()["hits"]}


def problem(answer: Any, status: int, word: str = "") -> None:
    """A problem document of that status whose detail holds `word`."""
    assert answer.status_code == status, answer.text[:300]
    assert answer.headers["content-type"] == "application/problem+json"
    assert word in answer.json()["detail"]


def ingested(trainer: TestClient, text: str = NOTE, name: str = "回访.txt", **params: object) -> str:
    """The id of a document taken in."""
    answer = trainer.post(f"{API}/ingest", params=params, files=[("files", (name, text.encode()))])
    assert answer.status_code == 201, answer.text
    found: str = answer.json()[0]["item"]
    return found


def drilled(client: TestClient, lines: int | None = None, scored: bool = True) -> str:
    """The id of a drill played by script."""
    drill = client.post(f"{API}/drills", json={"scenario": "support-late-parcel", "seed": 1}).json()["id"]
    for number, line in enumerate(turns("support-late-parcel", "good")[:lines], 1):
        client.post(f"{API}/drills/{drill}/turns", json={"number": number, "text": line}).raise_for_status()
    if scored:
        client.post(f"{API}/drills/{drill}/score").raise_for_status()
    return str(drill)


# Searching and reading.


def test_every_filter(learner: TestClient) -> None:
    q = "道歉 包裹 标价"
    assert ids(learner, q) == {"case-late-parcel", "lesson-apology", "regulation-price"}
    assert ids(learner, q, role="sales") == {"regulation-price"}
    assert ids(learner, q, role="support") == {"case-late-parcel", "lesson-apology", "regulation-price"}
    assert ids(learner, q, kind="case") == {"case-late-parcel"}
    assert ids(learner, q, industry="logistics") == {"case-late-parcel"}
    assert ids(learner, q, tier="senior") == {"case-late-parcel"}
    assert ids(learner, q, skill="empathy") == {"case-late-parcel", "lesson-apology"}
    assert ids(learner, q, year=2023) == {"case-late-parcel"}
    assert ids(learner, q, skill="empathy", kind="lesson", tier="junior") == {"lesson-apology"}
    assert ids(learner, q, skill="magic") == set()
    assert ids(learner, q, industry="' OR 1=1 --") == set()
    for wrong in ({"role": "boss"}, {"kind": "poem"}, {"tier": "top"}, {"year": 1899}, {"year": 10**30}, {"k": 51}):
        problem(learner.get(f"{API}/search", params={"q": q, **wrong}), 422, next(iter(wrong)))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("role", "operations"),
        ("kind", "regulation"),
        ("industry", "logistics"),
        ("tier", "senior"),
        ("skill", "negotiation"),
    ],
)
def test_every_filter_on_the_library_that_ships(real: TestClient, name: str, value: str) -> None:
    found = ids(real, "客户要求退款和赔偿怎么谈", **{name: value})
    assert found
    for item_id in found:
        item = real.get(f"{API}/items/{item_id}").raise_for_status().json()
        fits = {"role": item["role"] in (value, "common"), "skill": value in item["skills"]}
        assert fits.get(name, item.get(name) == value)


def test_an_answer_without_a_model_is_the_passages(learner: TestClient) -> None:
    told = learner.get(f"{API}/answer", params={"q": APOLOGY}).raise_for_status().json()
    assert (told["by"], told["sentences"], told["reason"], told["dropped"]) == ("passages", [], "", 0)
    assert told["question"] == APOLOGY
    assert told["passages"][0]["id"] == "lesson-apology"
    only = learner.get(f"{API}/answer", params={"q": APOLOGY, "kind": "regulation"}).json()
    assert {hit["kind"] for hit in only["passages"]} <= {"regulation"}


def test_an_item_is_read_whole(learner: TestClient) -> None:
    assert learner.get(f"{API}/items/lesson-apology").json() == ITEMS[1].model_dump(mode="json")
    problem(learner.get(f"{API}/items/nothing"), 404, "nothing")


def test_what_goes_with_an_item(learner: TestClient) -> None:
    found = learner.get(f"{API}/items/case-late-parcel/related", params={"k": 40}).raise_for_status().json()
    first = found[0]
    assert (first["id"], first["kind"], first["linked"]) == ("lesson:lesson-apology", "lesson", True)
    assert (first["title_en"], "skill:empathy" in first["via"]) == ("An apology in three sentences", True)
    assert {"skill:empathy", "skill:service-recovery"} <= {one["id"] for one in found}
    assert not any(one["id"].startswith(("role:", "industry:")) for one in found)
    assert len(learner.get(f"{API}/items/case-late-parcel/related", params={"k": 2}).json()) == 2
    problem(learner.get(f"{API}/items/nothing/related"), 404)
    problem(learner.get(f"{API}/items/case-late-parcel/related", params={"k": 0}), 422)


def test_a_path_has_its_foundations_first(learner: TestClient) -> None:
    way = learner.get(f"{API}/path", params={"goal": "大促活动策划"}).raise_for_status().json()
    steps = [step["id"] for step in way["steps"]]
    assert steps[-1] == "skill:campaign-planning"
    assert {"skill:data-analysis", "skill:budgeting", "skill:compliance"} <= set(steps[:-1])
    assert "regulation:regulation-price" in {item["id"] for step in way["steps"] for item in step["items"]}
    known = {"goal": "campaign-planning", "known": ["compliance", "skill:budgeting", "no-such-skill"]}
    left = {step["id"] for step in learner.get(f"{API}/path", params=known).json()["steps"]}
    assert not left & {"skill:compliance", "skill:budgeting"}
    ends = learner.get(f"{API}/path", params={"goal": "case:case-late-parcel"}).json()["steps"][-1]
    assert ends["id"] == "case:case-late-parcel"


def test_a_path_that_leads_nowhere(learner: TestClient) -> None:
    problem(learner.get(f"{API}/path", params={"goal": "  "}), 404, "nothing in the library")
    for wrong in ({}, {"goal": ""}, {"goal": "长" * 501}):
        problem(learner.get(f"{API}/path", params=wrong), 422, "goal")


def test_the_path_to_a_big_sale_in_the_library_that_ships(real: TestClient) -> None:
    way = real.get(f"{API}/path", params={"goal": "大促活动策划"}).raise_for_status().json()
    place = {step["id"]: n for n, step in enumerate(way["steps"])}
    for foundation in ("skill:data-analysis", "skill:budgeting", "skill:compliance"):
        assert place[foundation] < place["skill:campaign-planning"] == len(place) - 1
    items = [item["id"] for step in way["steps"] for item in step["items"]]
    assert len(items) == len(set(items)) > 4
    assert way["minutes"] > 0
    assert any(item.startswith("regulation:") for item in items)
    for item in items:
        real.get(f"{API}/items/{item.partition(':')[2]}").raise_for_status()
    for item in items[:5]:
        assert real.get(f"{API}/path", params={"goal": item}).json()["steps"][-1]["id"] == item


# Who may do what.

OPEN = {"/search", "/answer", "/items/{item_id}", "/items/{item_id}/related", "/path"}


def _routes() -> list[tuple[str, str]]:
    return [
        (method, route.path)  # type: ignore[attr-defined]
        for route in routes.router.routes
        for method in route.methods  # type: ignore[attr-defined]
    ]


def test_only_reading_is_for_learners(learner: TestClient) -> None:
    closed = [(method, path) for method, path in _routes() if path.removeprefix(API) not in OPEN or method != "GET"]
    assert len(closed) >= 9
    for method, path in closed:
        there = path.format(item_id="lesson-apology", drill_id="x")
        problem(learner.request(method, there), 403, "trainer")
    assert learner.get(f"{API}/items/lesson-apology").json() == ITEMS[1].model_dump(mode="json")


def test_nothing_is_for_strangers(app: FastAPI) -> None:
    stranger = TestClient(app, base_url="http://127.0.0.1")
    for method, path in _routes():
        problem(stranger.request(method, path.format(item_id="lesson-apology", drill_id="x")), 401)


def test_a_draft_is_there_for_trainers_only(trainer: TestClient, learner: TestClient) -> None:
    draft = ingested(trainer, draft=True)
    for path in (f"/items/{draft}", f"/items/{draft}/related"):
        problem(learner.get(API + path), 404, draft)
    told, missing = learner.get(f"{API}/items/{draft}").json(), learner.get(f"{API}/items/no-such").json()
    assert told["detail"].replace(draft, "no-such") == missing["detail"], "nothing tells that it is there"
    for client in (learner, trainer):
        assert draft not in ids(client, "下午回访顾客")
        assert draft not in client.get(f"{API}/answer", params={"q": "下午回访顾客"}).text
        way = client.get(f"{API}/path", params={"goal": f"lesson:{draft}"})
        assert way.status_code == 404 or draft not in way.text
        assert draft not in client.get(f"{API}/items/case-late-parcel/related", params={"k": 50}).text
    item = trainer.get(f"{API}/items/{draft}").raise_for_status().json()
    assert item["status"] == "draft"
    assert "13812345678" not in item["body"]
    assert "世纪大道" not in item["body"]
    problem(trainer.get(f"{API}/items/{draft}/related"), 404, "draft")


# What a trainer does.


def test_from_draft_to_published_to_confirmed_to_gone(trainer: TestClient, learner: TestClient) -> None:
    def waiting() -> dict[str, Any]:
        return {one["id"]: one for one in trainer.get(f"{API}/review").raise_for_status().json()}

    assert waiting() == {}
    draft = ingested(trainer, draft=True, kind="case")
    assert waiting()[draft]["status"] == "draft"
    assert set(waiting()[draft]["proposed"]) == {"role", "industry", "tier", "skills"}
    published = trainer.post(f"{API}/items/{draft}/publish").raise_for_status().json()
    assert published == trainer.get(f"{API}/items/{draft}").json()
    assert draft in ids(learner, "下午回访顾客")
    problem(trainer.post(f"{API}/items/{draft}/publish"), 409, "published already")
    assert waiting()[draft]["status"] == "published"
    tags = {"role": "support", "tier": "middle", "skills": ["empathy"], "industry": "retail"}
    confirmed = trainer.patch(f"{API}/items/{draft}/tags", json=tags).raise_for_status().json()
    assert {name: confirmed[name] for name in tags} == tags
    assert waiting() == {}
    assert ids(learner, "下午回访顾客", tier="middle", industry="retail") == {draft}
    assert trainer.delete(f"{API}/items/{draft}").status_code == 204
    problem(learner.get(f"{API}/items/{draft}"), 404)
    problem(trainer.delete(f"{API}/items/{draft}"), 404)
    log = trainer.get(f"{API}/library/log", params={"item": draft, "limit": 4}).json()
    assert [one["note"] for one in log] == ["", "tags confirmed", "published", "回访.txt"]
    assert {one["who"] for one in log} == {"demo-trainer"}


@pytest.mark.parametrize(
    ("tags", "word"),
    [
        ({"skills": ["magic"]}, "magic"),
        ({"role": "boss"}, "role"),
        ({"industry": ""}, "industry"),
        ({"industry": "\x00"}, "industry"),
        ({"status": "draft"}, "status"),
        ({"body": "x"}, "body"),
        ({"skills": "empathy"}, "skills"),
        ([], "body"),
    ],
)
def test_tags_that_are_none(trainer: TestClient, tags: object, word: str) -> None:
    problem(trainer.patch(f"{API}/items/lesson-apology/tags", json=tags), 422, word)
    assert trainer.get(f"{API}/items/lesson-apology").json() == ITEMS[1].model_dump(mode="json")


def test_there_must_be_an_item_to_do_something_with(trainer: TestClient) -> None:
    problem(trainer.patch(f"{API}/items/nothing/tags", json={}), 404, "nothing")
    problem(trainer.post(f"{API}/items/nothing/publish"), 404, "nothing")
    problem(trainer.delete(f"{API}/items/nothing"), 404, "nothing")


def test_a_draft_without_text_is_not_published(trainer: TestClient) -> None:
    draft = ingested(trainer, "# 标题\n\n## 小标题\n", "空.md", draft=True)
    problem(trainer.post(f"{API}/items/{draft}/publish"), 409, "no text")
    assert trainer.get(f"{API}/items/{draft}").json()["status"] == "draft"


def test_a_learners_drill_becomes_a_case(trainer: TestClient, learner: TestClient) -> None:
    drill = drilled(learner)
    made = trainer.post(f"{API}/drills/{drill}/case")
    assert made.status_code == 201
    case = made.json()
    assert (case["id"], case["status"], case["role"]) == (f"case-support-drill-{drill[:12]}", "draft", "support")
    problem(learner.get(f"{API}/items/{case['id']}"), 404)
    problem(trainer.post(f"{API}/drills/{drill}/case"), 409, case["id"])
    trainer.post(f"{API}/items/{case['id']}/publish").raise_for_status()
    assert "## 现场对话" in learner.get(f"{API}/items/{case['id']}").json()["body"]


def test_a_drill_that_shows_too_little_is_no_case(trainer: TestClient, learner: TestClient) -> None:
    problem(trainer.post(f"{API}/drills/{drilled(learner, scored=False)}/case"), 409, "not scored")
    problem(trainer.post(f"{API}/drills/{drilled(learner, 3)}/case"), 409, "not over")
    problem(trainer.post(f"{API}/drills/nothing/case"), 404, "nothing")


# The history.


def test_the_log_the_proof_and_the_way_back(trainer: TestClient, learner: TestClient) -> None:
    before = trainer.get(f"{API}/library/verify").raise_for_status().json()
    assert before["problems"] == []
    assert re.fullmatch("[0-9a-f]{64}", before["head"])
    trainer.delete(f"{API}/items/lesson-apology")
    trainer.patch(f"{API}/items/regulation-price/tags", json={"tier": "senior"})
    log = trainer.get(f"{API}/library/log", params={"limit": 2}).json()
    assert [(one["item_id"], one["action"], one["who"]) for one in log] == [
        ("regulation-price", "put", "demo-trainer"),
        ("lesson-apology", "remove", "demo-trainer"),
    ]
    assert log[0]["previous"] == log[1]["hash"]
    assert log[1]["previous"] == before["head"]
    assert "body" not in log[0]
    older = trainer.get(f"{API}/library/log", params={"before": log[1]["number"]}).json()
    assert older[0]["number"] == before["entries"]
    one = {"number": before["entries"], "item": "lesson-apology"}
    assert trainer.post(f"{API}/library/rollback", json=one).json() == ["lesson-apology"]
    assert learner.get(f"{API}/items/lesson-apology").status_code == 200
    assert learner.get(f"{API}/items/regulation-price").json()["tier"] == "senior"
    rest = trainer.post(f"{API}/library/rollback", json={"number": before["entries"]}).json()
    assert rest == ["regulation-price"]
    after = trainer.get(f"{API}/library/verify").json()
    assert (after["entries"], after["problems"]) == (before["entries"] + 4, [])


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"number": 10**6}, 404),
        ({"number": 1, "item": "nothing"}, 404),
        ({"number": 0}, 422),
        ({"number": -1}, 422),
        ({"number": "x"}, 422),
        ({}, 422),
        ({"number": 1, "to": 2}, 422),
        ({"number": 2**31}, 422),
        ({"number": 10**30}, 422),
    ],
)
def test_there_is_no_way_back_to_what_never_was(trainer: TestClient, body: dict[str, object], status: int) -> None:
    problem(trainer.post(f"{API}/library/rollback", json=body), status)


@pytest.mark.parametrize(
    "params", [{"limit": 0}, {"limit": 501}, {"before": 0}, {"before": 10**30}, {"before": "x"}, {"item": "a" * 161}]
)
def test_a_log_that_cannot_be_shown(trainer: TestClient, params: dict[str, object]) -> None:
    problem(trainer.get(f"{API}/library/log", params=params), 422, next(iter(params)))


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/library/rollback", '{"number": 1, "item": "\\ud800"}'),
        ("PATCH", "/items/lesson-apology/tags", '{"skills": ["\\ud800"]}'),
        ("PATCH", "/items/lesson-apology/tags", '{"industry": "\\ud800"}'),
        ("PATCH", "/items/lesson-apology/tags", '{"\\ud800": 1}'),
    ],
)
def test_half_a_character_is_refused(trainer: TestClient, method: str, path: str, body: str) -> None:
    answer = trainer.request(method, API + path, content=body, headers={"content-type": "application/json"})
    problem(answer, 422)


# Hostile input.

HOSTILE = [
    '" OR *',
    '"',
    "'",
    "''; DROP TABLE item; --",
    "NEAR(",
    "NEAR(退款 换货, 3)",
    "title:x",
    "title : 道歉",
    "-",
    "-道歉",
    "^道歉",
    "道歉*",
    "AND",
    "NOT NOT OR",
    "{title body}:x",
    "(((((",
    "%",
    "_",
    "\\",
    "a\x00b",
    "\x00",
    "😀😀",
    "👩‍👩‍👧‍👦",
    "\u202e歉道\u202c",
    "\u200b",
    "\ufeff",
    "\ufffe",
    "𠮷野家",
    "e\u0301" * 200,
    "<script>alert(1)</script>",
    "${7*7}{{7*7}}",
    "../../etc/passwd",
    "9" * 500,
    "一" * 500,
    "　道歉　",
]


@pytest.mark.parametrize("q", HOSTILE)
def test_a_query_is_words_whatever_it_looks_like(learner: TestClient, q: str) -> None:
    found = learner.get(f"{API}/search", params={"q": q})
    assert found.status_code == 200
    assert found.json()["query"] == q
    for hit in found.json()["hits"]:
        assert all(0 <= start < end <= len(hit["passage"]) for start, end in hit["marks"])
    assert learner.get(f"{API}/answer", params={"q": q}).status_code == 200
    assert learner.get(f"{API}/path", params={"goal": q, "known": [q]}).status_code in (200, 404)


def test_no_query_breaks_the_search_of_the_library_that_ships(real: TestClient) -> None:
    for q in ('" OR *', "NEAR(", "title:x", "-", "a\x00b", "👩‍👩‍👧‍👦", "\u202e歉道\u202c", "9" * 500, "\u200b"):
        assert real.get(f"{API}/search", params={"q": q}).status_code == 200, q


def test_a_query_that_is_none(learner: TestClient) -> None:
    for q in ("", "  ", "\u3000", "\t\n"):
        problem(learner.get(f"{API}/search", params={"q": q}), 422, "q")
        problem(learner.get(f"{API}/answer", params={"q": q}), 422, "q")
    assert learner.get(f"{API}/search?q=%ff%fe%ED%A0%80").status_code == 200


@pytest.mark.parametrize(
    "path", ["/search?q=", "/answer?q=", "/path?goal=", "/search?q=a&industry=", "/search?q=a&skill="]
)
def test_a_megabyte_of_query_is_refused(app: FastAPI, path: str) -> None:
    assert raw(app, "GET", API + path + "%E9%95%BF" * 111_112) == 422


def test_a_megabyte_of_body_is_refused(trainer: TestClient) -> None:
    for method, path in (("POST", "/library/rollback"), ("PATCH", "/items/lesson-apology/tags")):
        problem(trainer.request(method, API + path, content=b"[" * 1_000_001), 413, "larger")


def raw(app: FastAPI, method: str, target: str) -> int:
    """The status of a request whose address no client would build."""
    path, _, query = target.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(b"host", b"127.0.0.1"), (b"authorization", TRAINER["Authorization"].encode())],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    told: list[Any] = []

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        told.append(message)

    asyncio.run(app(scope, receive, send))  # type: ignore[arg-type]
    return int(next(message["status"] for message in told if message["type"] == "http.response.start"))


PATHS = [
    "..",
    ".",
    "../../etc/passwd",
    "..\\..\\windows",
    "lesson-apology/..",
    "/etc/passwd",
    "lesson-apology\x00",
    "lesson-apology\x00.md",
    "Lesson-Apology",
    " lesson-apology",
    "lesson-apology\n",
    "lesson:lesson-apology",
    "' OR '1'='1",
    "%",
    "%2e%2e",
    "*",
    "\u202elesson",
    "😀",
    "a" * 100_000,
]


@pytest.mark.parametrize("name", PATHS, ids=lambda name: ascii(name[:20]))
def test_an_id_is_an_id_and_no_path(app: FastAPI, name: str) -> None:
    for method, path in (
        ("GET", "/items/{}"),
        ("GET", "/items/{}/related"),
        ("PATCH", "/items/{}/tags"),
        ("POST", "/items/{}/publish"),
        ("DELETE", "/items/{}"),
        ("POST", "/drills/{}/case"),
    ):
        assert raw(app, method, API + path.format(name.replace("?", ""))) in (404, 405, 422), (method, path)
    item = TestClient(app, base_url="http://127.0.0.1", headers=LEARNER).get(f"{API}/items/lesson-apology")
    assert item.json() == ITEMS[1].model_dump(mode="json")


def test_hostile_files(trainer: TestClient, learner: TestClient) -> None:
    title = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"
    front = f"---\nid: lesson-hostile\nkind: lesson\ntitle: {json.dumps(title)}\nsource: x\n---\n危险的标题在这里。"
    assert ingested(trainer, front, "h.md") == "lesson-hostile"
    assert learner.get(f"{API}/items/lesson-hostile").json()["title"] == title
    for wrong in (
        "---\nid: ../../evil\nkind: lesson\ntitle: x\nsource: x\n---\n正文",
        "---\nid: UPPER\nkind: lesson\ntitle: x\nsource: x\n---\n正文",
        "---\nid: x\nkind: lesson\ntitle: x\nsource: x\nfile: /etc/passwd\nstatus: nonsense\n---\n正文",
        "---\nid: x\nkind: lesson\ntitle: !!python/object/apply:os.system ['id']\nsource: x\n---\n正文",
        "---\nid: x\nkind: lesson\ntitle: [[[[\n---\n正文",
        f"---\nid: x\nkind: lesson\ntitle: {'长' * 301}\nsource: x\n---\n正文",
        "---\nid: x\nkind: lesson\ntitle: x\nsource: x\nextra: 1\n---\n正文",
    ):
        answer = trainer.post(f"{API}/ingest", files=[("files", ("w.md", wrong.encode()))])
        problem(answer, 422, "no file could be taken")
        assert answer.json()["files"][0]["reason"]
