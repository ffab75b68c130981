"""Writing scenarios on the command line, as its entry point runs it: what is printed, and exit codes 0, 1 and 2."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from coach import cli
from coach.catalogue import SHIPPED, load
from coach.compose import Whetstone
from coach.scoring.judges import NumberJudge, PatternJudge
from coach.settings import Settings
from tests.coach.test_authoring import BASE, BROKEN, CASE, LEARNERS, WRONG, a_few, own
from tests.knowledge.fixtures_knowledge import BigramEmbeddings

Run = Callable[..., tuple[int, str, str]]
"""Runs `whetstone scenario` with these arguments: exit code, standard output, standard error."""
SHIPS = SHIPPED / "scenarios" / "sales-bakery-price.yaml"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    home = tmp_path / "home"
    monkeypatch.setenv("WHETSTONE_HOME", str(home))
    monkeypatch.setattr("coach.catalogue.load", functools.partial(load, a_few(tmp_path / "library")))
    monkeypatch.setattr("knowledge.shipped.load_library", lambda: [CASE])

    def opened() -> Whetstone:
        coach = Whetstone(Settings())
        coach.embeddings = BigramEmbeddings()
        coach.judges = (PatternJudge(), NumberJudge())
        return coach

    monkeypatch.setattr(cli, "open_coach", opened)

    def whetstone(*args: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["whetstone", "scenario", *map(str, args)])
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


def written(folder: Path, text: str) -> Path:
    path = folder / "scenario.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_checking_what_is_sound(run: Run) -> None:
    assert run("check", SHIPS) == (0, "sales-bakery-price: 0 errors, 0 warnings\n", "")
    assert run("check", SHIPS, "--json") == (0, "[]\n", "")


def test_checking_what_has_errors_exits_with_one(run: Run, tmp_path: Path) -> None:
    path = written(tmp_path, BROKEN)
    code, out, err = run("check", path)
    assert (code, err) == (1, "")
    assert f"error    {WRONG}\n" in out
    assert out.splitlines()[-1].startswith("sales-bakery-price: 1 errors, ")
    code, out, _ = run("check", path, "--json")
    where, _, message = WRONG.partition(": ")
    assert (code, json.loads(out)[0]) == (1, {"severity": "error", "where": where, "message": message})


@pytest.mark.parametrize("command", ["check", "playtest", "publish"])
@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"a: [1", "not readable as YAML"),
        ("中文".encode("gbk"), "UTF-8"),
        (b"x" * 200_001, "200000 are the most"),
        (b"", "whole file"),
        (None, "does not exist"),
    ],
)
def test_what_cannot_be_read_is_one_line_and_exits_with_two(
    run: Run, tmp_path: Path, command: str, content: bytes | None, word: str
) -> None:
    path = tmp_path / "scenario.yaml"
    if content is not None:
        path.write_bytes(content)
    code, out, err = run(command, path)
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert err.startswith("whetstone: ")
    assert word in err


def test_a_playtest_is_a_line_a_learner(run: Run) -> None:
    code, out, _ = run("playtest", SHIPS, "--json")
    rows = json.loads(out)
    assert code == 0
    assert [r["learner"] for r in rows] == [
        "good",
        "middling",
        "bad",
        "silent",
        "abusive",
        "rubric-pasting",
        "off-topic",
    ]
    assert [r["learner"] for r in rows if r["passed"]] == ["good"]
    code, out, _ = run("playtest", SHIPS)
    assert (code, len(out.splitlines())) == (0, 7)
    assert "trial-agreed" in out.splitlines()[0]
    assert "facts 6/6" in out.splitlines()[0]


def test_publishing_counts_versions_and_the_log_tells_them(run: Run, tmp_path: Path) -> None:
    path = written(tmp_path, own("fish-shop"))
    assert run("log", "fish-shop") == (0, "", "")
    assert run("log", "fish-shop", "--json") == (0, "[]\n", "")
    assert run("publish", path) == (0, "fish-shop: version 1\n", "")
    learners = tmp_path / "learners.yaml"
    learners.write_text(LEARNERS.replace("id: sales-bakery-price", "id: fish-shop", 1), encoding="utf-8")
    assert run("publish", path, "--learners", learners) == (0, "fish-shop: version 2\n", "")
    told = json.loads(run("log", "fish-shop", "--json")[1])
    assert [v["version"] for v in told] == [1, 2]
    assert all(v["who"].endswith("(command line)") for v in told)
    assert [line.split()[0] for line in run("log", "fish-shop")[1].splitlines()] == ["1", "2"]


def test_errors_are_not_published(run: Run, tmp_path: Path) -> None:
    code, out, err = run("publish", written(tmp_path, BROKEN))
    assert (code, out, err) == (2, "", f"whetstone: {WRONG}\n")
    learners = tmp_path / "learners.yaml"
    learners.write_text(LEARNERS, encoding="utf-8")
    code, _, err = run("publish", written(tmp_path, own("fish-shop")), "--learners", learners)
    assert (code, "they are for sales-bakery-price" in err) == (2, True)
    assert run("log", "sales-bakery-price")[1] == run("log", "fish-shop")[1] == ""


def test_a_draft_is_printed_or_written(run: Run, tmp_path: Path) -> None:
    code, out, _ = run("draft", "case-fresh-fish")
    assert (code, yaml.safe_load(out)["id"]) == (0, "fresh-fish-drill")
    path = tmp_path / "draft.yaml"
    assert run("draft", "case-fresh-fish", "-o", path) == (0, f"{path}\n", "")
    assert path.read_text("utf-8") == out
    assert run("check", path)[0] == 1
    assert run("draft", "case-nothing") == (2, "", "whetstone: there is no item case-nothing\n")


def test_a_command_there_is_not(run: Run) -> None:
    code, _, err = run("burn", SHIPS)
    assert (code, "burn" in err) == (2, True)
    assert SHIPS.read_text("utf-8") == BASE, "checking and publishing never touch what ships"
