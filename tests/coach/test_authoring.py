"""Writing scenarios: what is refused, what is published, and what a draft holds."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import SecretStr

from coach import authoring
from coach.authoring import AuthoringError
from coach.catalogue import SHIPPED, Catalogue, NotInCatalogue, load
from coach.compose import Whetstone
from coach.drill.scenario import Scenario
from coach.llm.call import Endpoint
from coach.scoring.judges import NumberJudge, PatternJudge
from coach.settings import Settings
from coach.store import accounts, authored
from knowledge.item import Item
from tests.fake_openai import FakeOpenAI

BASE = (SHIPPED / "scenarios" / "sales-bakery-price.yaml").read_text("utf-8")
LEARNERS = (SHIPPED / "learners" / "sales-bakery-price.yaml").read_text("utf-8")
BROKEN = BASE.replace("does: [asks-current-process]", "does: [no-such-check]")
WRONG = "facts.manual-ordering.when: there is no check named no-such-check"
CASE = Item(
    id="case-fresh-fish",
    kind="case",
    title="鲜鱼店不肯换冷柜",
    role="sales",
    industry="retail",
    tier="junior",
    skills=("discovery",),
    checks=("asks-budget", "offers-trial", "no-check-of-this-name"),
    source="测试",
    body="## 经过\n\n老板娘守着旧冷柜，怕停业三天。\n\n老板娘：你们这个冷柜，贵得没道理。\n\n"
    "销售：您现在一天电费多少？\n\n老板娘：停业三天，谁赔我？\n",
)


def own(name: str, title: str = "自己写的一场") -> str:
    """The bakery under another id."""
    text = BASE.replace("id: sales-bakery-price", f"id: {name}", 1)
    return text.replace("title: 十二家面包店嫌系统贵", f"title: {title}", 1)


def changed(text: str, change: Callable[[dict[str, Any]], object]) -> str:
    raw = yaml.safe_load(text)
    change(raw)
    return yaml.safe_dump(raw, allow_unicode=True)


def quick(home: Path, endpoint: Endpoint | None = None) -> Whetstone:
    """A coach whose judges need no model of meaning."""
    coach = Whetstone(Settings(home=home, llm_model=""), endpoint)
    coach.judges = (PatternJudge(), NumberJudge())
    return coach


def a_few(folder: Path) -> Path:
    """A library of two scenarios: publishing reads it anew, and all thirty take seconds each time."""
    for kind in ("personas", "rubrics", "checks"):
        (folder / kind).mkdir(parents=True)
        for path in (SHIPPED / kind).glob("*.yaml"):
            (folder / kind / path.name).symlink_to(path)
    for kind in ("scenarios", "learners"):
        (folder / kind).mkdir()
        for name in ("sales-bakery-price.yaml", "support-late-parcel.yaml"):
            (folder / kind / name).symlink_to(SHIPPED / kind / name)
    return folder


@pytest.fixture(scope="module", autouse=True)
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder = a_few(tmp_path_factory.mktemp("few") / "library")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("coach.catalogue.load", functools.partial(load, folder))
        yield


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Whetstone:
    """One for all tests that leave its catalogue sound; each publishes under an id of its own."""
    return quick(tmp_path_factory.mktemp("desk"))


def test_what_ships_has_nothing_wrong(catalogue: Catalogue) -> None:
    told = authoring.check(catalogue, BASE)
    assert (told.scenario.id, told.findings, told.publishable) == ("sales-bakery-price", [], True)


def test_an_error_is_found_and_keeps_it_from_being_played_or_published(desk: Whetstone) -> None:
    broken = BROKEN.replace("id: sales-bakery-price", "id: never-published", 1)
    told = authoring.check(desk.catalogue, broken)
    assert [f"{f.where}: {f.message}" for f in told.findings if f.severity == "error"] == [WRONG]
    assert not told.publishable
    with pytest.raises(AuthoringError, match="mend the errors first"):
        authoring.try_out(desk, broken)
    with pytest.raises(AuthoringError) as caught:
        authoring.publish(desk, broken, "王老师")
    assert str(caught.value) == WRONG
    assert authored.versions(desk.engine, "scenario", "never-published") == []


def test_a_warning_does_not_keep_it_from_being_published(desk: Whetstone) -> None:
    text = changed(own("without-terms"), lambda raw: raw.pop("terms"))
    told = authoring.check(desk.catalogue, text)
    assert [(f.severity, f.where) for f in told.findings] == [("warning", "terms")]
    assert authoring.publish(desk, text, "王老师") == ("without-terms", 1)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "whole file"),
        ("就一句话", "whole file"),
        ("- 一\n- 二", "whole file"),
        ("a: [1", "not readable as YAML"),
        ("a:\n\t- b", "not readable as YAML"),
        ("a: 1\n---\nb: 2", "not readable as YAML"),
        ("{[1, 2]: 3}", "not readable as YAML"),
        (BASE.replace("saas", "sa\x00as"), "not readable as YAML"),
        (BASE.replace("saas", "sa\ud800as"), "not readable as YAML"),
        (BASE + "\nsurprise: 1\n", "surprise"),
        (BASE.replace("minutes: 12", "minutes: soon"), "minutes"),
        (BASE.replace("minutes: 12", "minutes: 600"), "minutes"),
        (BASE.replace("id: sales-bakery-price", "id: ../../etc/passwd", 1), "id"),
        (BASE.replace("keys: [店加]", "keys: ['(店加']"), "not a regular expression"),
        (BASE.replace("persona: zhou-min", "persona: nobody-here"), "no persona named nobody-here"),
        (BASE.replace("rubric: consultative-sales", "rubric: none-such"), "no rubric named none-such"),
        ("x" * 200_001, "200001 characters; 200000 are the most"),
    ],
)
def test_what_cannot_be_read_says_why(catalogue: Catalogue, text: str, word: str) -> None:
    with pytest.raises(AuthoringError, match=word.replace("(", r"\(")):
        authoring.check(catalogue, text)


def test_the_longest_scenario_is_still_read(catalogue: Catalogue) -> None:
    full = BASE + "#" * (200_000 - len(BASE))
    assert authoring.check(catalogue, full).publishable
    with pytest.raises(AuthoringError, match="200001"):
        authoring.check(catalogue, full + "#")


@pytest.mark.parametrize(
    "tag",
    ['!!python/object/apply:os.mkdir ["{}"]', '!!python/object/new:os.mkdir ["{}"]', "!!python/name:os.mkdir {}"],
)
def test_python_in_yaml_is_not_run(catalogue: Catalogue, tmp_path: Path, tag: str) -> None:
    made = tmp_path / "made"
    for text in (tag.format(made), f"id: {tag.format(made)}\n"):
        with pytest.raises(AuthoringError, match="not readable as YAML"):
            authoring.check(catalogue, text)
    assert not made.exists()


def test_aliases_that_grow_to_billions_are_refused_unread(catalogue: Catalogue) -> None:
    bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n"
    for before, name in zip("abcdefghij", "bcdefghijk", strict=True):
        bomb += f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
    with pytest.raises(AuthoringError, match="aliases"):
        authoring.check(catalogue, bomb)
    with pytest.raises(AuthoringError, match="aliases"):
        authoring.check(catalogue, "a: &a [*a]")


@pytest.mark.parametrize("value", ["2001-99-99", "9" * 5000, '!!int "twelve"', '!!float "twelve"'])
def test_a_scalar_that_is_not_what_it_looks_like_is_refused(catalogue: Catalogue, value: str) -> None:
    with pytest.raises(AuthoringError):
        authoring.check(catalogue, BASE.replace("minutes: 12", f"minutes: {value}"))


def test_a_drawn_figure_without_a_step_is_refused(catalogue: Catalogue) -> None:
    text = changed(BASE, lambda raw: raw["figures"].update(x={"low": 1, "high": 2, "step": 0}))
    with pytest.raises(AuthoringError):
        authoring.check(catalogue, text)


def test_deep_nesting_does_not_end_the_process() -> None:
    # In a process of its own: what is tested is that it lives.
    code = (
        "from coach import authoring, catalogue\n"
        "nobody = catalogue.Catalogue({}, {}, {}, {}, {})\n"
        "try:\n    authoring.check(nobody, '- ' * 30_000)\n"
        "except authoring.AuthoringError:\n    print('refused')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, env={**os.environ})
    assert (done.returncode, done.stdout) == (0, "refused\n")


@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_a_figure_that_is_no_number_is_refused(catalogue: Catalogue, value: float) -> None:
    text = changed(BASE, lambda raw: raw["figures"].update(x=value))
    with contextlib.suppress(AuthoringError):
        assert not authoring.check(catalogue, text).publishable


def test_versions_are_counted_and_kept(desk: Whetstone) -> None:
    one, two = own("two-versions", "第一版"), own("two-versions", "第二版")
    assert authoring.publish(desk, one, "王老师") == ("two-versions", 1)
    assert authoring.publish(desk, two, "李老师") == ("two-versions", 2)
    kept = authored.versions(desk.engine, "scenario", "two-versions")
    assert [(v.version, v.who, v.body) for v in kept] == [(1, "王老师", one), (2, "李老师", two)]
    assert authored.versions(desk.engine, "scenario", "nothing") == []


def test_what_is_published_is_practised_at_once_here_and_by_another_process(desk: Whetstone) -> None:
    with pytest.raises(NotInCatalogue):
        desk.catalogue.playbook("at-once")
    authoring.publish(desk, own("at-once", "旧题目"), "王老师")
    assert desk.catalogue.playbook("at-once").scenario.title == "旧题目"
    authoring.publish(desk, own("at-once", "新题目"), "王老师")
    assert desk.catalogue.told["at-once"].title == "新题目"
    assert quick(desk.settings.home).catalogue.playbook("at-once").scenario.title == "新题目"


def test_a_running_drill_keeps_what_it_was_started_with(desk: Whetstone) -> None:
    me = accounts.ensure(desk.engine, "学员", "learner").id
    authoring.publish(desk, own("keeps-running", "开始时"), "王老师")
    running = desk.sessions.start(me, desk.catalogue.playbook("keeps-running"), voice="builtin")
    authoring.publish(desk, own("keeps-running", "后来"), "王老师")
    assert desk.sessions.load(me, running.id).drill.playbook.scenario.title == "开始时"
    fresh = desk.sessions.start(me, desk.catalogue.playbook("keeps-running"), voice="builtin")
    assert fresh.drill.playbook.scenario.title == "后来"


def test_learners_are_published_with_their_scenario_and_with_no_other(desk: Whetstone) -> None:
    learners = LEARNERS.replace("id: sales-bakery-price", "id: with-learners", 1)
    with pytest.raises(AuthoringError, match="they are for sales-bakery-price"):
        authoring.publish(desk, own("with-learners"), "王老师", LEARNERS)
    with pytest.raises(AuthoringError, match="good"):
        authoring.publish(desk, own("with-learners"), "王老师", "id: with-learners\n")
    assert authored.versions(desk.engine, "scenario", "with-learners") == []
    assert authored.versions(desk.engine, "learners", "with-learners") == []
    authoring.publish(desk, own("with-learners"), "王老师", learners)
    assert desk.catalogue.learners["with-learners"].good == desk.catalogue.learners["sales-bakery-price"].good


@pytest.mark.parametrize("part", ["learners", "number"])
def test_nothing_is_published_that_the_catalogue_cannot_hold(tmp_path: Path, part: str) -> None:
    coach = quick(tmp_path)
    scenario, learners = BASE, ""
    if part == "learners":
        learners = changed(LEARNERS, lambda raw: raw["good"]["turns"][0].update(shows=["no-such-check"]))
    else:
        reaction = {"check": "states-sample-size-right", "trust": 1}
        scenario = changed(BASE, lambda raw: raw["reactions"].append(reaction))
    with contextlib.suppress(AuthoringError):
        authoring.publish(coach, scenario, "王老师", learners)
    assert "sales-bakery-price" in coach.catalogue.scenarios


def test_a_playtest_plays_what_is_not_published_yet(desk: Whetstone) -> None:
    rows = [authoring.row(p) for p in authoring.try_out(desk, own("only-tried"))]
    # Nobody has been written for it: only the four of no good will play.
    assert [r["learner"] for r in rows] == ["silent", "abusive", "rubric-pasting", "off-topic"]
    assert all(r["kind"] != "won" and not r["passed"] for r in rows)
    assert "only-tried" not in desk.catalogue.scenarios
    learners = LEARNERS.replace("id: sales-bakery-price", "id: only-tried", 1)
    rows = [authoring.row(p) for p in authoring.try_out(desk, own("only-tried"), learners)]
    assert [r["learner"] for r in rows[:3]] == ["good", "middling", "bad"]
    assert (rows[0]["ending"], rows[0]["kind"]) == ("trial-agreed", "won")
    assert rows[0]["percent"] > rows[1]["percent"] > rows[2]["percent"]


def test_learners_who_speak_of_figures_there_are_not_are_refused(desk: Whetstone) -> None:
    learners = changed(LEARNERS, lambda raw: raw["good"]["turns"][0].update(say="一共<<nothing>>元。"))
    with pytest.raises(AuthoringError):
        authoring.try_out(desk, BASE, learners)


def drafted(coach: Whetstone) -> dict[str, Any]:
    raw = yaml.safe_load(authoring.draft(coach, CASE))
    assert isinstance(raw, dict)
    return raw


def test_a_draft_says_what_the_case_says_and_marks_the_rest(desk: Whetstone) -> None:
    text = authoring.draft(desk, CASE)
    assert text.startswith("# 草稿：取自案例 case-fresh-fish《鲜鱼店不肯换冷柜》")
    raw = drafted(desk)
    Scenario.model_validate(raw)
    assert (raw["id"], raw["role"], raw["tier"], raw["industry"]) == ("fresh-fish-drill", "sales", "junior", "retail")
    # What the customer says in the case, and nothing of what our own side says.
    assert raw["opening"] == ["你们这个冷柜，贵得没道理。", "停业三天，谁赔我？"]
    assert [r["check"] for r in raw["reactions"]] == ["asks-budget", "offers-trial"]
    assert "待写" in raw["stance"]
    assert raw["summary"] == "老板娘守着旧冷柜，怕停业三天。"
    assert not authoring.check(desk.catalogue, text).publishable


def test_the_linter_sees_what_is_still_to_be_written(catalogue: Catalogue) -> None:
    text = changed(BASE, lambda raw: raw.update(stance="待写：客户是谁", seat="待写"))
    where = {f.where for f in authoring.check(catalogue, text).findings}
    assert {"stance", "seat"} <= where


WRITTEN = {
    "summary": "老板娘怕停业。",
    "briefing": "你卖冷柜。",
    "stance": "你是老板娘。",
    "objectives": ["问清停业", "算电费"],
    "opening": ["又来推销？", "冷柜我不换。", "先说停不停业。"],
}


def with_model(home: Path, fake: FakeOpenAI) -> Whetstone:
    return quick(home, Endpoint(base_url=fake.base_url, api_key=SecretStr("k"), model="fake"))


def test_with_a_model_the_draft_takes_its_texts(tmp_path: Path) -> None:
    with FakeOpenAI("好的：```json\n" + json.dumps(WRITTEN, ensure_ascii=False) + "\n```") as fake:
        raw = drafted(with_model(tmp_path, fake))
        asked = json.dumps(fake.requests[0]["messages"], ensure_ascii=False)
    assert {k: raw[k] for k in WRITTEN} == WRITTEN
    assert "贵得没道理" in asked
    Scenario.model_validate(raw)


@pytest.mark.parametrize(
    "reply",
    ["对不起，我不会。", "{", '{"summary": 3, "opening": ["只有一句"], "objectives": [7], "stance": "  "}', "}{", "[]"],
)
def test_a_model_that_writes_nothing_of_use_leaves_the_draft_as_without_one(
    tmp_path: Path, desk: Whetstone, reply: str
) -> None:
    with FakeOpenAI(reply) as fake:
        assert authoring.draft(with_model(tmp_path, fake), CASE) == authoring.draft(desk, CASE)


def test_a_model_that_fails_leaves_the_draft_as_without_one(tmp_path: Path, desk: Whetstone) -> None:
    with FakeOpenAI("", "refused") as fake:
        assert authoring.draft(with_model(tmp_path, fake), CASE) == authoring.draft(desk, CASE)
