"""Sessions: drills that are kept. A turn is committed before it is answered, and answered once.

A turn's number is its idempotency: posting the same words under the same number again gives the same answer, also after
the process died in between.
"""

from __future__ import annotations

import functools
import queue
import secrets
import threading
import unicodedata
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from prometheus_client import Counter
from pydantic import TypeAdapter
from sqlalchemy import Engine

from coach.drill.director import Act, DrillOver, State, open_drill, step
from coach.drill.drill import Drill, Exchange, answer, finish, hear
from coach.drill.hints import Hint, Strength, hint
from coach.drill.mode import FREE_TURNS, MODES, Mode, ModeName
from coach.drill.playbook import Playbook
from coach.drill.strict import strict_book
from coach.drill.turned import Turned
from coach.drill.understanding import observation
from coach.drill.voice import Spoken, Voice
from coach.scoring.judges import Judge
from coach.scoring.scorecard import Scorecard
from coach.scoring.verdict import Verdict
from coach.store import drills
from coach.store.drills import DrillRow, HintRow, TurnRow

LONGEST_TURN = 2000
"""Characters in one learner turn; more is refused, not cut."""

TURNS = Counter("whetstone_turns_total", "Turns answered", ["voice", "degraded"])
REFUSED = Counter("whetstone_guard_refusals_total", "Model lines the guard refused", ["reason"])


class TurnConflict(ValueError):
    """The turn cannot be taken: its number is not the next one, or it was taken with other words."""

    def __init__(self, message: str, expected: int) -> None:
        super().__init__(message)
        self.expected = expected


class AlreadyScored(ValueError):
    """The drill has been scored; it takes no more turns. Rewinding it makes a new one."""


class NotInThisMode(ValueError):
    """The drill's mode does not allow it; says what."""


class Resting(ValueError):
    """The drill is paused; it takes turns again once it is resumed."""


class TimeUp(ValueError):
    """The time of a timed drill is over; it can only be scored."""


class AttemptUsed(ValueError):
    """The assessment of this scenario has been taken; a trainer can allow another."""


class NoSuchVoice(ValueError):
    """There is no voice of that name here; says which there are."""


class BadTurn(ValueError):
    """The words of the turn cannot be taken: empty, too long, or not text."""


@dataclass(frozen=True)
class Session:
    """A kept drill.

    Attributes:
        deadline: when a timed drill is over; None for others, and while it rests. time_up: it is past.
        pending: a learner turn that was committed but not answered (the process died in between), if any.
    """

    id: str
    account_id: str
    voice: str
    drill: Drill
    pending: str | None
    parent_id: str | None
    parent_turns: int | None
    scorecard: Scorecard | None
    mode: ModeName = "practice"
    hints: tuple[HintRow, ...] = ()
    paused: bool = False
    deadline: datetime | None = None
    time_up: bool = False

    @property
    def over(self) -> bool:
        return self.drill.ending is not None or self.scorecard is not None or self.time_up

    @property
    def may(self) -> Mode:
        """What the learner may do."""
        return MODES[self.mode]


def clean_turn(text: str) -> str:
    """The words of a turn as they are kept.

    Raises:
        BadTurn: says what is wrong with them.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    if "\x00" in text:
        raise BadTurn("the turn holds a NUL character")
    if any(0xD800 <= ord(c) <= 0xDFFF for c in text):
        raise BadTurn("the turn holds half a character (a lone surrogate)")
    if all(unicodedata.category(c) in ("Cf", "Cc", "Zs", "Zl", "Zp") for c in text):
        raise BadTurn("the turn is empty: say something")
    if len(text) > LONGEST_TURN:
        raise BadTurn(f"the turn has {len(text)} characters; {LONGEST_TURN} are the most")
    return text


class Sessions:
    """Drills of one store, played by one set of judges and voices."""

    def __init__(
        self,
        engine: Engine,
        judges: Sequence[Judge],
        voices: Mapping[str, Voice],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._engine = engine
        self._now = now
        self._judges = judges
        self._voices = voices

    def start(
        self,
        account_id: str,
        playbook: Playbook,
        *,
        voice: str,
        seed: int | None = None,
        mode: ModeName = "practice",
    ) -> Session:
        """A new drill; without a seed, a random one.

        Raises:
            NoSuchVoice: there is no such voice here.
            AttemptUsed: it is an assessment, and this account has taken it.
            NoScript: the scenario has no script for strict practice.
        """
        if voice not in self._voices:
            raise NoSuchVoice(f"voice: {voice} is not configured here; there are {', '.join(self._voices)}")
        most = MODES[mode].attempts
        if most is not None and drills.attempts(self._engine, account_id, playbook.scenario.id, mode) >= most:
            raise AttemptUsed("this assessment has been taken; a trainer can allow another attempt")
        if MODES[mode].scripted:
            playbook = strict_book(playbook)
        if mode == "free":
            turns = min(FREE_TURNS, sum(len(lines) for lines in playbook.persona.wait.values()))
            scenario = playbook.scenario.model_copy(update={"max_turns": turns})
            playbook = playbook.changed(scenario=scenario)
        try:
            drill_id = drills.create(
                self._engine,
                mode=mode,
                account_id=account_id,
                scenario_id=playbook.scenario.id,
                playbook_hash=playbook.hash,
                playbook=playbook.model_dump_json(),
                seed=secrets.randbelow(2**31) if seed is None else seed,
                voice=voice,
            )
        except drills.AttemptTaken as error:
            raise AttemptUsed("this assessment has been taken; a trainer can allow another attempt") from error
        return self.load(account_id, drill_id)

    def load(self, account_id: str | None, drill_id: str) -> Session:
        """A kept drill; with `account_id` None anybody's, for a trainer.

        Raises:
            NoSuchDrill: there is none of that id for this account.
        """
        return _restore(drills.get(self._engine, drill_id, account_id), self._now())

    def hint(self, account_id: str, drill_id: str, strength: Strength) -> Hint | None:
        """Help with what is due next, counted; None when nothing is left to help with.

        Raises:
            NotInThisMode, AlreadyScored, DrillOver, Resting, TimeUp, NoSuchDrill.
        """
        session = self.load(account_id, drill_id)
        if not session.may.hints:
            raise NotInThisMode(f"there are no hints in {session.mode} mode")
        _refuse(session, _next(session))
        given = hint(session.drill.playbook, session.drill.state, strength)
        if given is not None:
            drills.add_hint(self._engine, drill_id, HintRow(_next(session), given.check, strength))
        return given

    def pause(self, account_id: str, drill_id: str) -> Session:
        """Let a drill rest; again: nothing changes.

        Raises:
            NotInThisMode, NoSuchDrill.
        """
        session = self.load(account_id, drill_id)
        if not session.may.pauses:
            raise NotInThisMode(f"a drill cannot be paused in {session.mode} mode")
        drills.pause(self._engine, drill_id, self._now())
        return self.load(account_id, drill_id)

    def resume(self, account_id: str, drill_id: str) -> Session:
        """Take up a resting drill.

        Raises:
            NoSuchDrill: there is none of that id for this account.
        """
        self.load(account_id, drill_id)
        drills.resume(self._engine, drill_id, self._now())
        return self.load(account_id, drill_id)

    def post(
        self, account_id: str, drill_id: str, number: int, text: str, key: str | None = None
    ) -> Generator[str, None, Session]:
        """Take a learner turn: yields the customer's answer in pieces and returns the drill as it stands then.

        Everything that can be refused is refused before the first piece.

        Args:
            number: of the learner's turn, from 1. key: optional idempotency key, unique in the drill.

        Raises:
            BadTurn, TurnConflict, AlreadyScored, DrillOver, Resting, TimeUp, NoSuchDrill.
        """
        text = clean_turn(text)
        row = drills.get(self._engine, drill_id, account_id)
        session = _restore(row, self._now())
        taken = _taken(row.turns, number, key)
        turned: Turned | None = None
        if taken is None:
            _refuse(session, number)
            # Understood before it is committed: words that no judge can read must not block the drill.
            turned = hear(session.drill, self._judges, text)
            if not drills.add_turn(self._engine, drill_id, number, text, key):
                row = drills.get(self._engine, drill_id, account_id)
                session = _restore(row, self._now())
                taken = _taken(row.turns, number, key)
                if taken is None:
                    _refuse(session, number)
        if taken is not None:
            if taken.learner != text:
                raise TurnConflict(f"turn {taken.number} was taken with other words", _next(session))
            if taken.answer is not None:
                return self._replay(session, taken.number)
            number = taken.number
        return self._answer(session, number, turned or hear(session.drill, self._judges, text))

    def _replay(self, session: Session, number: int) -> Generator[str, None, Session]:
        yield session.drill.exchanges[number - 1].spoken.text
        return session

    def _answer(self, session: Session, number: int, turned: Turned) -> Generator[str, None, Session]:
        """Answers in a thread of its own, begun at once: whoever is listening may go, the turn is answered and kept."""
        voice = self._voices.get(session.voice) or self._voices["builtin"]
        said: queue.SimpleQueue[str | Exception | None] = queue.SimpleQueue()

        def speak() -> None:
            try:
                exchange = finish(answer(session.drill, turned, voice), said.put).exchanges[-1]
                drills.answer_turn(self._engine, session.id, number, _dump(exchange))
                if exchange.spoken.source == "care":
                    drills.add_concern(self._engine, session.id, number, "self-harm")
                _measure(exchange.spoken)
                said.put(None)
            except Exception as error:
                said.put(error)

        threading.Thread(target=speak, name=f"turn-{session.id}-{number}", daemon=True).start()
        return self._listen(session, said)

    def _listen(
        self, session: Session, said: queue.SimpleQueue[str | Exception | None]
    ) -> Generator[str, None, Session]:
        while (piece := said.get()) is not None:
            if isinstance(piece, Exception):
                raise piece
            yield piece
        return self.load(session.account_id, session.id)

    def rewind(self, account_id: str, drill_id: str, turns: int) -> Session:
        """A new drill that goes on from where this one stood after `turns` learner turns. The old one is kept.

        Raises:
            TurnConflict: the drill has fewer answered turns.
            NotInThisMode: it is an assessment.
        """
        row = drills.get(self._engine, drill_id, account_id)
        if not _restore(row, self._now()).may.rewinds:
            raise NotInThisMode(f"a drill cannot be rewound in {row.mode} mode")
        answered = [t for t in row.turns if t.answer is not None]
        if not 0 <= turns <= len(answered):
            raise TurnConflict(f"this drill has {len(answered)} answered turns", len(answered))
        playbook = _playbook(row.playbook)
        new_id = drills.create(
            self._engine,
            account_id=account_id,
            scenario_id=row.scenario_id,
            playbook_hash=playbook.hash,
            playbook=row.playbook,
            seed=row.seed,
            voice=row.voice,
            mode=row.mode,
            parent=(row.id, answered[:turns]),
        )
        return self.load(account_id, new_id)

    def score(self, account_id: str, drill_id: str, scorer: Callable[[Drill], Scorecard]) -> Session:
        """End the drill and score it, once; a second call gives the same scorecard."""
        while True:
            session = self.load(account_id, drill_id)
            if session.scorecard is not None:
                return session
            if session.pending is not None:
                # A turn still without its answer counts too: it is answered first.
                finish(self.post(account_id, drill_id, _next(session), session.pending))
                continue
            card = scorer(session.drill).model_copy(update={"hints": len(session.hints)}).model_dump(mode="json")
            # Not kept if a turn came in meanwhile: then it is scored again, with that turn.
            drills.keep_scorecard(self._engine, drill_id, card, turns=len(session.drill.exchanges))


def _refuse(session: Session, number: int) -> None:
    if session.scorecard is not None:
        raise AlreadyScored("this drill has been scored; rewind it to practise on")
    if session.drill.ending is not None:
        raise DrillOver("the conversation has ended")
    if session.time_up:
        raise TimeUp("the time is over; score the drill")
    if session.paused:
        raise Resting("the drill is paused; resume it first")
    expected = _next(session)
    if number != expected or session.pending is not None:
        raise TurnConflict(f"turn {expected} is next, not {number}", expected)


def _next(session: Session) -> int:
    """Number of the turn that waits to be posted, or for its answer."""
    return len(session.drill.exchanges) + 1


def _measure(spoken: Spoken) -> None:
    TURNS.labels(spoken.source, spoken.degraded or "none").inc()
    for reason in spoken.refused:
        REFUSED.labels(reason).inc()


def _taken(turns: Sequence[TurnRow], number: int, key: str | None) -> TurnRow | None:
    by_key = next((t for t in turns if key is not None and t.key == key), None)
    return by_key or next((t for t in turns if t.number == number), None)


@functools.lru_cache(maxsize=256)
def _playbook(body: str) -> Playbook:
    return Playbook.model_validate_json(body)


def _restore(row: DrillRow, now: datetime) -> Session:
    playbook = _playbook(row.playbook)
    state, _ = open_drill(playbook, row.seed)
    exchanges: list[Exchange] = []
    pending: str | None = None
    for turn in row.turns:
        if turn.answer is None:
            pending = turn.learner
            break
        exchange = _load(playbook, row.seed, state, turn.learner, turn.answer)
        exchanges.append(exchange)
        state = exchange.state
    mode = cast(ModeName, row.mode)
    minutes = timedelta(minutes=playbook.scenario.minutes, seconds=row.paused_s)
    deadline = row.created_at + minutes if MODES[mode].timed and row.paused_at is None else None
    return Session(
        id=row.id,
        account_id=row.account_id,
        voice=row.voice,
        drill=Drill(playbook, row.seed, tuple(exchanges)),
        pending=pending,
        parent_id=row.parent_id,
        parent_turns=row.parent_turns,
        scorecard=Scorecard.model_validate(row.scorecard) if row.scorecard else None,
        mode=mode,
        hints=row.hints,
        paused=row.paused_at is not None,
        deadline=deadline,
        time_up=deadline is not None and now >= deadline,
    )


def _dump(exchange: Exchange) -> dict[str, Any]:
    state = asdict(exchange.state)
    return {
        "verdicts": {i: v.model_dump(mode="json") for i, v in exchange.verdicts.items()},
        "spoken": asdict(exchange.spoken),
        "acts": [asdict(act) for act in exchange.acts],
        "state": state | {"done": sorted(exchange.state.done), "used": sorted(exchange.state.used)},
    }


def _load(playbook: Playbook, seed: int, before: State, learner: str, kept: Mapping[str, Any]) -> Exchange:
    """An exchange as it was kept. What was decided then stands, whatever today's director would decide."""
    verdicts = {i: Verdict.model_validate(v) for i, v in kept["verdicts"].items()}
    if "state" in kept:
        state, acts = _state(kept["state"]), tuple(_act(a) for a in kept["acts"])
    else:  # kept before states were
        state, acts = step(playbook, seed, before, observation(playbook, learner, verdicts))
    spoken = kept["spoken"]
    return Exchange(
        learner=learner,
        verdicts=verdicts,
        acts=acts,
        spoken=Spoken(spoken["text"], spoken["source"], tuple(spoken["refused"]), spoken["degraded"]),
        state=state,
    )


_STATE = TypeAdapter(State)


def _state(kept: Mapping[str, Any]) -> State:
    return _STATE.validate_python(kept)


def _act(kept: Mapping[str, Any]) -> Act:
    return Act(kept["kind"], kept["of"], kept["line"], kept["mood"], tuple(kept.get("words", ())))
