"""Kept drills, on SQLite and on PostgreSQL: nothing is lost, nothing is answered twice."""

from __future__ import annotations

import threading
from collections.abc import Generator
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, insert
from sqlalchemy.exc import IntegrityError

from coach.catalogue import load
from coach.drill.director import DrillOver
from coach.drill.drill import Drill
from coach.drill.guard import Rules
from coach.drill.playbook import Playbook
from coach.drill.session import LONGEST_TURN, AlreadyScored, BadTurn, Session, Sessions, TurnConflict, clean_turn
from coach.drill.voice import AuthoredVoice, Brief, Spoken
from coach.scoring.judges import NumberJudge, PatternJudge
from coach.scoring.score import score
from coach.scoring.scorecard import Scorecard
from coach.store import accounts, drills
from coach.store.tables import StoredTurn

JUDGES = [PatternJudge(), NumberJudge()]
GOOD = "您说贵，是跟现在这套比，还是手上有别家的报价？"


class CountingVoice(AuthoredVoice):
    """The authored voice, counting how often it is asked to speak."""

    def __init__(self) -> None:
        self.spoken = 0

    def say(self, brief: Brief, rules: Rules) -> Generator[str, None, Spoken]:
        self.spoken += 1
        return (yield from super().say(brief, rules))


class Desk:
    """An account with sessions on one database."""

    def __init__(self, engine: Engine, book: Playbook) -> None:
        self.engine, self.book, self.voice = engine, book, CountingVoice()
        self.me = accounts.ensure(engine, "学员", "learner").id
        self.sessions = Sessions(engine, JUDGES, {"builtin": self.voice})

    def start(self) -> Session:
        return self.sessions.start(self.me, self.book, voice="builtin", seed=7)

    def post(self, session: Session, number: int, text: str, key: str | None = None) -> Session:
        speaking = self.sessions.post(self.me, session.id, number, text, key)
        while True:
            try:
                next(speaking)
            except StopIteration as stop:
                told: Session = stop.value
                return told


@pytest.fixture
def desk(engine: Engine, bakery: Playbook) -> Desk:
    return Desk(engine, bakery)


def test_a_drill_is_kept_and_comes_back_the_same(desk: Desk) -> None:
    session = desk.start()
    after = desk.post(session, 1, GOOD)
    again = desk.sessions.load(desk.me, session.id)
    assert again == after
    assert again.drill.said()[1] == ("learner", GOOD)
    assert again.drill.state.revealed == ("rival-quote",)


def test_the_same_turn_again_gets_the_same_answer_and_is_not_spoken_again(desk: Desk) -> None:
    session = desk.start()
    first = desk.post(session, 1, GOOD, "key-1")
    assert desk.post(session, 1, GOOD, "key-1") == first
    assert desk.post(session, 1, GOOD) == first
    assert desk.voice.spoken == 1


def test_a_turn_out_of_order_or_with_other_words_is_refused_and_changes_nothing(desk: Desk) -> None:
    session = desk.start()
    desk.post(session, 1, GOOD, "key-1")
    for number, text, key in ((3, "隔一轮", None), (1, "换了话", None), (2, "换了话", "key-1")):
        with pytest.raises(TurnConflict) as caught:
            desk.post(session, number, text, key)
        assert caught.value.expected == 2
    assert len(desk.sessions.load(desk.me, session.id).drill.exchanges) == 1


@pytest.mark.parametrize("text", ["", "   \n ", "有\x00字符", "半个\ud83d", "长" * (LONGEST_TURN + 1)])
def test_words_that_cannot_be_taken(text: str) -> None:
    with pytest.raises(BadTurn):
        clean_turn(text)


def test_a_turn_left_unanswered_by_a_crash_is_answered_by_posting_it_again(desk: Desk) -> None:
    session = desk.start()
    assert drills.add_turn(desk.engine, session.id, 1, GOOD, None)
    hanging = desk.sessions.load(desk.me, session.id)
    assert (hanging.pending, len(hanging.drill.exchanges)) == (GOOD, 0)
    with pytest.raises(TurnConflict):
        desk.post(session, 2, "下一句")
    assert desk.post(session, 1, GOOD).pending is None


def test_the_learner_going_away_in_mid_answer_loses_nothing(desk: Desk) -> None:
    session = desk.start()
    speaking = desk.sessions.post(desk.me, session.id, 1, GOOD)
    assert next(speaking)
    speaking.close()
    for thread in threading.enumerate():
        if thread.name == f"turn-{session.id}-1":
            thread.join(10)
    assert len(desk.sessions.load(desk.me, session.id).drill.exchanges) == 1


def test_rewinding_keeps_the_old_drill_and_goes_on_from_the_turn(desk: Desk) -> None:
    session = desk.start()
    for n, text in enumerate([GOOD, "嗯。", "好的。"], 1):
        whole = desk.post(session, n, text)
    branch = desk.sessions.rewind(desk.me, session.id, 1)
    assert branch.drill.exchanges == whole.drill.exchanges[:1]
    assert (branch.parent_id, branch.parent_turns) == (session.id, 1)
    straight = desk.post(desk.start(), 1, GOOD)
    ours = desk.post(branch, 2, "现在门店是怎么订货的？")
    theirs = desk.post(straight, 2, "现在门店是怎么订货的？")
    assert ours.drill.exchanges == theirs.drill.exchanges
    assert len(desk.sessions.load(desk.me, session.id).drill.exchanges) == 3
    with pytest.raises(TurnConflict):
        desk.sessions.rewind(desk.me, session.id, 9)


def test_a_scored_drill_is_closed_and_scored_once(desk: Desk) -> None:
    session = desk.post(desk.start(), 1, GOOD)
    asked = 0

    def scorer(drill: object) -> Scorecard:
        nonlocal asked
        asked += 1
        book = desk.book
        return score(book.rubric, book.checks, session.drill.said(), judges=JUDGES, rubric_hash=book.rubric_hash)

    card = desk.sessions.score(desk.me, session.id, scorer).scorecard
    assert desk.sessions.score(desk.me, session.id, scorer).scorecard == card
    assert asked == 1
    with pytest.raises(AlreadyScored):
        desk.post(session, 2, "再说一句")


def scorer(desk: Desk, drill: Drill) -> Scorecard:
    book = desk.book
    return score(book.rubric, book.checks, drill.said(), judges=JUDGES, rubric_hash=book.rubric_hash)


def test_a_turn_that_waits_for_its_answer_is_answered_before_the_score(desk: Desk) -> None:
    session = desk.start()
    assert drills.add_turn(desk.engine, session.id, 1, GOOD, None)
    scored = desk.sessions.score(desk.me, session.id, lambda d: scorer(desk, d))
    assert (scored.pending, len(scored.drill.exchanges)) == (None, 1)
    assert scored.scorecard is not None
    assert [v.check for c in scored.scorecard.criteria for v in c.verdicts if v.met] == ["asks-comparison"]


def test_a_turn_that_comes_in_while_it_is_scored_is_scored_too(desk: Desk) -> None:
    session = desk.post(desk.start(), 1, GOOD)
    asked: list[int] = []

    def slow(drill: Drill) -> Scorecard:
        asked.append(len(drill.exchanges))
        if len(asked) == 1:
            desk.post(session, 2, "现在各家店是怎么订货的？")
        return scorer(desk, drill)

    scored = desk.sessions.score(desk.me, session.id, slow)
    assert asked == [1, 2]
    assert scored.scorecard is not None
    met = {v.check for c in scored.scorecard.criteria for v in c.verdicts if v.met}
    assert met == {"asks-comparison", "asks-current-process"}


def test_a_turn_that_loses_the_race_with_the_score_is_refused(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    session = desk.post(desk.start(), 1, GOOD)
    real = drills.add_turn

    def scored_first(engine: Engine, drill_id: str, number: int, learner: str, key: str | None) -> bool:
        desk.sessions.score(desk.me, session.id, lambda d: scorer(desk, d))
        return real(engine, drill_id, number, learner, key)

    monkeypatch.setattr(drills, "add_turn", scored_first)
    with pytest.raises(AlreadyScored):
        desk.post(session, 2, "再说一句")
    assert len(desk.sessions.load(desk.me, session.id).drill.exchanges) == 1


def test_the_same_key_repeats_its_answer_whatever_the_number(desk: Desk) -> None:
    session = desk.start()
    first = desk.post(session, 1, GOOD, "key-1")
    assert desk.post(session, 2, GOOD, "key-1") == first


def test_words_are_not_in_database_errors(desk: Desk) -> None:
    with pytest.raises(IntegrityError) as caught, desk.engine.begin() as connection:
        connection.execute(
            insert(StoredTurn).values(drill_id="none", number=1, learner="私密的话", created_at=datetime.now(UTC))
        )
    assert "私密的话" not in str(caught.value)


def test_a_drill_that_has_ended_takes_no_more(desk: Desk) -> None:
    session = desk.start()
    n = 0
    while desk.sessions.load(desk.me, session.id).drill.ending is None:
        n += 1
        desk.post(session, n, f"嗯嗯{n}")
    with pytest.raises(DrillOver):
        desk.post(session, n + 1, "还在吗")


def test_somebody_elses_drill_is_not_there(desk: Desk) -> None:
    session = desk.start()
    other = accounts.ensure(desk.engine, "别人", "learner").id
    for action in (
        lambda: desk.sessions.load(other, session.id),
        lambda: desk.sessions.post(other, session.id, 1, GOOD),
        lambda: desk.sessions.rewind(other, session.id, 0),
    ):
        with pytest.raises(drills.NoSuchDrill):
            action()


def test_a_drill_keeps_the_words_it_was_started_with(desk: Desk) -> None:
    session = desk.start()
    raw = desk.book.model_dump()
    raw["scenario"]["title"] = "改过的题目"
    edited = Playbook.model_validate(raw)
    assert edited.hash != desk.book.hash
    desk.sessions.start(desk.me, edited, voice="builtin")
    assert desk.sessions.load(desk.me, session.id).drill.playbook == load().playbook("sales-bakery-price")


def test_keys_are_shown_once_and_kept_as_hashes(engine: Engine) -> None:
    key = accounts.add(engine, "王老师", "trainer")
    assert accounts.by_key(engine, key) == accounts.ensure(engine, "王老师", "trainer")
    assert accounts.by_key(engine, key + "x") is None
    with engine.connect() as connection:
        kept = str(connection.exec_driver_sql("SELECT * FROM account").all())
    assert key not in kept
    with pytest.raises(accounts.NameTaken):
        accounts.add(engine, "王老师", "learner")


def test_a_browser_session_ends_with_signing_out(engine: Engine) -> None:
    me = accounts.ensure(engine, "学员", "learner")
    token = accounts.sign_in(engine, me.id)
    assert accounts.by_token(engine, token) == me
    accounts.sign_out(engine, token)
    assert accounts.by_token(engine, token) is None


def test_migrating_twice_is_harmless(engine: Engine) -> None:
    from coach.store.database import open_database

    open_database(engine.url.render_as_string(hide_password=False)).dispose()
