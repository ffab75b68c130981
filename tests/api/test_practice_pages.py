"""The pages around a drill: casting, help, rests, watching, comparing, and what trainers see."""

from __future__ import annotations

import re

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from coach.compose import Whetstone
from coach.scoring.judges import NumberJudge, PatternJudge
from coach.settings import Settings
from coach.store import accounts
from tests.api.conftest import TRAINER

SCENARIO = "sales-bakery-price"
HOSTILE = "<script>alert(1)</script> 您现在这套系统是怎么订货的？"
IN_NEED = "我真的不想活了，谁也别管我。"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Whetstone:
    coach = Whetstone(Settings(home=tmp_path_factory.mktemp("home"), llm_model=""))
    coach.judges = (PatternJudge(), NumberJudge())
    return coach


@pytest.fixture
def client(shared: Whetstone, request: pytest.FixtureRequest) -> TestClient:
    key = accounts.add(shared.engine, request.node.name[:80], "learner")
    app = create_app(shared, demo=True)
    return TestClient(app, base_url="http://127.0.0.1", headers={"Authorization": f"Bearer {key}"})


def start(client: TestClient, **how: object) -> str:
    return client.post(f"/scenarios/{SCENARIO}/start", data=how).url.path


def say(client: TestClient, drill: str, number: int, text: str) -> str:
    return client.post(f"{drill}/turns", data={"number": number, "text": text}).text


def test_the_form_offers_people_levels_and_modes(client: TestClient) -> None:
    page = client.get(f"/scenarios/{SCENARIO}").text
    people = client.get(f"/api/v1/scenarios/{SCENARIO}/cast").json()
    assert re.findall(r'<option value="([a-z]+(?:-[a-z]+)*)"', page) == [*(p["id"] for p in people), "any"]
    assert re.findall(r'<option value="(\d)" (selected)?', page) == [
        (str(n), "selected" * (n == 3)) for n in range(1, 6)
    ]
    modes = re.findall(r'name="mode" value="(\w+)" (checked)?', page)
    assert modes == [("practice", "checked"), ("assessment", ""), ("strict", ""), ("free", "")]
    # Without a script there is nothing to say word for word.
    assert 'value="strict"' not in client.get("/scenarios/sales-discovery").text


def test_what_was_chosen_is_what_begins(client: TestClient) -> None:
    drill = start(client, persona="gu-heng", level=5, mode="free")
    told = client.get(f"/api/v1{drill}").json()
    assert (told["mode"], told["level"]) == ("free", 5)
    assert told["customer"] in client.get(drill).text
    assert client.post(f"/scenarios/{SCENARIO}/start", data={"level": 6}).status_code == 422
    assert client.post(f"/scenarios/{SCENARIO}/start", data={"mode": "easy"}).status_code == 422
    assert client.post(f"/scenarios/{SCENARIO}/start", data={"persona": "zheng-yuqing"}).status_code == 404


def test_a_hint_is_shown_and_counted(client: TestClient) -> None:
    drill = start(client)
    page = client.post(f"{drill}/hint", data={"strength": "direction"}).text
    assert '<p lang="zh-Hans">先接住对方的顾虑</p>' in page
    assert "已用 1 次提示" in page
    assert "先接住对方的顾虑" not in client.get(drill).text
    say(client, drill, 1, "您好。")
    assert "这场练习用了 1 次提示" in client.post(f"{drill}/score").text
    assert client.post(f"{drill}/hint", data={"strength": "all"}).status_code == 422


@pytest.mark.parametrize(
    ("mode", "mood", "hints", "pause"),
    [
        ("practice", True, True, True),
        ("free", False, True, True),
        ("strict", False, False, True),
        ("assessment", False, False, False),
    ],
)
def test_a_page_offers_what_its_mode_allows(
    client: TestClient, mode: str, mood: bool, hints: bool, pause: bool
) -> None:
    drill = start(client, mode=mode)
    page = say(client, drill, 1, "您好。")
    assert ('<p class="mood' in page) == mood
    assert (f'action="{drill}/hint' in page) == hints
    assert (f'action="{drill}/pause' in page) == pause
    assert (f'action="{drill}/rewind' in page) == (mode != "assessment")
    assert ("截止" in page) == (mode == "assessment")


def test_a_second_assessment_is_a_page_that_says_no(client: TestClient) -> None:
    start(client, mode="assessment")
    page = client.post(f"/scenarios/{SCENARIO}/start", data={"mode": "assessment"})
    assert page.status_code == 409
    assert "这一步现在做不了" in page.text


def test_a_resting_drill_offers_only_to_go_on(client: TestClient) -> None:
    drill = start(client)
    page = client.post(f"{drill}/pause").text
    assert 'data-state="paused"' in page
    assert "练习暂停了" in page
    assert 'name="text"' not in page
    assert f'action="{drill}/hint' not in page
    assert 'data-state="open"' in client.post(f"{drill}/resume").text


def test_watching_puts_the_good_beside_the_bad(client: TestClient) -> None:
    page = client.get(f"/scenarios/{SCENARIO}/watch").text
    for quality, heading in (("good", "谈得好的"), ("bad", "谈砸的")):
        told = client.get(f"/api/v1/scenarios/{SCENARIO}/watch?quality={quality}").json()
        assert heading in page
        assert f">{told['percent']}%<" in page
        for turn in told["turns"]:
            assert turn["learner"] in page
            assert turn["note"] in page
    assert client.get("/scenarios/nope/watch").status_code == 404


def test_two_branches_side_by_side_with_both_scores(client: TestClient) -> None:
    drill = start(client)
    say(client, drill, 1, "您说贵，是跟哪家比的？")
    say(client, drill, 2, HOSTILE)
    assert client.get(f"{drill}/compare").status_code == 404
    branch = client.post(f"{drill}/rewind", data={"turns": 1}).url.path
    say(client, branch, 2, "我跟您保证三个月回本。")
    assert client.get(f"{branch}/compare").text.count("未评分") == 2
    scores = [client.post(f"/api/v1{d}/score").json()["scorecard"]["percent"] for d in (drill, branch)]
    page = client.get(f"{branch}/compare").text
    assert re.findall(r"<td><strong>(\d+)%</strong></td>", page) == [str(s) for s in scores]
    assert "前 1 轮相同" in page
    assert "您说贵，是跟哪家比的？" not in page
    assert "我跟您保证三个月回本。" in page
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_comparing_with_a_drill_of_another_conversation_is_refused(client: TestClient) -> None:
    drill, stranger = start(client), start(client)
    client.post(f"{drill}/rewind", data={"turns": 0})
    assert client.get(f"{drill}/compare", params={"other": stranger.rsplit("/", 1)[1]}).status_code == 404
    assert client.get(f"{drill}/compare", params={"other": "<script>"}).status_code == 404


def test_what_was_understood_is_for_trainers(client: TestClient) -> None:
    drill = start(client)
    say(client, drill, 1, HOSTILE)
    assert client.get(f"{drill}/understanding").status_code == 403
    page = client.get(f"{drill}/understanding", headers=TRAINER)
    assert page.status_code == 200
    assert "问清现在怎么做" in page.text
    assert "<code>reveal:manual-ordering</code>" in page.text
    assert "<script>alert" not in page.text
    assert "&lt;script&gt;alert(1)" in page.text
    assert client.get("/drills/nope/understanding", headers=TRAINER).status_code == 404


def test_what_was_understood_of_strict_practice(client: TestClient) -> None:
    drill = start(client, mode="strict")
    say(client, drill, 1, IN_NEED)
    assert client.get(f"{drill}/understanding", headers=TRAINER).status_code == 200


def test_a_concern_is_on_every_trainers_home_until_seen(client: TestClient) -> None:
    drill = start(client)
    page = say(client, drill, 1, IN_NEED)
    assert "12356" in page
    at = f"/concerns/{drill.rsplit('/', 1)[1]}/1/seen"
    assert at not in client.get("/").text
    home = client.get("/", headers=TRAINER).text
    assert "请关心一下这些同事" in home
    assert f'href="{drill}/understanding#turn-1"' in home
    assert IN_NEED in client.get(f"{drill}/understanding", headers=TRAINER).text
    assert client.post(at).status_code == 403
    assert at in client.get("/", headers=TRAINER).text
    assert at not in client.post(at, headers=TRAINER).text


@pytest.mark.parametrize("path", ["/hint", "/pause", "/resume", "/compare", "/score"])
def test_somebody_elses_pages_are_nowhere(client: TestClient, path: str) -> None:
    drill = start(client)
    method = "GET" if path == "/compare" else "POST"
    answer = client.request(method, drill + path, data={"strength": "direction"}, headers=TRAINER)
    assert answer.status_code == 404
