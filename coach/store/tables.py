"""The tables. Everything a drill was started with and everything said in it is kept; nothing is overwritten."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Boolean, DateTime, ForeignKey, Index, Integer, String, Text, UniqueConstraint, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    type_annotation_map = {dict[str, Any]: JSON, datetime: DateTime(timezone=True)}


class Account(Base):
    """A person, or a program acting for one. `key_hash` is the SHA-256 of a random 256-bit key shown once."""

    __tablename__ = "account"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    role: Mapped[str] = mapped_column(String(16))
    key_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime]


class SignIn(Base):
    """A browser session; `token_hash` is the SHA-256 of the random token in its cookie."""

    __tablename__ = "sign_in"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    expires_at: Mapped[datetime]


class StoredPlaybook(Base):
    """A playbook by content hash: what a drill was started with, whatever the library holds now."""

    __tablename__ = "playbook"

    hash: Mapped[str] = mapped_column(String(16), primary_key=True)
    body: Mapped[str] = mapped_column(Text)


class StoredDrill(Base):
    """One attempt. A rewound drill is a new row that names its parent and how many turns it took over.

    Attributes:
        paused_at: since when it rests. paused_s: seconds it has rested before.
        released: a trainer has let the learner take this assessment again.
    """

    __tablename__ = "drill"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    scenario_id: Mapped[str] = mapped_column(String(64))
    playbook_hash: Mapped[str] = mapped_column(ForeignKey("playbook.hash"))
    seed: Mapped[int] = mapped_column(Integer)
    voice: Mapped[str] = mapped_column(String(16))
    mode: Mapped[str] = mapped_column(String(16))
    paused_at: Mapped[datetime | None]
    paused_s: Mapped[int] = mapped_column(Integer)
    released: Mapped[bool] = mapped_column(Boolean)
    parent_id: Mapped[str | None] = mapped_column(ForeignKey("drill.id"))
    parent_turns: Mapped[int | None] = mapped_column(Integer)
    created_at: Mapped[datetime]
    scored_at: Mapped[datetime | None]
    scorecard: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))

    __table_args__ = (
        Index("ix_drill_account_created", "account_id", "created_at"),
        # Two assessments started at once are still one attempt.
        Index(
            "ux_drill_assessment",
            "account_id",
            "scenario_id",
            unique=True,
            sqlite_where=text("mode = 'assessment' AND NOT released"),
            postgresql_where=text("mode = 'assessment' AND NOT released"),
        ),
    )


class StoredTurn(Base):
    """One learner turn; committed before it is answered, completed by its answer."""

    __tablename__ = "turn"

    drill_id: Mapped[str] = mapped_column(ForeignKey("drill.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    learner: Mapped[str] = mapped_column(Text)
    idempotency_key: Mapped[str | None] = mapped_column(String(128))
    answer: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    created_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]

    __table_args__ = (UniqueConstraint("drill_id", "idempotency_key"),)


class StoredHint(Base):
    """Help that was asked for: which check, how strong, before which turn."""

    __tablename__ = "hint"

    drill_id: Mapped[str] = mapped_column(ForeignKey("drill.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    turn: Mapped[int] = mapped_column(Integer)
    check_id: Mapped[str] = mapped_column(String(64))
    strength: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[datetime]


class StoredConcern(Base):
    """A turn that a trainer should look at because of the person, not of the drill."""

    __tablename__ = "concern"

    drill_id: Mapped[str] = mapped_column(ForeignKey("drill.id", ondelete="CASCADE"), primary_key=True)
    turn: Mapped[int] = mapped_column(Integer, primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime | None]
    seen_by: Mapped[str | None] = mapped_column(String(80))


class Authored(Base):
    """A version of something a trainer wrote: `kind` is scenario or learners, `body` its YAML."""

    __tablename__ = "authored"

    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    body: Mapped[str] = mapped_column(Text)
    who: Mapped[str] = mapped_column(String(80))
    at: Mapped[datetime]
