"""Queries on accounts and browser sessions. Keys and tokens are random, shown once, and kept only as hashes."""

from __future__ import annotations

import contextlib
import hashlib
import secrets
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, get_args

from sqlalchemy import Engine, delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from coach.store.tables import Account, SignIn

AccountRole = Literal["learner", "trainer"]
ROLES: tuple[AccountRole, ...] = get_args(AccountRole)
_SESSION = timedelta(days=14)


@dataclass(frozen=True)
class Principal:
    """Who is asking."""

    id: str
    name: str
    role: AccountRole


class NameTaken(ValueError):
    """There is an account of that name."""


def _hash(secret: str) -> str:
    # Secrets are 256 random bits: a fast hash is enough, there is nothing to guess.
    return hashlib.sha256(secret.encode()).hexdigest()


def add(engine: Engine, name: str, role: AccountRole) -> str:
    """Make an account and return its key, which cannot be shown again.

    Raises:
        NameTaken: there is one of that name. ValueError: the name is empty or over 80 characters.
    """
    name = name.strip()
    if not 1 <= len(name) <= 80 or not name.isprintable():
        raise ValueError("a name has 1 to 80 printable characters")
    key = "wk_" + secrets.token_urlsafe(32)
    with Session(engine) as session:
        session.add(
            Account(id=uuid.uuid4().hex, name=name, role=role, key_hash=_hash(key), created_at=datetime.now(UTC))
        )
        try:
            session.commit()
        except IntegrityError as error:
            raise NameTaken(f"there is an account named {name!r}") from error
    return key


def ensure(engine: Engine, name: str, role: AccountRole) -> Principal:
    """The account of that name, made with a key nobody knows where there is none."""
    for _ in range(2):
        with Session(engine) as session:
            account = session.scalar(select(Account).where(Account.name == name))
            if account is not None:
                return _principal(account)
        with contextlib.suppress(NameTaken):
            add(engine, name, role)
    raise LookupError(name)


def by_key(engine: Engine, key: str) -> Principal | None:
    """Whose key this is."""
    with Session(engine) as session:
        account = session.scalar(select(Account).where(Account.key_hash == _hash(key)))
        return _principal(account) if account else None


def sign_in(engine: Engine, account_id: str) -> str:
    """A token for a browser session of 14 days."""
    token = secrets.token_urlsafe(32)
    with Session(engine) as session, session.begin():
        session.execute(delete(SignIn).where(SignIn.expires_at < datetime.now(UTC)))
        session.add(SignIn(token_hash=_hash(token), account_id=account_id, expires_at=datetime.now(UTC) + _SESSION))
    return token


def by_token(engine: Engine, token: str) -> Principal | None:
    """Whose browser session this is, while it lasts."""
    with Session(engine) as session:
        account = session.scalar(
            select(Account)
            .join(SignIn, SignIn.account_id == Account.id)
            .where(SignIn.token_hash == _hash(token), SignIn.expires_at > datetime.now(UTC))
        )
        return _principal(account) if account else None


def sign_out(engine: Engine, token: str) -> None:
    """End a browser session."""
    with Session(engine) as session, session.begin():
        session.execute(delete(SignIn).where(SignIn.token_hash == _hash(token)))


def _principal(account: Account) -> Principal:
    role = next(r for r in ROLES if r == account.role)
    return Principal(account.id, account.name, role)
