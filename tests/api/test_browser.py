"""The pages in a real browser, against a real server: what only script and a browser can get right."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect, sync_playwright

from coach.compose import Whetstone
from coach.store import drills
from evals.scripts import turns
from tests.conftest import missing

pytestmark = pytest.mark.browser
LINES = turns("sales-bakery-price", "good")
expect.set_options(timeout=30_000)  # the first turn of all waits for the judges to be warmed up


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        missing("a browser (chromium)")
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        opened = playwright.chromium.launch(executable_path=path, args=flags)
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Browser, served: str) -> Iterator[Page]:
    """A new visitor's tab. Whatever the browser complains of, a policy violation above all, fails the test."""
    context = browser.new_context(base_url=served, viewport={"width": 390, "height": 844}, locale="zh-CN")
    tab = context.new_page()
    complaints: list[str] = []
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.on("console", lambda m: complaints.append(m.text) if m.type == "error" and "ERR_FAILED" not in m.text else None)
    yield tab
    context.close()
    assert complaints == []


def start(page: Page) -> None:
    page.goto("/")
    page.get_by_role("button", name="以演示学员进入").click()
    page.get_by_role("link", name="十二家面包店嫌系统贵").last.click()
    page.get_by_role("button", name="开始练习").click()
    page.wait_for_url("**/drills/*")
    page.wait_for_load_state("load")
    expect(page.locator("#turn-0 .customer")).to_be_visible()


def say(page: Page, number: int, text: str) -> None:
    # Deferred scripts have run when the page has loaded; before that Enter is a new line.
    page.wait_for_load_state("load")
    page.locator("#text").fill(text)
    page.keyboard.press("Enter")
    expect(page.locator(f"#talk #turn-{number} .customer")).to_be_visible()
    expect(page.locator(f"#talk #turn-{number} .learner p")).to_have_text(text)


def test_from_the_landing_to_the_scorecard(page: Page) -> None:
    start(page)
    say(page, 1, LINES[0])

    page.locator("#text").focus()
    devtools = page.context.new_cdp_session(page)
    devtools.send("Input.imeSetComposition", {"text": "nin", "selectionStart": 3, "selectionEnd": 3})
    composing = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13}
    devtools.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", **composing})
    devtools.send("Input.dispatchKeyEvent", {"type": "keyUp", **composing})
    expect(page.locator("#text")).to_have_value("nin")
    devtools.send("Input.insertText", {"text": "您说"})
    page.keyboard.insert_text("的是" + LINES[1])
    page.keyboard.press("Shift+Enter")
    page.keyboard.insert_text("第二行")
    assert page.locator(".turn-pair .learner").count() == 1, "neither the composing Enter nor Shift+Enter may send"
    page.keyboard.press("Enter")
    expect(page.locator("#talk #turn-2 .learner p")).to_have_text("您说的是" + LINES[1] + "\n第二行")

    say(page, 3, LINES[2])
    expect(page.locator(".status .turn")).to_have_text("第 4 / 14 轮")
    expect(page.locator("#text")).to_have_value("")
    page.get_by_role("button", name="结束并评分").click()

    expect(page).to_have_url(re.compile(r"/drills/\w+/scorecard$"))
    expect(page.get_by_role("heading", name="评分单")).to_be_visible()
    quote = page.locator(".verdicts blockquote.good a").first
    words = quote.locator("q").inner_text()
    anchor = quote.get_attribute("href")
    assert anchor
    expect(page.locator(f"{anchor} mark.good").filter(has_text=words)).to_be_visible()
    page.get_by_role("link", name=re.compile("异议|SPIN|价格|推进")).first.click()
    expect(page).to_have_url(re.compile(r"/items/"))


def test_retrying_from_a_turn(page: Page) -> None:
    start(page)
    say(page, 1, LINES[0])
    say(page, 2, LINES[1])
    before = page.url
    page.get_by_role("button", name="从第 2 轮重来").click()
    expect(page.locator(".turn-pair .learner")).to_have_count(1)
    assert page.url != before
    say(page, 2, LINES[2])


def test_a_turn_that_gets_no_answer_can_be_sent_again(page: Page) -> None:
    start(page)
    tries: list[str | None] = []

    def fail_once(route: Route) -> None:
        tries.append(route.request.post_data)
        if len(tries) == 1:
            route.abort()
        else:
            route.continue_()

    page.route("**/turns", fail_once)
    page.locator("#text").fill(LINES[0])
    page.get_by_role("button", name="发送").click()
    expect(page.get_by_role("alert").filter(has_text="你说的话还在")).to_be_visible()
    page.get_by_role("button", name="重试").click()
    expect(page.locator("#talk #turn-1 .learner p")).to_have_text(LINES[0])
    expect(page.locator(".trouble")).to_have_count(0)
    assert tries[0] == tries[1]


def test_what_is_typed_survives_a_reload(page: Page) -> None:
    start(page)
    page.locator("#text").fill("还没想好")
    page.reload()
    expect(page.locator("#text")).to_have_value("还没想好")


def test_too_much_is_told_and_not_cut(page: Page) -> None:
    start(page)
    page.locator("#text").fill("长" * 1990)
    expect(page.locator("#count")).to_have_text("还可输入 10 字")
    page.locator("#text").fill("长" * 2003)
    expect(page.locator("#count")).to_have_text("超出 3 字，请删减后再发")
    page.keyboard.press("Enter")
    expect(page.locator("#problem")).to_have_text("这句话太长，最多 2000 字。")
    expect(page.locator("#text")).to_have_value("长" * 2003)


def test_an_unanswered_turn_is_answered_on_return(page: Page, indexed: Whetstone) -> None:
    start(page)
    assert drills.add_turn(indexed.engine, page.url.rsplit("/", 1)[1], 1, LINES[0], None)
    page.reload()
    expect(page.locator("#talk #turn-1 .customer")).to_be_visible()
    say(page, 2, LINES[1])


def test_switching_the_language(page: Page) -> None:
    page.goto("/")
    page.get_by_role("link", name="English").click()
    page.get_by_role("button", name="Enter as the demo learner").click()
    expect(page.get_by_role("heading", name="Pick a conversation")).to_be_visible()
    expect(page.get_by_role("link", name="Twelve bakeries, one price objection").last).to_be_visible()
    page.get_by_role("link", name="中文").click()
    expect(page.get_by_role("heading", name="选一场来练")).to_be_visible()


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_wider_than_the_screen(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    start(page)
    say(page, 1, "网址" + "x" * 300)
    drill = page.url
    page.get_by_role("button", name="结束并评分").click()
    expect(page).to_have_url(re.compile("/scorecard$"))
    for path in ("/", "/scenarios/sales-bakery-price", drill, f"{drill}/scorecard", "/search?q=客户嫌贵怎么办"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


def test_words_another_tab_got_ahead_of_are_kept(page: Page) -> None:
    start(page)
    other = page.context.new_page()
    other.goto(page.url)
    say(page, 1, LINES[0])
    other.locator("#text").fill("这句在另一个标签页里写的")
    other.keyboard.press("Enter")
    expect(other.locator("#problem")).to_contain_text("刷新后再继续")
    other.reload()
    expect(other.locator("#turn-1 .customer")).to_be_visible()
    expect(other.locator("#text")).to_have_value("这句在另一个标签页里写的")
