"""The command line as a user meets it: a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from evals.scripts import turns


def whetstone(home: Path, *args: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run the command; the environment holds nothing of the caller's settings."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("WHETSTONE_")}
    return subprocess.run(
        [sys.executable, "-c", "from coach.cli import main; main()", *args],
        env={**env, "WHETSTONE_HOME": str(home)},
        input=stdin,
        capture_output=True,
        text=True,
        timeout=110,
    )


def test_a_script_played_twice_is_the_same_document(tmp_path: Path) -> None:
    script = str(tmp_path / "good.txt")
    Path(script).write_text("\n".join(turns("sales-bakery-price", "good")), encoding="utf-8")
    args = ("drill", "sales-bakery-price", "--seed", "1", "--script", script, "--json")
    first, second = whetstone(tmp_path, *args), whetstone(tmp_path, *args)
    assert (first.returncode, first.stdout) == (0, second.stdout)
    told = json.loads(first.stdout)
    assert (told["scenario"], told["seed"], told["voice"]) == ("sales-bakery-price", 1, "builtin")
    assert told["ending"] == "trial-agreed"
    assert told["turns"][0]["speaker"] == "customer"
    assert told["turns"][2]["act"] == "reveal+object"
    assert "asks-comparison" in told["turns"][1]["checks"]
    assert told["scorecard"]["passed"] is True


def test_a_drill_by_hand(tmp_path: Path) -> None:
    said = "您说贵，是跟哪家比的？\n/sheet\n/back\n/unknown\n现在门店怎么订货的？\n/score\n"
    done = whetstone(tmp_path, "drill", "sales-bakery-price", "--seed", "1", stdin=said)
    assert done.returncode == 0
    assert "店加" in done.stdout
    assert "47,760" in done.stdout
    assert "# 评分单" in done.stdout
    assert "✓ 问清现在怎么做" in done.stdout
    assert "✓ 问清“贵”是跟什么比" not in done.stdout


def test_scoring_a_transcript_and_many(tmp_path: Path) -> None:
    one = {
        "turns": [{"speaker": "customer", "text": "太贵了"}, {"speaker": "learner", "text": "您说贵，是跟哪家比的？"}]
    }
    single, many = tmp_path / "one.json", tmp_path / "many.jsonl"
    single.write_text(json.dumps(one), encoding="utf-8")
    many.write_text((json.dumps(one) + "\n") * 3, encoding="utf-8")
    done = whetstone(tmp_path, "score", str(single), "--rubric", "consultative-sales", "--json")
    card = json.loads(done.stdout)
    met = [v for c in card["criteria"] for v in c["verdicts"] if v["met"]]
    assert [(v["check"], v["quote"], v["turn"]) for v in met] == [("asks-comparison", "您说贵，是跟哪家比的？", 1)]
    assert {"rubric", "points", "max_points", "passed", "blockers", "needs_review", "pinned"} <= set(card)
    lines = whetstone(tmp_path, "score", str(many), "--rubric", "consultative-sales").stdout.splitlines()
    assert [json.loads(line) for line in lines] == [card] * 3


def test_numbers_are_scored_only_where_the_figures_are_known(tmp_path: Path) -> None:
    turns = [{"speaker": "learner", "text": "测试每组要10,314人。"}]
    without, with_figures = tmp_path / "a.json", tmp_path / "b.json"
    without.write_text(json.dumps({"turns": turns}), encoding="utf-8")
    with_figures.write_text(json.dumps({"scenario": "ops-campaign-defence", "turns": turns}), encoding="utf-8")
    cards = [
        json.loads(whetstone(tmp_path, "score", str(p), "--rubric", "campaign-defence", "--json").stdout)
        for p in (without, with_figures)
    ]
    assert "states-sample-size-right" in cards[0]["not_scored"]
    assert cards[1]["not_scored"] == []
    assert [v["check"] for c in cards[1]["criteria"] for v in c["verdicts"] if v["met"]] == ["states-sample-size-right"]


BAD_FILES = {
    "not.json": "{",
    "list.json": "[]",
    "empty.json": '{"turns": []}',
    "speaker.json": '{"turns": [{"speaker": "robot", "text": "a"}]}',
    "text.json": '{"turns": [{"speaker": "learner"}]}',
    "third.jsonl": '{"turns":[{"speaker":"learner","text":"a"}]}\n\n{"turns": 3}\n',
    "empty.jsonl": "\n",
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_transcript_that_cannot_be_read_is_one_line_and_exit_2(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text(BAD_FILES[name], encoding="utf-8")
    done = whetstone(tmp_path, "score", str(path), "--rubric", "consultative-sales")
    assert (done.returncode, done.stdout) == (2, "")
    assert name in done.stderr
    assert len(done.stderr.splitlines()) == 1
    if name == "third.jsonl":
        assert "line 3" in done.stderr


@pytest.mark.parametrize(
    ("args", "word"),
    [
        (("drill", "nope", "--script", __file__), "no scenario 'nope'"),
        (("drill", "sales-bakery-price", "--script", "/nowhere"), "--script /nowhere"),
        (("drill", "sales-bakery-price", "--json"), "--json needs --script"),
        (("score", "/nowhere.json", "--rubric", "consultative-sales"), "/nowhere.json"),
        (("score", __file__, "--rubric", "x"), "is not JSON"),
        (("serve", "--demo", "--host", "0.0.0.0"), "--demo is for this machine alone"),
        (("eval", "retrieval", "--data", "nowhere"), "--data"),
        (("eval", "retrieval", "--data", "/nowhere"), "--data"),
        (("model", "pull", "nope"), "nope"),
        (("frobnicate",), "frobnicate"),
        (("search",), "QUERY"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_exit_2(tmp_path: Path, args: tuple[str, ...], word: str) -> None:
    done = whetstone(tmp_path, *args)
    assert (done.returncode, done.stdout) == (2, "")
    assert word in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("whetstone: ")


def test_a_setting_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    env = {**os.environ, "WHETSTONE_HOME": str(tmp_path), "WHETSTONE_DATABASE_URL": "mysql://x/y"}
    code = "from coach.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "user", "add", "甲"], env=env, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert "sqlite and postgresql" in done.stderr


@pytest.mark.parametrize(
    ("settings", "args", "word"),
    [
        ({"WHETSTONE_LLM_MODEL": "m"}, ("scenarios", "--json"), ""),
        ({"WHETSTONE_LLM_MODEL": "m"}, ("doctor",), "go together"),
        ({"WHETSTONE_LLM_MODEL": "m", "WHETSTONE_LLM_BASE_URL": "ftp://x"}, ("doctor",), "base_url"),
        ({"WHETSTONE_HOME": ""}, ("doctor",), "WHETSTONE_HOME"),
        ({"WHETSTONE_HOME": "/dev/null/x"}, ("user", "add", "a"), "/dev/null/x"),
        ({"WHETSTONE_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/x"}, ("user", "add", "a"), "127.0.0.1"),
    ],
)
def test_settings_that_cannot_work_are_one_line(
    tmp_path: Path, settings: dict[str, str], args: tuple[str, ...], word: str
) -> None:
    env = {k: v for k, v in os.environ.items() if not k.startswith("WHETSTONE_")}
    code = "from coach.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, *args],
        env={**env, "WHETSTONE_HOME": str(tmp_path), **settings},
        capture_output=True,
        text=True,
        timeout=60,
    )
    if not word:
        assert done.returncode == 0
        return
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), done.stderr
    assert word in done.stderr


def test_scenarios_models_and_accounts(tmp_path: Path) -> None:
    listed = json.loads(whetstone(tmp_path, "scenarios", "--json").stdout)
    assert {s["role"] for s in listed} == {"sales", "support", "operations"}
    models = json.loads(whetstone(tmp_path, "model", "list", "--json").stdout)
    assert [m["licence"] for m in models] == ["Apache-2.0", "Apache-2.0"]
    key = whetstone(tmp_path, "user", "add", "王老师", "--role", "trainer").stdout.strip()
    assert key.startswith("wk_")
    again = whetstone(tmp_path, "user", "add", "王老师")
    assert (again.returncode, key in again.stderr) == (2, False)


def test_light_commands_do_not_load_the_heavy_parts(tmp_path: Path) -> None:
    code = (
        "import sys; from coach.cli import cli; cli.main(['scenarios'], standalone_mode=False); "
        "print([m for m in ('chromadb', 'langchain_openai', 'openai', 'sqlalchemy', 'sklearn') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "[]"
