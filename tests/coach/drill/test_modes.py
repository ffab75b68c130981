"""Modes of kept drills, on SQLite and on PostgreSQL: what each allows, its clock, its help, and what is read back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select, update

from coach.catalogue import Catalogue
from coach.drill import safety
from coach.drill.drill import Drill, finish, play
from coach.drill.hints import STRENGTHS
from coach.drill.mode import ModeName
from coach.drill.persona import Mood
from coach.drill.playbook import Playbook
from coach.drill.session import (
    AlreadyScored,
    AttemptUsed,
    NotInThisMode,
    Resting,
    Session,
    Sessions,
    TimeUp,
)
from coach.drill.strict import NoScript
from coach.drill.voice import AuthoredVoice
from coach.scoring.judges import Judge, NumberJudge, PatternJudge
from coach.scoring.score import score
from coach.scoring.scorecard import Scorecard
from coach.store import accounts, drills
from coach.store.tables import StoredTurn
from evals.scripts import turns

JUDGES: list[Judge] = [PatternJudge(), NumberJudge()]
ASKS = "您说贵，是跟现在这套比，还是手上有别家的报价？"
ASKS_PROCESS = "现在各家店是怎么订货的？"
IN_NEED = "我真的不想活了，谁也别管我。"


class Clock:
    """The time as a test says it is; the real one until then."""

    def __init__(self) -> None:
        self.at: datetime | None = None

    def __call__(self) -> datetime:
        return self.at or datetime.now(UTC)


class Desk:
    """A learner with sessions on one database, under a clock of their own."""

    def __init__(self, engine: Engine, book: Playbook) -> None:
        self.engine, self.book, self.clock = engine, book, Clock()
        self.me = accounts.ensure(engine, "学员", "learner").id
        self.sessions = Sessions(engine, JUDGES, {"builtin": AuthoredVoice()}, now=self.clock)

    def start(self, mode: ModeName = "practice", book: Playbook | None = None) -> Session:
        return self.sessions.start(self.me, book or self.book, voice="builtin", seed=7, mode=mode)

    def post(self, session: Session, number: int, text: str) -> Session:
        return finish(self.sessions.post(self.me, session.id, number, text))

    def score(self, session: Session) -> Session:
        return self.sessions.score(self.me, session.id, scorer)

    def row(self, session: Session) -> drills.DrillRow:
        return drills.get(self.engine, session.id, self.me)


def scorer(drill: Drill) -> Scorecard:
    book = drill.playbook
    return score(
        book.rubric,
        book.checks,
        drill.said(),
        judges=JUDGES,
        rubric_hash=book.rubric_hash,
        verdicts=[e.verdicts for e in drill.exchanges],
    )


@pytest.fixture
def desk(engine: Engine, bakery: Playbook) -> Desk:
    return Desk(engine, bakery)


def test_an_assessment_is_taken_once_until_a_trainer_releases_it(desk: Desk, catalogue: Catalogue) -> None:
    taken = desk.start("assessment")
    with pytest.raises(AttemptUsed):
        desk.start("assessment")
    # Somebody else, another scenario and other modes are not held up by it.
    other = accounts.ensure(desk.engine, "别人", "learner").id
    desk.sessions.start(other, desk.book, voice="builtin", mode="assessment")
    desk.start("assessment", catalogue.playbook("support-late-parcel"))
    desk.start("practice")
    drills.release(desk.engine, taken.id)
    assert desk.start("assessment").mode == "assessment"
    with pytest.raises(AttemptUsed):
        desk.start("assessment")


def test_practice_does_not_use_up_the_assessment(desk: Desk) -> None:
    desk.start("practice")
    desk.start("practice")
    assert desk.start("assessment").drill.exchanges == ()


def test_releasing_what_there_is_not(desk: Desk) -> None:
    with pytest.raises(drills.NoSuchDrill):
        drills.release(desk.engine, "nothing")


@pytest.mark.parametrize(
    "action",
    [
        lambda d, s: d.sessions.hint(d.me, s.id, "direction"),
        lambda d, s: d.sessions.rewind(d.me, s.id, 0),
        lambda d, s: d.sessions.pause(d.me, s.id),
    ],
    ids=["hint", "rewind", "pause"],
)
def test_what_an_assessment_does_not_allow_leaves_no_trace(
    desk: Desk, action: Callable[[Desk, Session], object]
) -> None:
    session = desk.post(desk.start("assessment"), 1, ASKS)
    with pytest.raises(NotInThisMode, match="assessment"):
        action(desk, session)
    assert desk.sessions.load(desk.me, session.id) == session
    assert len(drills.recent(desk.engine, desk.me)) == 1


def test_an_assessment_takes_turns_up_to_its_last_minute_and_is_scored_after_it(desk: Desk) -> None:
    session = desk.start("assessment")
    begun = desk.row(session).created_at
    assert session.deadline == begun + timedelta(minutes=12)
    desk.clock.at = begun + timedelta(minutes=11, seconds=59)
    assert not desk.post(session, 1, ASKS).over
    desk.clock.at = begun + timedelta(minutes=12)
    with pytest.raises(TimeUp):
        desk.post(session, 2, ASKS_PROCESS)
    late = desk.sessions.load(desk.me, session.id)
    assert (late.time_up, late.over, late.pending, len(late.drill.exchanges)) == (True, True, None, 1)
    # Asking again for what was answered in time is no new turn.
    assert desk.post(session, 1, ASKS).drill == late.drill
    card = desk.score(session).scorecard
    assert card is not None
    assert [v.check for c in card.criteria for v in c.verdicts if v.met] == ["asks-comparison"]
    with pytest.raises(AlreadyScored):
        desk.post(session, 2, ASKS_PROCESS)


def test_a_turn_said_in_time_but_not_answered_counts_after_the_time(desk: Desk) -> None:
    session = desk.start("assessment")
    assert drills.add_turn(desk.engine, session.id, 1, ASKS, None)
    desk.clock.at = desk.row(session).created_at + timedelta(minutes=30)
    scored = desk.score(session)
    assert (scored.pending, len(scored.drill.exchanges)) == (None, 1)


@pytest.mark.parametrize("mode", ["practice", "strict", "free"])
def test_only_an_assessment_is_timed(desk: Desk, mode: ModeName) -> None:
    session = desk.start(mode)
    desk.clock.at = datetime.now(UTC) + timedelta(days=3)
    assert (session.deadline, desk.post(session, 1, ASKS).time_up) == (None, False)


def test_a_resting_drill_takes_nothing_until_it_is_resumed(desk: Desk) -> None:
    session = desk.start()
    begun = desk.row(session).created_at
    desk.clock.at = begun + timedelta(seconds=10)
    assert desk.sessions.pause(desk.me, session.id).paused
    for action in (
        lambda: desk.post(session, 1, ASKS),
        lambda: desk.sessions.hint(desk.me, session.id, "direction"),
    ):
        with pytest.raises(Resting):
            action()
    # Pausing what rests does not begin the rest anew.
    desk.clock.at = begun + timedelta(seconds=110)
    desk.sessions.pause(desk.me, session.id)
    desk.clock.at = begun + timedelta(seconds=310)
    assert not desk.sessions.resume(desk.me, session.id).paused
    assert desk.row(session).paused_s == 300
    desk.sessions.resume(desk.me, session.id)
    desk.sessions.pause(desk.me, session.id)
    desk.clock.at += timedelta(seconds=60)
    desk.sessions.resume(desk.me, session.id)
    assert desk.row(session).paused_s == 360
    assert len(desk.post(session, 1, ASKS).drill.exchanges) == 1


def test_the_clock_stands_still_while_a_timed_drill_rests(desk: Desk) -> None:
    session = desk.start("assessment")
    begun = desk.row(session).created_at
    drills.pause(desk.engine, session.id, begun + timedelta(minutes=5))
    desk.clock.at = begun + timedelta(hours=2)
    resting = desk.sessions.load(desk.me, session.id)
    assert (resting.deadline, resting.time_up) == (None, False)
    resumed = desk.sessions.resume(desk.me, session.id)
    # Seven of its twelve minutes were left.
    assert resumed.deadline == begun + timedelta(hours=2, minutes=7)
    assert not resumed.time_up


def test_a_free_drill_goes_on_where_a_practice_ends(engine: Engine, catalogue: Catalogue) -> None:
    # Only one ending that chatter never earns is left, and running out of turns.
    shipped = catalogue.playbook("sales-bakery-price")
    raw = shipped.model_dump()
    last = [e for e in shipped.scenario.endings if e.when is None or e.kind == "won"]
    raw["scenario"]["endings"] = [e.model_dump() for e in last]
    desk = Desk(engine, shipped)
    ended: dict[ModeName, int | None] = {}
    modes: tuple[ModeName, ...] = ("practice", "free")
    for mode in modes:
        session = desk.start(mode, Playbook.model_validate(raw))
        ended[mode] = None
        for number in range(1, 17):
            session = desk.post(session, number, f"今天第{number}次跟您聊，天气不错。")
            if session.over:
                ended[mode] = number
                break
    assert ended == {"practice": 14, "free": None}


def test_a_free_drill_has_as_many_turns_as_the_persona_has_words_for(desk: Desk) -> None:
    # Eight cold, eleven neutral and six warm waiting lines.
    assert desk.start("free").drill.playbook.scenario.max_turns == 8 + 11 + 6


def test_a_free_drill_has_forty_turns_at_most(engine: Engine, catalogue: Catalogue) -> None:
    shipped = catalogue.playbook("sales-bakery-price")
    wait: dict[Mood, list[str]] = {"neutral": [f"第{n}句" for n in range(60)]}
    talkative = Playbook.model_validate(
        shipped.model_dump() | {"persona": shipped.persona.model_copy(update={"wait": wait})}
    )
    assert Desk(engine, talkative).start("free").drill.playbook.scenario.max_turns == 40


def test_one_playbook_can_be_started_in_one_mode_after_another(engine: Engine, catalogue: Catalogue) -> None:
    desk = Desk(engine, catalogue.playbook("sales-bakery-price"))
    assert desk.start("practice").drill.playbook.scenario.max_turns == 14
    assert desk.start("free").drill.playbook.scenario.max_turns == 25
    assert desk.start("strict").drill.playbook.strict


def test_strict_practice_needs_a_script(desk: Desk, catalogue: Catalogue) -> None:
    with pytest.raises(NoScript, match="sales-discovery"):
        desk.start("strict", catalogue.playbook("sales-discovery"))
    assert drills.recent(desk.engine, desk.me) == []


def test_strict_practice_is_kept_word_for_word(desk: Desk) -> None:
    script = desk.book.scenario.script
    session = desk.start("strict")
    assert session.drill.opening == script[0].customer
    session = desk.post(session, 1, script[0].say)
    session = desk.post(session, 2, "价格好商量。")
    verdicts = [v for e in session.drill.exchanges for v in e.verdicts.values()]
    assert [(v.check, v.met) for v in verdicts] == [("step-1", True), ("step-2", False)]
    assert verdicts[1].note == "漏了关键词：3980元、47760元、6000元、两次上门培训"
    assert session.drill.exchanges[1].spoken.text == script[2].customer
    with pytest.raises(NotInThisMode):
        desk.sessions.hint(desk.me, session.id, "example")
    branch = desk.sessions.rewind(desk.me, session.id, 1)
    assert (branch.mode, branch.drill.exchanges) == ("strict", session.drill.exchanges[:1])


def test_the_same_help_before_the_same_turn_counts_once(desk: Desk) -> None:
    session = desk.start()
    for strength in (*STRENGTHS, *STRENGTHS, "direction"):
        given = desk.sessions.hint(desk.me, session.id, strength)
        assert given is not None
        # Nothing has been said yet: the first words are for whoever is there.
        assert given.check == "acknowledges-concern"
    assert [(h.turn, h.strength) for h in desk.row(session).hints] == [(1, s) for s in STRENGTHS]
    desk.post(session, 1, "嗯。")
    desk.sessions.hint(desk.me, session.id, "direction")
    desk.sessions.hint(desk.me, session.id, "direction")
    assert [h.turn for h in desk.row(session).hints] == [1, 1, 1, 2]


def test_hints_are_on_the_scorecard_and_change_nothing_else(desk: Desk) -> None:
    helped, alone = desk.start(), desk.start()
    for number, text in enumerate(turns("sales-bakery-price", "middling"), 1):
        if not desk.sessions.load(desk.me, helped.id).over:
            desk.sessions.hint(desk.me, helped.id, "example")
            one, other = desk.post(helped, number, text), desk.post(alone, number, text)
            assert one.drill == other.drill
    given = len(desk.row(helped).hints)
    assert given >= 5
    with_help, without = desk.score(helped).scorecard, desk.score(alone).scorecard
    assert with_help is not None
    assert without is not None
    assert (with_help.hints, without.hints) == (given, 0)
    assert with_help.model_copy(update={"hints": 0}) == without
    with pytest.raises(AlreadyScored):
        desk.sessions.hint(desk.me, helped.id, "direction")


def test_no_help_in_somebody_elses_drill(desk: Desk) -> None:
    session = desk.start()
    other = accounts.ensure(desk.engine, "别人", "learner").id
    for action in (
        lambda: desk.sessions.hint(other, session.id, "direction"),
        lambda: desk.sessions.pause(other, session.id),
        lambda: desk.sessions.resume(other, session.id),
        lambda: desk.sessions.score(other, session.id, scorer),
    ):
        with pytest.raises(drills.NoSuchDrill):
            action()
    assert desk.row(session).hints == ()


@pytest.mark.parametrize("mode", ["practice", "assessment", "strict", "free"])
def test_somebody_in_need_is_answered_by_us_and_a_trainer_is_told(desk: Desk, mode: ModeName) -> None:
    session = desk.start(mode)
    before = session.drill.state
    after = desk.post(session, 1, IN_NEED)
    said = after.drill.exchanges[0]
    assert (said.spoken.source, said.spoken.text) == ("care", safety.ANSWER)
    assert (said.verdicts, said.acts, after.drill.state) == ({}, (), before)
    # Posted again, as a browser does after a broken connection.
    desk.post(session, 1, IN_NEED)
    waiting = drills.concerns(desk.engine)
    assert [(c.drill_id, c.turn, c.kind, c.account) for c in waiting] == [(session.id, 1, "self-harm", "学员")]
    assert drills.see_concern(desk.engine, session.id, 1, "王老师")
    assert drills.concerns(desk.engine) == []
    assert not drills.see_concern(desk.engine, session.id, 1, "王老师")


def test_after_the_help_line_the_conversation_goes_on_where_it_stood(desk: Desk) -> None:
    straight = desk.post(desk.post(desk.start(), 1, ASKS), 2, ASKS_PROCESS)
    interrupted = desk.post(desk.start(), 1, ASKS)
    interrupted = desk.post(interrupted, 2, IN_NEED)
    interrupted = desk.post(interrupted, 3, ASKS_PROCESS)
    assert interrupted.drill.exchanges[2].acts == straight.drill.exchanges[1].acts
    assert interrupted.drill.state == straight.drill.state
    one, other = desk.score(straight).scorecard, desk.score(interrupted).scorecard
    assert one is not None
    assert other is not None
    assert one.points == other.points > 0


def test_an_ordinary_turn_is_nobodys_concern(desk: Desk) -> None:
    desk.post(desk.start(), 1, "客户说价格太高不想活动了，我都快忙死了。")
    assert drills.concerns(desk.engine) == []


def test_what_is_kept_is_what_was_played(desk: Desk) -> None:
    said = turns("sales-bakery-price", "good")
    session = desk.start()
    for number, text in enumerate(said, 1):
        session = desk.post(session, number, text)
        if session.over:
            break
    played = play(desk.book, 7, JUDGES, AuthoredVoice(), said)
    assert session.drill == played
    assert session.drill.ending == "trial-agreed"


def alter(engine: Engine, drill_id: str, number: int, change: Callable[[dict[str, Any]], object]) -> None:
    """Change a stored answer behind the product's back."""
    at = (StoredTurn.drill_id == drill_id, StoredTurn.number == number)
    with engine.begin() as connection:
        answer = connection.execute(select(StoredTurn.answer).where(*at)).scalar_one()
        change(answer)
        connection.execute(update(StoredTurn).where(*at).values(answer=answer))


def test_what_was_decided_stands_whatever_todays_director_would_decide(desk: Desk) -> None:
    session = desk.post(desk.post(desk.start(), 1, ASKS), 2, "嗯。")
    assert session.drill.exchanges[0].state.revealed == ("rival-quote",)

    def otherwise(answer: dict[str, Any]) -> None:
        answer["state"] |= {"trust": 97, "revealed": ["budget"]}
        answer["acts"] = [{"kind": "wait", "of": "", "line": "从前的话。", "mood": "warm", "words": []}]

    alter(desk.engine, session.id, 1, otherwise)
    first, second = desk.sessions.load(desk.me, session.id).drill.exchanges
    assert (first.state.trust, first.state.revealed) == (97, ("budget",))
    assert [(a.kind, a.line, a.mood) for a in first.acts] == [("wait", "从前的话。", "warm")]
    # The second answer was kept with a state of its own; it is not folded anew from the altered one.
    assert second == session.drill.exchanges[1]
    branch = desk.sessions.rewind(desk.me, session.id, 1)
    assert branch.drill.state.trust == 97
    assert desk.post(branch, 2, "嗯。").drill.state.trust > 90


def test_answers_from_before_states_were_kept_are_folded(desk: Desk) -> None:
    session = desk.start()
    for number, text in enumerate((ASKS, ASKS_PROCESS, "嗯。"), 1):
        session = desk.post(session, number, text)
    for number in (1, 2, 3):

        def forget(answer: dict[str, Any]) -> None:
            del answer["state"], answer["acts"]

        alter(desk.engine, session.id, number, forget)
    assert desk.sessions.load(desk.me, session.id).drill == session.drill
