"""Queries on drills. Each function is one transaction; a drill is only ever found through the account it belongs to."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from coach.store.tables import Account, StoredConcern, StoredDrill, StoredHint, StoredPlaybook, StoredTurn


class NoSuchDrill(LookupError):
    """There is no drill of that id for this account."""


class AttemptTaken(ValueError):
    """There is an assessment of this scenario for this account already."""


@dataclass(frozen=True)
class TurnRow:
    """A stored turn; `answer` is None while the turn has not been answered."""

    number: int
    learner: str
    key: str | None
    answer: dict[str, Any] | None


@dataclass(frozen=True)
class HintRow:
    turn: int
    check: str
    strength: str


@dataclass(frozen=True)
class ConcernRow:
    """A turn that a trainer should look at, and whose it is."""

    drill_id: str
    turn: int
    kind: str
    account: str
    created_at: datetime


@dataclass(frozen=True)
class DrillRow:
    id: str
    account_id: str
    scenario_id: str
    playbook: str
    seed: int
    voice: str
    mode: str
    paused_at: datetime | None
    paused_s: int
    parent_id: str | None
    parent_turns: int | None
    created_at: datetime
    scorecard: dict[str, Any] | None
    turns: tuple[TurnRow, ...]
    hints: tuple[HintRow, ...]


def _now() -> datetime:
    return datetime.now(UTC)


def _aware(moment: datetime) -> datetime:
    """SQLite forgets the time zone; what is stored is UTC."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def create(
    engine: Engine,
    *,
    account_id: str,
    scenario_id: str,
    playbook_hash: str,
    playbook: str,
    seed: int,
    voice: str,
    mode: str = "practice",
    parent: tuple[str, Sequence[TurnRow]] | None = None,
) -> str:
    """A new drill's id. With a parent, its answered turns are taken over, and the hints asked for on the way.

    Raises:
        AttemptTaken: it is an assessment that this account has taken.
    """
    drill_id = uuid.uuid4().hex
    _keep_playbook(engine, playbook_hash, playbook)
    with Session(engine) as session, session.begin():
        now = _now()
        session.add(
            StoredDrill(
                id=drill_id,
                account_id=account_id,
                scenario_id=scenario_id,
                playbook_hash=playbook_hash,
                seed=seed,
                voice=voice,
                mode=mode,
                paused_s=0,
                released=False,
                parent_id=parent[0] if parent else None,
                parent_turns=len(parent[1]) if parent else None,
                created_at=now,
            )
        )
        try:
            session.flush()
        except IntegrityError as error:
            raise AttemptTaken(scenario_id) from error
        if parent:
            given = session.scalars(
                select(StoredHint)
                .where(StoredHint.drill_id == parent[0], StoredHint.turn <= len(parent[1]))
                .order_by(StoredHint.number)
            )
            for number, hint in enumerate(given.all(), 1):
                session.add(
                    StoredHint(
                        drill_id=drill_id,
                        number=number,
                        turn=hint.turn,
                        check_id=hint.check_id,
                        strength=hint.strength,
                        created_at=hint.created_at,
                    )
                )
        for turn in parent[1] if parent else ():
            session.add(
                StoredTurn(
                    drill_id=drill_id,
                    number=turn.number,
                    learner=turn.learner,
                    answer=turn.answer,
                    created_at=now,
                    answered_at=now,
                )
            )
    return drill_id


def _keep_playbook(engine: Engine, content_hash: str, body: str) -> None:
    with Session(engine) as session:
        if session.get(StoredPlaybook, content_hash) is not None:
            return
        session.add(StoredPlaybook(hash=content_hash, body=body))
        try:
            session.commit()
        except IntegrityError:
            session.rollback()  # another process has kept the same one meanwhile


def get(engine: Engine, drill_id: str, account_id: str | None) -> DrillRow:
    """A drill with its turns.

    Args:
        account_id: whose it must be; None only where a trainer is asking.

    Raises:
        NoSuchDrill: there is none, or it belongs to somebody else.
    """
    own = [StoredDrill.account_id == account_id] if account_id is not None else []
    with Session(engine) as session:
        found = session.execute(
            select(StoredDrill, StoredPlaybook.body)
            .join(StoredPlaybook, StoredPlaybook.hash == StoredDrill.playbook_hash)
            .where(StoredDrill.id == drill_id, *own)
        ).one_or_none()
        if found is None:
            raise NoSuchDrill(drill_id)
        row, body = found
        turns = session.scalars(select(StoredTurn).where(StoredTurn.drill_id == drill_id).order_by(StoredTurn.number))
        hints = session.scalars(select(StoredHint).where(StoredHint.drill_id == drill_id).order_by(StoredHint.number))
        return DrillRow(
            id=row.id,
            account_id=row.account_id,
            scenario_id=row.scenario_id,
            playbook=body,
            seed=row.seed,
            voice=row.voice,
            mode=row.mode,
            paused_at=_aware(row.paused_at) if row.paused_at else None,
            paused_s=row.paused_s,
            parent_id=row.parent_id,
            parent_turns=row.parent_turns,
            created_at=_aware(row.created_at),
            scorecard=row.scorecard,
            turns=tuple(TurnRow(t.number, t.learner, t.idempotency_key, t.answer) for t in turns),
            hints=tuple(HintRow(h.turn, h.check_id, h.strength) for h in hints),
        )


def recent(engine: Engine, account_id: str, limit: int = 20) -> list[tuple[str, str, datetime, dict[str, Any] | None]]:
    """(id, scenario id, start, scorecard) of an account's latest drills, newest first."""
    with Session(engine) as session:
        rows = session.execute(
            select(StoredDrill.id, StoredDrill.scenario_id, StoredDrill.created_at, StoredDrill.scorecard)
            .where(StoredDrill.account_id == account_id)
            .order_by(StoredDrill.created_at.desc(), StoredDrill.id)
            .limit(limit)
        )
        return [(r[0], r[1], _aware(r[2]), r[3]) for r in rows]


def relatives(
    engine: Engine, account_id: str, drill_id: str
) -> list[tuple[str, str | None, int | None, dict[str, Any] | None]]:
    """(id, parent, turns taken over, scorecard) of all branches of one conversation, this drill's, oldest first."""
    with Session(engine) as session:
        rows = session.execute(
            select(StoredDrill.id, StoredDrill.parent_id, StoredDrill.parent_turns, StoredDrill.scorecard)
            .where(
                StoredDrill.account_id == account_id,
                StoredDrill.scenario_id
                == select(StoredDrill.scenario_id).where(StoredDrill.id == drill_id).scalar_subquery(),
            )
            .order_by(StoredDrill.created_at, StoredDrill.id)
        ).all()
    parents = {row[0]: row[1] for row in rows}

    def root(one: str) -> str:
        while (parent := parents.get(one)) is not None:
            one = parent
        return one

    return [(r[0], r[1], r[2], r[3]) for r in rows if root(r[0]) == root(drill_id)]


def attempts(engine: Engine, account_id: str, scenario_id: str, mode: str) -> int:
    """How many drills of a scenario an account has taken in a mode, those released by a trainer left out."""
    with Session(engine) as session:
        found = session.scalar(
            select(func.count())
            .select_from(StoredDrill)
            .where(
                StoredDrill.account_id == account_id,
                StoredDrill.scenario_id == scenario_id,
                StoredDrill.mode == mode,
                StoredDrill.released.is_(False),
            )
        )
        return found or 0


def release(engine: Engine, drill_id: str) -> None:
    """Let the learner of an assessment take it again.

    Raises:
        NoSuchDrill: there is none.
    """
    with Session(engine) as session, session.begin():
        done = session.execute(
            update(StoredDrill).where(StoredDrill.id == drill_id).values(released=True).returning(StoredDrill.id)
        )
        if done.scalar() is None:
            raise NoSuchDrill(drill_id)


def pause(engine: Engine, drill_id: str, at: datetime) -> None:
    """Let a drill rest, unless it rests already."""
    with Session(engine) as session, session.begin():
        session.execute(
            update(StoredDrill).where(StoredDrill.id == drill_id, StoredDrill.paused_at.is_(None)).values(paused_at=at)
        )


def resume(engine: Engine, drill_id: str, at: datetime) -> None:
    """Take up a resting drill; the time it rested is added up."""
    with Session(engine) as session, session.begin():
        row = session.get(StoredDrill, drill_id, with_for_update=True)
        if row is not None and row.paused_at is not None:
            row.paused_s += max(0, round((at - _aware(row.paused_at)).total_seconds()))
            row.paused_at = None


def add_hint(engine: Engine, drill_id: str, hint: HintRow) -> None:
    """Keep that help was asked for; the same help before the same turn counts once."""
    with Session(engine) as session, session.begin():
        session.get(StoredDrill, drill_id, with_for_update=True)
        given = session.scalars(select(StoredHint).where(StoredHint.drill_id == drill_id)).all()
        if any((h.turn, h.check_id, h.strength) == (hint.turn, hint.check, hint.strength) for h in given):
            return
        session.add(
            StoredHint(
                drill_id=drill_id,
                number=len(given) + 1,
                turn=hint.turn,
                check_id=hint.check,
                strength=hint.strength,
                created_at=_now(),
            )
        )


def add_concern(engine: Engine, drill_id: str, turn: int, kind: str) -> None:
    """Keep that a turn should be looked at by a trainer, once."""
    with Session(engine) as session:
        session.add(StoredConcern(drill_id=drill_id, turn=turn, kind=kind, created_at=_now()))
        try:
            session.commit()
        except IntegrityError:
            session.rollback()


def concerns(engine: Engine) -> list[ConcernRow]:
    """Turns that nobody has looked at yet, oldest first."""
    with Session(engine) as session:
        rows = session.execute(
            select(StoredConcern, Account.name)
            .join(StoredDrill, StoredDrill.id == StoredConcern.drill_id)
            .join(Account, Account.id == StoredDrill.account_id)
            .where(StoredConcern.seen_at.is_(None))
            .order_by(StoredConcern.created_at)
        )
        return [ConcernRow(c.drill_id, c.turn, c.kind, name, _aware(c.created_at)) for c, name in rows]


def see_concern(engine: Engine, drill_id: str, turn: int, who: str) -> bool:
    """Mark a turn as looked at; False when there is none that waits."""
    with Session(engine) as session, session.begin():
        done = session.execute(
            update(StoredConcern)
            .where(StoredConcern.drill_id == drill_id, StoredConcern.turn == turn, StoredConcern.seen_at.is_(None))
            .values(seen_at=_now(), seen_by=who)
            .returning(StoredConcern.turn)
        )
        return done.scalar() is not None


def add_turn(engine: Engine, drill_id: str, number: int, learner: str, key: str | None) -> bool:
    """Commit a learner turn, unanswered. False when a turn of that number or key is there already, or the drill has
    been scored meanwhile."""
    with Session(engine) as session:
        if not _lock_unscored(session, drill_id):
            return False
        session.add(
            StoredTurn(drill_id=drill_id, number=number, learner=learner, idempotency_key=key, created_at=_now())
        )
        try:
            session.commit()
        except IntegrityError:
            session.rollback()
            return False
        return True


def answer_turn(engine: Engine, drill_id: str, number: int, answer: dict[str, Any]) -> None:
    """Complete a turn, unless it has been answered already."""
    with Session(engine) as session, session.begin():
        session.execute(
            update(StoredTurn)
            .where(StoredTurn.drill_id == drill_id, StoredTurn.number == number, StoredTurn.answered_at.is_(None))
            .values(answer=answer, answered_at=_now())
        )


def _lock_unscored(session: Session, drill_id: str) -> bool:
    """Hold the drill's row until the transaction ends, so that turns and scoring take turns; False once scored."""
    held = session.execute(
        update(StoredDrill)
        .where(StoredDrill.id == drill_id, StoredDrill.scored_at.is_(None))
        .values(seed=StoredDrill.seed)
        .returning(StoredDrill.id)
    )
    return held.scalar() is not None


def keep_scorecard(engine: Engine, drill_id: str, scorecard: dict[str, Any], *, turns: int) -> None:
    """Keep a drill's scorecard, unless there is one already or other than the `turns` turns it was made from."""
    with Session(engine) as session, session.begin():
        if not _lock_unscored(session, drill_id):
            return
        there = session.scalar(select(func.count()).select_from(StoredTurn).where(StoredTurn.drill_id == drill_id))
        if there == turns:
            session.execute(
                update(StoredDrill).where(StoredDrill.id == drill_id).values(scorecard=scorecard, scored_at=_now())
            )
