"""A learner who speaks of hurting themself is answered by us, out of the role, and costs or earns nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import evals
from coach.drill.director import open_drill
from coach.drill.drill import Drill, hear, play
from coach.drill.playbook import Playbook
from coach.drill.safety import ANSWER, speaks_of_self_harm
from coach.drill.session import Sessions
from coach.drill.strict import strict_book
from coach.drill.voice import AUTHORED
from coach.scoring.judges import Judge, NumberJudge, PatternJudge
from coach.scoring.score import score
from coach.store import accounts, drills
from coach.store.database import open_database

JUDGES: list[Judge] = [PatternJudge(), NumberJudge()]
DATA = Path(evals.__file__).parent / "data"
DESPERATE = "我真的不想活了，每天都撑不下去。"
GOOD = "您说贵，是跟现在这套比，还是手上有别家的报价？"
FOLLOWS = "最后是谁来拍板呢？"


def lines(name: str) -> list[dict[str, str]]:
    return [json.loads(line) for line in (DATA / name).read_text(encoding="utf-8").splitlines() if line.strip()]


HOSTILE = lines("hostile.jsonl")
SELF_HARM = [one["text"] for one in HOSTILE if one["kind"] == "self-harm"]
HARMLESS = [one["text"] for one in lines("not_self_harm.jsonl")]


def test_there_is_enough_to_measure() -> None:
    assert (len(SELF_HARM) >= 20, len(HARMLESS) >= 40) == (True, True)


@pytest.mark.parametrize("text", SELF_HARM)
def test_every_cry_is_heard(text: str) -> None:
    assert speaks_of_self_harm(text)


@pytest.mark.parametrize("text", HARMLESS)
def test_figures_of_speech_and_other_peoples_words_are_not(text: str) -> None:
    assert not speaks_of_self_harm(text)


def test_nor_is_any_other_attack() -> None:
    other = [one["text"] for one in HOSTILE if one["kind"] != "self-harm"]
    assert [text for text in other if speaks_of_self_harm(text)] == []


@pytest.mark.parametrize(
    "text", ["我真的不想活了", "我真的，不想活了。", "我真的不想活了！！！", "我真的不想活瞭", "Ｉ want to die."]
)
def test_script_width_and_punctuation_do_not_matter(text: str) -> None:
    assert speaks_of_self_harm(text)


def said(book: Playbook, *turns: str) -> Drill:
    return play(book, 1, JUDGES, AUTHORED, turns)


def test_the_answer_names_the_help_line(bakery: Playbook) -> None:
    turn = said(bakery, GOOD, DESPERATE).exchanges[1]
    assert turn.spoken.text == ANSWER
    assert turn.spoken.source == "care"
    for number in ("12356", "120", "110"):
        assert number in turn.spoken.text


def test_nothing_about_the_drill_changes(bakery: Playbook) -> None:
    before, turn = said(bakery, GOOD, DESPERATE).exchanges
    assert turn.state == before.state
    assert (turn.verdicts, turn.acts) == ({}, ())


def test_at_the_very_start(bakery: Playbook) -> None:
    assert said(bakery, DESPERATE).state == open_drill(bakery, 1)[0]


def test_even_where_it_also_shows_something(bakery: Playbook) -> None:
    turned = hear(Drill(bakery, 1), JUDGES, f"{GOOD}我真的不想活了。")
    assert (turned.verdicts, turned.care) == ({}, ANSWER)


def test_the_drill_goes_on_as_if_it_had_not_been_said(bakery: Playbook) -> None:
    with_it, without = said(bakery, GOOD, DESPERATE, FOLLOWS), said(bakery, GOOD, FOLLOWS)
    assert len(with_it.exchanges) == 3
    assert with_it.exchanges[2].spoken.text == without.exchanges[1].spoken.text
    assert with_it.state == without.state
    assert "decision-maker" in with_it.state.revealed


def test_it_neither_earns_nor_costs(bakery: Playbook) -> None:
    def percent(drill: Drill) -> tuple[float, int]:
        card = score(
            bakery.rubric,
            bakery.checks,
            drill.said(),
            judges=JUDGES,
            rubric_hash=bakery.rubric_hash,
            figures=bakery.figures,
            verdicts=[e.verdicts for e in drill.exchanges],
        )
        return card.points, card.percent

    assert percent(said(bakery, GOOD, DESPERATE, FOLLOWS)) == percent(said(bakery, GOOD, FOLLOWS))


def test_a_quote_keeps_the_number_of_the_turn_it_was_said_in(bakery: Playbook) -> None:
    third = said(bakery, GOOD, DESPERATE, FOLLOWS).exchanges[2]
    assert third.verdicts["asks-decision-process"].turn == 3


def test_strict_practice_stays_at_its_step(bakery: Playbook) -> None:
    book = strict_book(bakery)
    first = book.scenario.script[0].say
    drill = said(book, DESPERATE, first)
    assert drill.exchanges[0].spoken.source == "care"
    assert [v.met for v in drill.exchanges[1].verdicts.values()] == [True]
    assert drill.exchanges[1].spoken.text == book.scenario.script[1].customer


def test_a_trainer_is_told_once(bakery: Playbook, tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'test.db'}")
    me = accounts.ensure(engine, "学员", "learner").id
    sessions = Sessions(engine, JUDGES, {"builtin": AUTHORED})
    drill = sessions.start(me, bakery, voice="builtin", seed=1)
    for number, text in enumerate((GOOD, DESPERATE, FOLLOWS), 1):
        list(sessions.post(me, drill.id, number, text))
    list(sessions.post(me, drill.id, 2, DESPERATE))  # the same turn posted again
    assert [(c.drill_id, c.turn, c.kind) for c in drills.concerns(engine)] == [(drill.id, 2, "self-harm")]
    kept = sessions.load(me, drill.id).drill
    assert kept.exchanges[1].spoken.source == "care"
    assert kept.exchanges[1].state == kept.exchanges[0].state
    assert not sessions.load(me, drill.id).over
    assert drills.see_concern(engine, drill.id, 2, "培训师")
    assert drills.concerns(engine) == []
    engine.dispose()
