"""The pages without script: who may see what, and a whole drill by forms alone."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from api.app import create_app
from api.web import language
from api.web.marks import Quote, matched, quoted
from api.web.render import markdown, plain
from coach.compose import Whetstone
from coach.drill.guard import Refusal
from coach.llm.call import Endpoint, Reason
from coach.settings import Settings
from coach.store import accounts, drills
from evals.scripts import turns

SCENARIO = "sales-bakery-price"
HTML = {"accept": "text/html"}
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)> 您现在这套系统是怎么订货的？"


@pytest.fixture(scope="module")
def coach(tmp_path_factory: pytest.TempPathFactory) -> Whetstone:
    """One for all these tests: what one of them keeps is no other's business."""
    return Whetstone(Settings(home=tmp_path_factory.mktemp("home"), llm_model=""))


def visit(coach: Whetstone, *, demo: bool = False, base_url: str = "http://localhost") -> TestClient:
    """A new browser, as it were. The app's lifespan is not run, so the index is never built."""
    return TestClient(create_app(coach, demo=demo), base_url=base_url)


@pytest.fixture
def visitor(coach: Whetstone) -> TestClient:
    return visit(coach, demo=True)


@pytest.fixture
def with_model(tmp_path: Path) -> Whetstone:
    """A coach with a language model that these tests never call."""
    endpoint = Endpoint(base_url="http://127.0.0.1:9/v1", api_key=SecretStr(""), model="qwen-test")
    return Whetstone(Settings(home=tmp_path), endpoint)


@pytest.fixture
def learner(visitor: TestClient) -> TestClient:
    visitor.post("/sign-in", data={"demo": "demo-learner"})
    return visitor


def start(client: TestClient) -> str:
    """Begin a drill; its path."""
    return client.post(f"/scenarios/{SCENARIO}/start").url.path


def say(client: TestClient, drill: str, number: int, text: str) -> str:
    return client.post(f"{drill}/turns", data={"number": number, "text": text}).text


def test_both_languages_have_the_same_texts_with_the_same_blanks() -> None:
    zh, en = language.strings("zh"), language.strings("en")
    assert zh.keys() == en.keys()
    blanks = re.compile(r"\{\w+\}")
    assert {k: sorted(blanks.findall(v)) for k, v in zh.items()} == {
        k: sorted(blanks.findall(v)) for k, v in en.items()
    }


def test_every_text_the_templates_ask_for_exists() -> None:
    templates = (Path(language.__file__).parent / "templates").glob("*.html")
    asked = {key for t in templates for key in re.findall(r"t\('([\w.-]+)'[,)]", t.read_text(encoding="utf-8"))}
    assert len(asked) > 80
    assert asked <= language.strings("zh").keys()


def test_a_stranger_is_shown_what_is_at_work_and_asked_to_sign_in(visitor: TestClient) -> None:
    page = visitor.get("/")
    assert page.status_code == 200
    assert "剧本台词（不用大模型）" in page.text
    assert "句式规则" in page.text
    assert "以演示学员进入" in page.text
    assert "十二家面包店" not in page.text


def test_demo_accounts_are_only_offered_and_only_taken_in_the_demo(coach: Whetstone) -> None:
    client = visit(coach)
    assert "以演示学员进入" not in client.get("/").text
    assert client.post("/sign-in", data={"demo": "demo-learner"}).status_code == 401
    assert not client.cookies


def test_signing_in_with_a_key_and_out_again(coach: Whetstone, visitor: TestClient) -> None:
    key = accounts.add(coach.engine, "小林", "learner")
    answer = visitor.post("/sign-in", data={"key": f" {key} "}, follow_redirects=False)
    assert answer.status_code == 303
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "secure" not in cookie
    assert "十二家面包店嫌系统贵" in visitor.get("/").text
    token = visitor.cookies["whetstone_session"]
    visitor.post("/sign-out")
    assert accounts.by_token(coach.engine, token) is None
    assert "访问密钥" in visitor.get("/").text


def test_the_cookie_is_secure_where_the_host_is_not_this_machine(coach: Whetstone) -> None:
    key = accounts.add(coach.engine, "小周", "learner")
    answer = visit(coach, base_url="http://coach.example.com").post(
        "/sign-in", data={"key": key}, follow_redirects=False
    )
    assert "secure" in answer.headers["set-cookie"].lower()


def test_a_wrong_key_is_told_on_the_page(visitor: TestClient) -> None:
    page = visitor.post("/sign-in", data={"key": "wk_nope"})
    assert page.status_code == 401
    assert "这个密钥不对" in page.text
    assert not visitor.cookies


def test_a_sign_in_from_another_site_is_refused(visitor: TestClient) -> None:
    page = visitor.post("/sign-in", data={"demo": "demo-learner"}, headers={"sec-fetch-site": "cross-site"})
    assert page.status_code == 403
    assert "这个操作不被允许" in page.text
    assert not visitor.cookies


def test_forms_from_another_site_are_refused(learner: TestClient) -> None:
    page = learner.post(f"/scenarios/{SCENARIO}/start", headers={"origin": "https://evil.example"})
    assert page.status_code == 403


@pytest.mark.parametrize("next", ["https://evil.example/", "//evil.example", "/\\evil.example"])
def test_signing_in_never_leads_to_another_site(visitor: TestClient, next: str) -> None:
    answer = visitor.post("/sign-in", data={"demo": "demo-learner", "next": next}, follow_redirects=False)
    assert answer.headers["location"] == "/?tried=1"


def test_a_page_for_members_asks_to_sign_in_and_then_shows(visitor: TestClient) -> None:
    page = visitor.get(f"/scenarios/{SCENARIO}")
    assert page.status_code == 401
    assert f'name="next" value="/scenarios/{SCENARIO}"' in page.text
    shown = visitor.post("/sign-in", data={"demo": "demo-learner", "next": f"/scenarios/{SCENARIO}"})
    assert shown.url.path == f"/scenarios/{SCENARIO}"
    assert "<strong>这次谈话要做到的</strong>" in shown.text
    assert "店加" not in shown.text, "what the customer hides must not be on the page"


def test_a_browser_that_keeps_no_cookie_is_told_so(visitor: TestClient) -> None:
    assert "浏览器没有保存会话" in visitor.get("/?tried=1").text


def test_a_whole_drill_without_script(learner: TestClient) -> None:
    drill = start(learner)
    lines = turns(SCENARIO, "good")
    page = ""
    for number, line in enumerate(lines, 1):
        page = say(learner, drill, number, line)
        assert f'id="turn-{number}"' in page
    assert 'data-state="over"' in page
    assert "同意试用并约见陈总" in page
    card = learner.post(f"{drill}/score")
    assert card.url.path == f"{drill}/scorecard"
    assert '<p class="verdict">通过</p>' in card.text
    assert "<mark" in card.text
    assert 'href="#turn-3"' in card.text
    assert len(card.content) < 200_000
    assert "通过" in learner.get("/").text
    assert learner.post(f"{drill}/score").text == card.text


def test_a_blocked_drill_fails_with_the_words_that_failed_it(learner: TestClient) -> None:
    drill = start(learner)
    say(learner, drill, 1, "我跟您保证，用了我们系统三个月回本，百分之百。")
    card = learner.post(f"{drill}/score").text
    assert '<p class="verdict">未通过</p>' in card
    blocked = card[card.index("一票否决") : card.index("逐条评分")]
    assert "我跟您保证，用了我们系统三个月回本" in blocked
    assert 'href="#turn-1"' in blocked
    assert '<mark class="bad">' in card


def test_what_a_learner_types_is_text_everywhere(learner: TestClient) -> None:
    drill = start(learner)
    said = say(learner, drill, 1, HOSTILE)
    card = learner.post(f"{drill}/score").text
    for page in (said, card):
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "&lt;script&gt;alert(1)" in page


def test_a_refused_turn_stays_in_the_box(learner: TestClient) -> None:
    drill = start(learner)
    answer = learner.post(f"{drill}/turns", data={"number": 1, "text": "长" * 2001})
    assert answer.status_code == 422
    assert "最多 2000 字" in answer.text
    assert "长" * 2001 + "</textarea>" in answer.text
    answer = learner.post(f"{drill}/turns", data={"number": 5, "text": "这句别丢"})
    assert answer.status_code == 409
    assert "这句别丢</textarea>" in answer.text


def test_rewinding_begins_a_new_drill_with_the_turns_before(learner: TestClient) -> None:
    drill = start(learner)
    say(learner, drill, 1, "您好，方便聊几分钟吗？")
    say(learner, drill, 2, "这句要重来。")
    again = learner.post(f"{drill}/rewind", data={"turns": 1})
    assert again.url.path not in (drill, "/")
    assert "您好，方便聊几分钟吗？" in again.text
    assert "这句要重来。" not in again.text
    assert "这句要重来。" in learner.get(drill).text
    assert learner.post(f"{drill}/rewind", data={"turns": 9}).status_code == 409


def test_a_turn_that_was_never_answered_is_offered_again(coach: Whetstone, learner: TestClient) -> None:
    drill = start(learner)
    assert drills.add_turn(coach.engine, drill.rsplit("/", 1)[1], 1, '他问："多少钱？"', None)
    page = learner.get(drill).text
    assert 'data-state="pending"' in page
    assert 'name="text" value="他问：&#34;多少钱？&#34;"' in page
    assert 'data-state="open"' in say(learner, drill, 1, '他问："多少钱？"')


@pytest.mark.parametrize("lang", language.LANGUAGES)
def test_every_reason_for_an_authored_line_has_words(lang: str) -> None:
    texts = language.strings(lang)
    assert all(texts[f"degraded.{reason}"] for reason in get_args(Reason))
    assert all(texts[f"refusal.{reason}"] for reason in get_args(Refusal))


@pytest.mark.parametrize("lang", language.LANGUAGES)
def test_every_judge_and_voice_has_a_name(with_model: Whetstone, lang: str) -> None:
    texts = language.strings(lang)
    assert all(texts[f"judge.{name}"] for name in with_model.judge_names)
    assert all(texts[f"voice.{name}"] for name in with_model.voices)


def test_with_a_model_its_name_is_shown_and_the_voice_can_be_chosen(with_model: Whetstone) -> None:
    client = visit(with_model, demo=True)
    assert "语言模型 qwen-test" in client.get("/").text
    client.post("/sign-in", data={"demo": "demo-learner"})
    page = client.get(f"/scenarios/{SCENARIO}").text
    assert re.findall(r'name="voice" value="(\w+)" (checked)?', page) == [("builtin", ""), ("llm", "checked")]
    assert client.post(f"/scenarios/{SCENARIO}/start", data={"voice": "builtin"}).status_code == 200
    assert client.post(f"/scenarios/{SCENARIO}/start", data={"voice": "tenor"}).status_code == 422


def test_a_model_that_cannot_be_reached_is_named_in_the_chat_and_on_the_scorecard(with_model: Whetstone) -> None:
    client = visit(with_model, demo=True)
    client.post("/sign-in", data={"demo": "demo-learner"})
    drill = start(client)
    assert "本句由剧本台词代替：连不上模型" in say(client, drill, 1, "您现在这套系统是怎么订货的？")
    card = client.post(f"{drill}/score").text
    assert "语言模型（只提意见，不投票）：连不上模型" in card
    assert "问清现在怎么做" in card


@pytest.mark.parametrize(
    ("spoken", "note"),
    [
        ({"source": "builtin", "refused": [], "degraded": "timeout"}, "本句由剧本台词代替：模型超时"),
        (
            {"source": "builtin", "refused": ["echo", "leak"], "degraded": ""},
            "本句由剧本台词代替：模型说了客户还不该说的事",
        ),
        ({"source": "llm", "refused": [], "degraded": "server_error"}, "本句没有说完：模型服务出错"),
        ({"source": "llm", "refused": ["echo"], "degraded": ""}, None),
    ],
)
def test_a_line_that_is_not_what_was_asked_for_says_why(
    coach: Whetstone, learner: TestClient, spoken: dict[str, object], note: str | None
) -> None:
    drill = start(learner)
    drill_id = drill.rsplit("/", 1)[1]
    drills.add_turn(coach.engine, drill_id, 1, "您好。", None)
    drills.answer_turn(coach.engine, drill_id, 1, {"verdicts": {}, "spoken": {"text": "嗯，你说。", **spoken}})
    notes = re.findall(r'<p class="note">(.*?)</p>', learner.get(drill).text)
    assert notes == ([note] if note else [])


@pytest.mark.parametrize("path", ["", "/scorecard"])
def test_other_peoples_drills_are_not_there(coach: Whetstone, learner: TestClient, path: str) -> None:
    drill = start(learner)
    key = accounts.add(coach.engine, f"别人{path}", "trainer")
    other = visit(coach)
    other.post("/sign-in", data={"key": key})
    page = other.get(drill + path)
    assert page.status_code == 404
    assert "没有找到这一页" in page.text
    assert other.post(f"{drill}/score").status_code == 404


def test_addresses_that_lead_nowhere(learner: TestClient) -> None:
    page = learner.get("/nowhere", headers=HTML)
    assert page.status_code == 404
    assert "没有找到这一页" in page.text
    assert learner.get("/api/v1/nowhere", headers=HTML).headers["content-type"] == "application/problem+json"
    assert learner.get("/scenarios/nothing").status_code == 404


def test_the_language_once_asked_for_is_kept(learner: TestClient) -> None:
    assert "选一场来练" in learner.get("/").text
    page = learner.get("/?lang=en").text
    assert '<html lang="en">' in page
    assert "Twelve bakeries, one price objection" in page
    assert "Pick a conversation" in learner.get("/").text
    assert "Page not found" in learner.get("/nowhere", headers=HTML).text
    assert "Pick a conversation" in learner.get("/?lang=xx").text
    assert "选一场来练" in learner.get("/?lang=zh").text


def test_search_before_the_index_is_built_says_so(learner: TestClient) -> None:
    page = learner.get("/search", params={"q": "<b>嫌贵</b>"})
    assert page.status_code == 200
    assert "资料库正在建立索引" in page.text
    assert "<b>嫌贵" not in page.text
    assert learner.get("/items/case-sales-price-saas-01").status_code == 503


def test_pages_are_private_and_have_nothing_inline(learner: TestClient) -> None:
    drill = start(learner)
    page = learner.get(drill)
    assert page.headers["cache-control"] == "no-store"
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|https?://", page.text)


def test_own_files_are_asked_for_anew(visitor: TestClient) -> None:
    for name, kind in (("app.css", "text/css"), ("chat.js", "javascript"), ("logo.svg", "image/svg+xml")):
        answer = visitor.get(f"/static/{name}")
        assert kind in answer.headers["content-type"]
        assert answer.headers["cache-control"] == "no-cache"


def test_quotes_are_marked_at_their_words() -> None:
    cut = quoted("我保证三个月回本，好吗？", [Quote("三个月回本", "a", "bad")])
    assert [(s.text, s.tone, s.checks) for s in cut] == [
        ("我保证", None, ()),
        ("三个月回本", "bad", ("a",)),
        ("，好吗？", None, ()),
    ]


def test_overlapping_quotes_each_end_where_they_end() -> None:
    cut = quoted("甲乙丙丁戊己", [Quote("甲乙丙丁", "a", "good"), Quote("丙丁戊己", "b", "bad")])
    assert [(s.text, s.tone, s.checks) for s in cut] == [
        ("甲乙", "good", ()),
        ("丙丁", "bad", ("a",)),
        ("戊己", "bad", ("b",)),
    ]


def test_a_quote_that_is_not_there_marks_nothing() -> None:
    assert [(s.text, s.tone) for s in quoted("说了别的", [Quote("没说过的话", "a", "good")])] == [("说了别的", None)]
    assert quoted("", []) == []


def test_query_words_are_marked_in_either_script() -> None:
    assert [(s.text, s.tone) for s in matched("讓客戶安心。", "客户")] == [
        ("讓", None),
        ("客戶", "good"),
        ("安心。", None),
    ]
    # A character that folds to several still marks itself, and nothing beside it.
    assert [s.text for s in matched("共㈱客户", "客户") if s.tone] == ["客户"]


def test_markdown_is_shown_without_obeying_html() -> None:
    html = markdown("# 标题\n\n<script>x</script> **粗** [点](javascript:alert(1))")
    assert "<script>" not in html
    assert "<strong>粗</strong>" in html
    assert 'href="javascript' not in html
    assert plain("## 标题\n\n**周敏**：贵\n\n- 一\n- `二`") == "标题\n周敏：贵\n一\n二"
