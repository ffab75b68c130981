"""The library on the command line, as its entry point runs it, over a library of a few items."""

from __future__ import annotations

import json
import re
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from coach import cli
from coach.catalogue import Catalogue
from coach.compose import Whetstone
from coach.drill.drill import finish
from coach.scoring.judges import NumberJudge, PatternJudge
from coach.settings import Settings
from coach.store import accounts
from evals.scripts import turns
from knowledge.item import Item
from knowledge.shipped import load_item
from tests.knowledge.fixtures_knowledge import BigramEmbeddings

APOLOGY = "先说对不起，再说错在哪里，不找借口。"
Run = Callable[..., tuple[int, str, str]]
"""Runs `whetstone` with these arguments: exit code, standard output, standard error."""

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
        id="lesson-campaign",
        kind="lesson",
        title="活动预算怎么拆",
        role="operations",
        industry="retail",
        tier="middle",
        skills=("campaign-planning", "budgeting"),
        year=2024,
        source="测试",
        body="## 拆预算\n活动预算先拆到渠道，再拆到天，每天看投产比。",
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


def small(home: Path, catalogue: Catalogue) -> Whetstone:
    coach = Whetstone(Settings(home=home, llm_model=""))
    coach.embeddings = BigramEmbeddings()
    coach._catalogue = 0, catalogue
    coach.judges = (PatternJudge(), NumberJudge())
    return coach


@pytest.fixture
def run(
    tmp_path: Path, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    monkeypatch.setattr("knowledge.shipped.load_library", lambda: ITEMS)
    coach = small(tmp_path / "home", catalogue)
    monkeypatch.setattr(cli, "open_coach", lambda: coach)

    def whetstone(*args: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["whetstone", *args])
        capsys.readouterr()
        code: object = 0
        try:
            cli.main()
        except SystemExit as stopped:
            code = stopped.code
        told = capsys.readouterr()
        assert isinstance(code, int)
        return code, told.out, told.err

    return whetstone


def good(told: tuple[int, str, str]) -> str:
    """What a run printed; it must have gone well."""
    assert (told[0], told[2]) == (0, "")
    return told[1]


def refused(told: tuple[int, str, str], word: str) -> None:
    """One line on standard error that holds `word`, and exit code 2."""
    code, out, err = told
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert err.startswith("whetstone: ")
    assert word in err


def edited(run: Run, folder: Path, item_id: str, old: str, new: str) -> Path:
    """An item as a file in `folder`, with some words replaced."""
    path = folder / f"{item_id}.md"
    text = good(run("library", "show", item_id))
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    return path


def entries(run: Run, *args: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(good(run("library", "log", "--json", *args)))
    return found


# Searching and asking.


def test_search_with_every_filter(run: Run) -> None:
    def ids(*args: str) -> set[str]:
        return {
            hit["id"] for hit in json.loads(good(run("search", "活动 道歉 标价", "-k", "9", "--json", *args)))["hits"]
        }

    assert ids() == {item.id for item in ITEMS}
    assert ids("--role", "support") == {"case-late-parcel", "lesson-apology", "regulation-price"}
    assert ids("--kind", "case") == {"case-late-parcel"}
    assert ids("--industry", "logistics") == {"case-late-parcel"}
    assert ids("--tier", "middle") == {"lesson-campaign"}
    assert ids("--skill", "budgeting") == {"lesson-campaign"}
    assert ids("--year", "2023") == {"case-late-parcel"}
    assert ids("--kind", "lesson", "--skill", "empathy", "--tier", "junior") == {"lesson-apology"}
    assert ids("--kind", "template") == set()


def test_search_tells_where_the_words_stand(run: Run) -> None:
    found = json.loads(good(run("search", "包裹晚到错过生日", "--json")))
    assert found["query"] == "包裹晚到错过生日"
    assert found["took_ms"] >= 0
    hit = found["hits"][0]
    assert hit["id"] == "case-late-parcel"
    marked = [hit["passage"][start:end] for start, end in hit["marks"]]
    assert marked
    assert all(words in found["query"] for words in marked)
    assert {"id", "title", "score", "passage", "source", "heading", "kind", "role", "also"} <= hit.keys()
    shown = good(run("search", "先道歉再补救", "--kind", "lesson"))
    assert "1. 道歉三句话  [lesson, support]" in shown
    assert "— 测试" in shown


def test_a_search_that_cannot_be_done(run: Run) -> None:
    refused(run("search", "  "), "QUERY")
    refused(run("search", "x", "--kind", "poem"), "--kind")
    refused(run("search", "x", "-k", "0"), "-k")
    refused(run("search", "x", "--year", "soon"), "--year")


@pytest.mark.parametrize("query", ['" OR *', "NEAR(", "title:x", "-", "'; DROP TABLE item;--", "😀", "\u202e道歉"])
def test_a_query_is_words_whatever_it_looks_like(run: Run, query: str) -> None:
    assert isinstance(json.loads(good(run("search", "--json", "--", query)))["hits"], list)


def test_ask_without_a_model_gives_the_passages(run: Run) -> None:
    told = json.loads(good(run("ask", APOLOGY, "--json")))
    assert (told["by"], told["sentences"], told["reason"]) == ("passages", [], "")
    assert told["passages"][0]["id"] == "lesson-apology"
    assert good(run("ask", APOLOGY)).startswith("[1] 道歉三句话")
    roles = {p["role"] for p in json.loads(good(run("ask", APOLOGY, "--role", "operations", "--json")))["passages"]}
    assert roles <= {"operations", "common"}


# Taking in.


def test_showing_an_item_and_taking_it_in_again_changes_no_word(run: Run, tmp_path: Path) -> None:
    for item in ITEMS:
        path = tmp_path / f"{item.id}.md"
        path.write_text(good(run("library", "show", item.id)), encoding="utf-8")
        assert load_item(path) == item
        run("ingest", str(path))
        path.write_text(good(run("library", "show", item.id)), encoding="utf-8")
        assert load_item(path) == item
        (again,) = json.loads(good(run("ingest", str(path), "--json")))
        assert (again["status"], again["items"]) == ("unchanged", [item.id])


def test_a_dry_run_changes_nothing(run: Run, tmp_path: Path) -> None:
    (tmp_path / "晨会.txt").write_text("一、晨会怎么开\n晨会只讲三件事：昨天的数、今天的事。\n", encoding="utf-8")
    before = entries(run)
    told = good(run("ingest", str(tmp_path / "晨会.txt"), "--dry-run"))
    assert "nothing done, as asked; would be: 1 added" in told
    assert entries(run) == before


def test_a_draft_is_masked_hidden_listed_and_published(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "回访.txt"
    path.write_text(
        "回访记录\n顾客的手机是13812345678，寄到上海市浦东新区世纪大道100号502室。下午回访。\n", encoding="utf-8"
    )
    (told,) = json.loads(good(run("ingest", str(path), "--draft", "--kind", "case", "--json")))
    assert (told["status"], told["personal"], told["passages"]) == ("added", 2, 0)
    item_id = told["items"][0]
    shown = good(run("library", "show", item_id))
    assert "13812345678" not in shown
    assert "世纪大道" not in shown
    assert "status: draft" in shown
    assert item_id in good(run("library", "list", "--drafts"))
    assert "[draft]" in good(run("library", "list", "--kind", "case"))
    assert item_id not in good(run("search", "下午回访顾客", "--json"))
    refused(run("library", "related", item_id), "is a draft")
    assert good(run("library", "publish", item_id)) == f"published: {item_id}\n"
    assert item_id in good(run("search", "下午回访顾客", "--json"))
    refused(run("library", "publish", item_id), "published already")
    assert json.loads(good(run("library", "list", "--drafts", "--json"))) == []


def test_proposed_tags_are_listed_until_they_are_confirmed(run: Run, tmp_path: Path) -> None:
    (tmp_path / "apology.txt").write_text("怎么道歉\n先说对不起，再说错在哪里，不找借口。\n", encoding="utf-8")
    run("ingest", str(tmp_path / "apology.txt"))
    (listed,) = json.loads(good(run("library", "list", "--proposed", "--json")))
    assert (listed["id"], set(listed["proposed"])) == ("doc-apology", {"kind", "role", "industry", "tier", "skills"})
    assert "body" not in listed
    assert "[proposed: kind, role, industry, tier, skills]" in good(run("library", "list", "--proposed"))
    refused(run("library", "confirm", "doc-apology", "--skill", "magic"), "no skill named magic")
    refused(run("library", "confirm", "doc-apology", "--tier", "expert"), "--tier")
    refused(run("library", "confirm", "nothing"), "there is no item nothing")
    done = good(run("library", "confirm", "doc-apology", "--role", "sales", "--skill", "empathy", "--skill", "closing"))
    assert re.fullmatch(r"doc-apology: lesson, sales, [\w-]+, \w+, empathy, closing\n", done)
    assert good(run("library", "list", "--proposed")) == ""
    assert entries(run)[0]["note"] == "tags confirmed"


def test_a_drill_that_was_played_becomes_a_draft(run: Run, tmp_path: Path, catalogue: Catalogue) -> None:
    coach = small(tmp_path / "home", catalogue)
    who = accounts.ensure(coach.engine, "小林", "learner").id
    session = coach.sessions.start(who, catalogue.playbook("support-late-parcel"), voice="builtin", seed=1)
    refused(run("library", "draft", session.id), "not scored")
    for number, line in enumerate(turns("support-late-parcel", "good"), 1):
        finish(coach.sessions.post(who, session.id, number, line))
    coach.sessions.score(who, session.id, coach.score)
    item_id = f"case-support-drill-{session.id[:12]}"
    assert good(run("library", "draft", session.id)).startswith(f"{item_id}: a draft")
    refused(run("library", "draft", session.id), item_id)
    refused(run("library", "draft", "nothing"), "there is no drill nothing")
    good(run("library", "publish", item_id))
    assert item_id in good(run("library", "related", "case-late-parcel", "-k", "50"))


# The history.


def test_the_log_says_who_changed_what(run: Run, tmp_path: Path) -> None:
    good(run("ingest", str(edited(run, tmp_path, "lesson-apology", "不找借口", "不找理由"))))
    good(run("library", "remove", "regulation-price"))
    last, before, *shipped = entries(run)
    assert (last["action"], last["item_id"], last["number"]) == ("remove", "regulation-price", 6)
    assert (before["action"], before["item_id"], before["note"]) == ("put", "lesson-apology", "lesson-apology.md")
    assert str(last["who"]).endswith(" (command line)")
    assert {(one["who"], one["note"]) for one in shipped} == {("whetstone", "the library that ships")}
    assert "body" not in last
    assert [one["number"] for one in entries(run, "lesson-apology")] == [5, 2]
    assert [one["number"] for one in entries(run, "-n", "2")] == [6, 5]
    lines = good(run("library", "log", "-n", "1")).split()
    assert lines[0] == "6"
    assert lines[-1] == str(last["hash"])[:12]
    assert entries(run, "nothing") == []


def test_the_difference_of_one_entry_and_of_two(run: Run, tmp_path: Path) -> None:
    path = edited(run, tmp_path, "lesson-apology", "不找借口", "不找理由")
    good(run("ingest", str(path)))
    path.write_text(path.read_text(encoding="utf-8").replace("minutes: 5", "minutes: 6"), encoding="utf-8")
    good(run("ingest", str(path)))
    good(run("library", "remove", "regulation-price"))

    def changed(*args: str) -> list[str]:
        return [line for line in good(run("library", "diff", *args)).splitlines() if re.match(r"[+-](?![+-])", line)]

    old, new = APOLOGY, APOLOGY.replace("借口", "理由")
    assert changed("5") == [f"-{old}", f"+{new}"]
    assert changed("6") == ["-minutes: 5", "+minutes: 6"]
    assert changed("5", "6") == ["-minutes: 5", "+minutes: 6"]
    both = good(run("library", "diff", "4", "7"))
    assert "--- lesson-apology (entry 2)" in both
    assert "+++ lesson-apology (entry 6)" in both
    assert "--- regulation-price (entry 4)" in both
    assert "+++ /dev/null" in both
    assert {f"-{old}", f"+{new}", "-minutes: 5", "+minutes: 6", "-title: 明码标价"} <= set(both.splitlines())
    # The other way round, and the first entry of an item, and nothing.
    assert {"+title: 明码标价", f"+{old}"} <= set(changed("7", "4"))
    assert all(line.startswith("+") for line in changed("1"))
    assert good(run("library", "diff", "7", "7")) == ""
    for wrong in (("8",), ("0",), ("3", "99"), ("99", "3"), (str(10**30),), ("1", str(10**30))):
        refused(run("library", "diff", *wrong), "")


def test_tampering_with_an_entry_is_told(run: Run, tmp_path: Path) -> None:
    good(run("library", "list"))
    held = json.loads(good(run("library", "verify", "--json")))
    assert (held["entries"], held["problems"]) == (4, [])
    assert re.fullmatch("[0-9a-f]{64}", held["head"])
    assert good(run("library", "verify")).startswith("4 entries, 0 problems")
    sql(tmp_path, "UPDATE library_entry SET body = replace(body, '道歉', '吵架') WHERE number = 2")
    code, out, _ = run("library", "verify", "--json")
    assert code == 1
    assert any("entry 2" in problem and "content" in problem for problem in json.loads(out)["problems"])


TAMPERED = {
    "UPDATE library_entry SET who = 'somebody else' WHERE number = 3": "entry 3",
    "UPDATE library_entry SET at = '2020-01-01T00:00:00.000+00:00' WHERE number = 1": "entry 1",
    "UPDATE library_entry SET hash = previous WHERE number = 2": "entry 2",
    "UPDATE library_entry SET item_id = 'lesson-x' WHERE number = 2": "entry 2",
    "UPDATE library_entry SET note = note || ' ' WHERE number = 4": "entry 4",
    "UPDATE library_entry SET action = 'remove', body = NULL WHERE number = 2": "entry 2",
    "DELETE FROM library_entry WHERE number = 1": "entry 1 is missing",
    "DELETE FROM library_entry WHERE number = 2": "entry 2 is missing",
    "DELETE FROM library_entry WHERE number = 4": "no longer in the ledger",
    "DELETE FROM library_entry": "no longer in the ledger",
}


def test_every_way_of_tampering_is_exit_code_1(run: Run, tmp_path: Path) -> None:
    good(run("library", "list"))
    sql(tmp_path, "CREATE TABLE kept AS SELECT * FROM library_entry")
    for statement, word in TAMPERED.items():
        sql(tmp_path, statement)
        code, out, _ = run("library", "verify")
        assert (code, word in out) == (1, True), statement
        sql(tmp_path, "DELETE FROM library_entry")
        sql(tmp_path, "INSERT INTO library_entry SELECT * FROM kept")
    assert good(run("library", "verify")).startswith("4 entries, 0 problems")


def sql(tmp_path: Path, statement: str) -> None:
    db = sqlite3.connect(tmp_path / "home" / "whetstone.db")
    with db:
        db.execute(statement)
    db.close()


def test_what_was_taken_out_comes_back(run: Run) -> None:
    good(run("library", "remove", "lesson-apology", "regulation-price"))
    refused(run("library", "show", "lesson-apology"), "there is no item lesson-apology")
    assert "lesson-apology" not in good(run("search", "先说对不起", "--json"))
    refused(run("library", "remove", "case-late-parcel", "lesson-apology"), "nothing was taken out")
    assert good(run("library", "rollback", "4", "--item", "lesson-apology")) == (
        "put back  lesson-apology\n1 items changed\n"
    )
    assert "lesson-apology" in good(run("search", "先说对不起", "--json"))
    assert good(run("library", "rollback", "4")) == "put back  regulation-price\n1 items changed\n"
    assert good(run("library", "rollback", "4")) == "0 items changed\n"
    assert entries(run)[0]["note"] == "back to entry 4"
    assert good(run("library", "verify")).startswith("8 entries, 0 problems")


def test_rolling_back_what_was_added_and_what_was_edited(run: Run, tmp_path: Path) -> None:
    (tmp_path / "morning.txt").write_text("晨会怎么开\n晨会只讲三件事：昨天的数、今天的事。\n", encoding="utf-8")
    good(run("ingest", str(edited(run, tmp_path, "lesson-apology", "不找借口", "不找理由"))))
    good(run("ingest", str(tmp_path / "morning.txt")))
    told = good(run("library", "rollback", "4"))
    assert set(told.splitlines()) == {"put back  lesson-apology", "taken out doc-morning", "2 items changed"}
    assert "不找借口" in good(run("library", "show", "lesson-apology"))
    refused(run("library", "show", "doc-morning"), "there is no item doc-morning")
    good(run("library", "rollback", "6"))
    assert "不找理由" in good(run("library", "show", "lesson-apology"))
    for wrong in (("99",), ("0",), (str(10**30),), ("4", "--item", "nothing")):
        refused(run("library", "rollback", *wrong), "")


# What goes with what.


def test_the_foundations_come_before_the_campaign(run: Run) -> None:
    way = json.loads(good(run("library", "path", "大促活动策划", "--json")))
    skills = [step["id"].removeprefix("skill:") for step in way["steps"]]
    place = {name: n for n, name in enumerate(skills)}
    for foundation in ("data-analysis", "budgeting", "compliance"):
        assert place[foundation] < place["campaign-planning"]
    assert skills[-1] == "campaign-planning"
    given = [item["id"] for step in way["steps"] for item in step["items"]]
    assert "regulation:regulation-price" in given
    assert len(given) == len(set(given))
    told = good(run("library", "path", "大促活动策划"))
    assert told.index(". 数据分析") < told.index(". 活动策划")
    assert told.endswith("minutes of lessons\n")
    known = json.loads(good(run("library", "path", "campaign-planning", "--known", "data-analysis", "--json")))
    assert "skill:data-analysis" not in {step["id"] for step in known["steps"]}


@pytest.mark.parametrize(
    ("goal", "end"),
    [
        ("lesson-apology", "lesson:lesson-apology"),
        ("case:case-late-parcel", "case:case-late-parcel"),
        ("case-late-parcel", "case:case-late-parcel"),
        ("support-late-parcel", "scenario:support-late-parcel"),
        ("check:asks-budget", "check:asks-budget"),
        ("asks-budget", "check:asks-budget"),
        ("closing", "skill:closing"),
        (" 怎么道歉三句话 ", "lesson:lesson-apology"),
    ],
)
def test_a_path_leads_to_what_was_named_by_id_or_in_words(run: Run, goal: str, end: str) -> None:
    assert json.loads(good(run("library", "path", goal, "--json")))["steps"][-1]["id"] == end


def test_a_path_to_nothing(run: Run) -> None:
    refused(run("library", "path", "  "), "nothing in the library")


def test_what_goes_with_an_item(run: Run) -> None:
    lines = good(run("library", "related", "case-late-parcel", "-k", "3")).splitlines()
    assert len(lines) == 3
    assert "lesson:lesson-apology  道歉三句话  (linked)" in lines[0]
    refused(run("library", "related", "nothing"), "there is no item nothing")
    refused(run("library", "related", "case-late-parcel", "-k", "0"), "-k")


def test_checking_a_folder_of_files(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    (folder / "lessons").mkdir(parents=True)
    (folder / "lessons" / "lesson-short.md").write_text(
        "---\nid: lesson-short\nkind: lesson\ntitle: 短\nsource: x\n---\n太短。\n", encoding="utf-8"
    )
    code, out, _ = run("library", "check", str(folder), "--json")
    told = json.loads(out)
    assert (code, told["items"]) == (1, 1)
    assert {fault["file"] for fault in told["faults"]} == {"lesson-short.md"}
