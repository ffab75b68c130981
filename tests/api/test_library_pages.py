"""The library's pages: searching with filters, reading with what goes with it, the path; drafts and hostile titles."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from coach.compose import Whetstone
from coach.settings import Settings
from knowledge.item import Item
from tests.api.conftest import TRAINER
from tests.knowledge.fixtures_knowledge import BigramEmbeddings

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
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Whetstone:
    coach = Whetstone(Settings(home=tmp_path_factory.mktemp("small"), llm_model=""))
    coach.embeddings = BigramEmbeddings()
    return coach


@pytest.fixture
def small(home: Whetstone, monkeypatch: pytest.MonkeyPatch) -> Iterator[Whetstone]:
    """With a library of three items, which every test finds as they ship."""
    monkeypatch.setattr("knowledge.shipped.load_library", lambda: ITEMS)
    home.build_library()
    yield home
    home.library.roll_back(len(ITEMS), "tests")


def visit(coach: Whetstone, account: str) -> TestClient:
    browser = TestClient(create_app(coach, demo=True), base_url="http://localhost")
    browser.post("/sign-in", data={"demo": account})
    return browser


@pytest.fixture
def learner(small: Whetstone) -> TestClient:
    return visit(small, "demo-learner")


@pytest.fixture
def trainer(small: Whetstone) -> TestClient:
    return visit(small, "demo-trainer")


def page(client: TestClient, path: str, **params: str) -> str:
    answer = client.get(path, params=params or None)
    assert answer.status_code == 200, answer.text[:300]
    assert answer.headers["cache-control"] == "no-store"
    return answer.text


def found(html: str) -> list[str]:
    """Ids of the hits, in order."""
    return re.findall(r'<h2 lang="zh-Hans"><a href="/items/([^"]+)"', html)


class _Made(HTMLParser):
    """Collects what a page is made of that could act: scripts, handlers, addresses."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.acts: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag in ("script", "iframe", "object", "embed", "base", "style"):
            self.acts.append(tag)
        if tag == "img" and values.get("src") != "/static/logo.svg":
            self.acts.append(f"img {values.get('src')}")
        self.acts += [name for name in values if name.startswith("on") or name == "style"]
        addresses = [values.get(name) or "" for name in ("href", "src", "action", "xlink:href")]
        self.acts += [one for one in addresses if (one and not one.startswith(("/", "#"))) or one.startswith("//")]


def harmless(html: str) -> None:
    """Nothing of HOSTILE is obeyed: no element, no handler, no address."""
    assert _Made(html).acts == []


def ingest(client: TestClient, text: str, name: str, **params: object) -> str:
    files = [("files", (name, text.encode()))]
    answer = client.post("/api/v1/ingest", params=params, files=files, headers=TRAINER)  # type: ignore[arg-type]
    assert answer.status_code == 201, answer.text
    made: str = answer.json()[0]["item"]
    return made


# Searching.


def test_the_filters_keep_what_fits_and_stay_chosen(learner: TestClient) -> None:
    q = "道歉 包裹 标价"
    assert set(found(page(learner, "/search", q=q))) == {"case-late-parcel", "lesson-apology", "regulation-price"}
    for name, value, fitting in (
        ("role", "sales", {"regulation-price"}),
        ("kind", "case", {"case-late-parcel"}),
        ("tier", "senior", {"case-late-parcel"}),
        ("industry", "logistics", {"case-late-parcel"}),
        ("skill", "empathy", {"case-late-parcel", "lesson-apology"}),
    ):
        html = page(learner, "/search", q=q, **{name: value})
        assert set(found(html)) == fitting, name
        assert f'<option value="{value}" selected>' in html
        assert html.count("selected") == 1
    both = page(learner, "/search", q=q, kind="lesson", skill="empathy")
    assert set(found(both)) == {"lesson-apology"}
    assert found(page(learner, "/search", q=q, kind="template")) == []


def test_a_filter_that_is_none_is_no_filter(learner: TestClient) -> None:
    wrong = {"role": "boss", "kind": "' OR 1=1", "tier": HOSTILE, "industry": "太空", "skill": HOSTILE}
    html = page(learner, "/search", q="道歉 包裹 标价", **wrong)
    assert len(found(html)) >= 3
    assert "selected" not in html
    harmless(html)


def test_the_words_are_marked_in_the_passage(learner: TestClient) -> None:
    html = page(learner, "/search", q="错过生日", kind="case")
    assert re.search("<mark>[^<]*错过[^<]*</mark>", html)
    assert "情境" in html


def test_without_a_query_the_page_asks_for_one(learner: TestClient) -> None:
    for q in ("", "  ", "\u3000"):
        html = page(learner, "/search", q=q)
        assert found(html) == []
        assert 'href="/path"' in html


@pytest.mark.parametrize(
    "q",
    ['" OR *', "NEAR(", "title:x", "-", "a\x00b", "😀", "\u202e歉道", "'; DROP TABLE item;--", "长" * 5000, HOSTILE],
)
def test_a_query_is_text_everywhere(learner: TestClient, q: str) -> None:
    harmless(page(learner, "/search", q=q))
    harmless(page(learner, "/path", goal=q))


# Reading.


def test_an_item_has_a_drawing_and_what_goes_with_it(learner: TestClient) -> None:
    html = page(learner, "/items/case-late-parcel")
    assert "<h1>生日包裹晚到三天</h1>" in html
    assert "<h2>情境</h2>" in html
    assert 'class="graph"' in html
    assert html.count("<svg") == html.count("</svg>")
    drawing = html[html.index('<svg class="graph"') :]
    assert 'href="/items/lesson-apology"' in drawing[: drawing.index("</svg>")]
    after = drawing[drawing.index("</svg>") :]
    assert '<a href="/items/lesson-apology" lang="zh-Hans">道歉三句话</a>' in after
    assert 'href="/path?goal=case%3Acase-late-parcel"' in after
    # Every link of the page leads somewhere.
    for address in set(re.findall(r'href="(/(?:items|scenarios|search|path)[^"]*)"', html)):
        assert learner.get(address.replace("&amp;", "&")).status_code == 200, address


def test_an_item_in_english_has_its_english_title(learner: TestClient) -> None:
    html = page(learner, "/items/case-late-parcel", lang="en")
    assert 'lang="en">An apology in three sentences</a>' in html
    page(learner, "/items/case-late-parcel", lang="zh")


def test_what_there_is_not(learner: TestClient) -> None:
    for name in ("nothing", "..%2f..%2fetc%2fpasswd", "%00", "lesson-apology%00", "a" * 5000, "%3Cscript%3Ealert(1)"):
        answer = learner.get(f"/items/{name}", headers={"accept": "text/html"})
        assert answer.status_code == 404, name
        assert "没有找到这一页" in answer.text
        harmless(answer.text)


# The path.


def test_the_path_has_its_foundations_first_and_links_to_read(learner: TestClient) -> None:
    html = page(learner, "/path", goal="大促活动策划")
    titles = re.findall(r'<h2 lang="zh-Hans"><a href="/search\?q=[^"]*&amp;skill=([\w-]+)"', html)
    assert titles[-1] == "campaign-planning"
    assert {"data-analysis", "budgeting", "compliance"} <= set(titles[:-1])
    assert 'href="/items/regulation-price"' in html
    assert 'value="大促活动策划"' in html
    searched = re.findall(r'<h2 lang="zh-Hans"><a href="([^"]+)"', html)[0].replace("&amp;", "&")
    assert '<option value="compliance" selected>' in page(learner, searched)


def test_the_path_to_the_item_it_was_asked_for(learner: TestClient) -> None:
    html = page(learner, "/path", goal="case:case-late-parcel")
    assert re.findall(r'<h2 lang="zh-Hans"><a href="([^"]+)"', html)[-1] == "/items/case-late-parcel"
    assert "5" in html[html.index('role="status"') :].partition("</p>")[0]


def test_a_path_without_a_goal(learner: TestClient) -> None:
    for goal in ("", "   "):
        assert '<ol class="steps">' not in page(learner, "/path", goal=goal)


def test_the_path_to_a_big_sale_in_the_library_that_ships(indexed: Whetstone) -> None:
    html = page(visit(indexed, "demo-learner"), "/path", goal="大促活动策划")
    steps = re.findall(r"skill=([\w-]+)\"", html)
    assert steps[-1] == "campaign-planning"
    assert {"data-analysis", "budgeting", "compliance"} <= set(steps[:-1])
    assert html.count('href="/items/lesson-') >= 2
    assert 'href="/items/regulation-' in html


def test_every_page_of_the_library_that_ships_can_be_shown(indexed: Whetstone) -> None:
    browser = visit(indexed, "demo-learner")
    items = indexed.library.index.items()
    for item in items[:: max(1, len(items) // 12)]:
        html = page(browser, f"/items/{item.id}")
        assert html.count("<svg") == html.count("</svg>")
        assert ('class="graph"' in html) == (item.status == "published")


# Strangers, drafts, hostile titles.


def test_nothing_is_for_strangers(small: Whetstone) -> None:
    stranger = TestClient(create_app(small, demo=True), base_url="http://localhost")
    for path in ("/search?q=道歉", "/items/lesson-apology", "/path?goal=道歉"):
        answer = stranger.get(path)
        assert answer.status_code == 401
        assert APOLOGY not in answer.text


def test_a_draft_is_hidden_from_learners(learner: TestClient, trainer: TestClient) -> None:
    note = "回访记录\n顾客的手机是13812345678，寄到上海市浦东新区世纪大道100号502室。下午回访。\n"
    draft = ingest(trainer, note, "回访.txt", draft=True)
    hidden = learner.get(f"/items/{draft}")
    assert hidden.status_code == 404
    assert "下午回访" not in hidden.text
    for path in ("/search?q=下午回访顾客", f"/path?goal=lesson:{draft}", "/items/case-late-parcel"):
        html = page(learner, path)
        assert f"/items/{draft}" not in html
        assert "寄到" not in html
    shown = page(trainer, f"/items/{draft}")
    assert "13812345678" not in shown
    assert "下午回访" in shown
    assert 'class="tag bad"' in shown
    assert 'class="graph"' not in shown, "a draft goes with nothing yet"
    trainer.post(f"/api/v1/items/{draft}/publish", headers=TRAINER)
    assert "下午回访" in page(learner, f"/items/{draft}")
    assert draft in found(page(learner, "/search", q="下午回访顾客"))


def test_a_hostile_title_is_text_on_every_page(learner: TestClient, trainer: TestClient) -> None:
    front = {
        "id": "lesson-hostile",
        "kind": "lesson",
        "title": HOSTILE,
        "title_en": HOSTILE,
        "source": HOSTILE,
        "industry": HOSTILE[:60],
        "role": "support",
        "skills": ["empathy"],
        "related": ["lesson-apology"],
        "minutes": 1,
    }
    lines = "\n".join(f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in front.items())
    body = f"## {HOSTILE}\n危险的标题在这里。[点](javascript:alert(3)) <b onclick=alert(4)>粗</b>\n"
    ingest(trainer, f"---\n{lines}\n---\n{body}", "h.md")
    for lang in ("zh", "en"):
        for path in (
            "/items/lesson-hostile",
            "/items/lesson-apology",
            "/search?q=危险的标题在这里",
            "/path?goal=lesson-hostile",
        ):
            html = page(learner, path + ("&" if "?" in path else "?") + f"lang={lang}")
            harmless(html)
            assert "&lt;script&gt;alert(1)" in html, path


def test_a_title_that_turns_the_line_or_cannot_be_shown_is_drawn_as_plain_words(
    learner: TestClient, trainer: TestClient
) -> None:
    title = "\u202e倒着写的标题\u0007\ufffe" + "长" * 200
    front = f"id: lesson-odd\nkind: lesson\ntitle: {json.dumps(title)}\nsource: x\nskills: [empathy]\nrole: support"
    ingest(trainer, f"---\n{front}\n---\n奇怪的标题。", "o.md")
    html = page(learner, "/items/lesson-odd")
    drawing = html[html.index('<svg class="graph"') :].partition("</svg>")[0]
    assert "倒着写的标题" in drawing
    assert not re.search("[\u202e\u0007\ufffe]", drawing)
