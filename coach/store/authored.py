"""What trainers have written: scenarios and their learners, version by version. Nothing is overwritten."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Engine, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from coach.store.tables import Authored


@dataclass(frozen=True)
class Version:
    """One published version of something; `version` counts from 1."""

    kind: str
    id: str
    version: int
    body: str
    who: str
    at: datetime


def head(engine: Engine) -> int:
    """How many versions there are: changes whenever anything is published."""
    with Session(engine) as session:
        return session.scalar(select(func.count()).select_from(Authored)) or 0


def add(engine: Engine, kind: str, name: str, body: str, who: str) -> int:
    """Publish a version and return its number."""
    while True:
        with Session(engine) as session:
            last = session.scalar(select(func.max(Authored.version)).where(Authored.kind == kind, Authored.id == name))
            row = Authored(kind=kind, id=name, version=(last or 0) + 1, body=body, who=who, at=datetime.now(UTC))
            session.add(row)
            try:
                session.commit()
            except IntegrityError:
                session.rollback()  # somebody else has published meanwhile
                continue
            return row.version


def versions(engine: Engine, kind: str, name: str) -> list[Version]:
    """All versions of one thing, oldest first."""
    with Session(engine) as session:
        rows = session.scalars(
            select(Authored).where(Authored.kind == kind, Authored.id == name).order_by(Authored.version)
        )
        return [_version(row) for row in rows]


def latest(engine: Engine) -> list[Version]:
    """The newest version of everything."""
    with Session(engine) as session:
        rows = session.scalars(select(Authored).order_by(Authored.kind, Authored.id, Authored.version))
        return list({(row.kind, row.id): _version(row) for row in rows}.values())


def _version(row: Authored) -> Version:
    at = row.at if row.at.tzinfo else row.at.replace(tzinfo=UTC)
    return Version(row.kind, row.id, row.version, row.body, row.who, at)
