"""Opening the database: SQLite by default, PostgreSQL by URL, brought to the newest schema on the way."""

from __future__ import annotations

import contextlib
from pathlib import Path

from filelock import FileLock
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import ConnectionPoolEntry

MIGRATIONS = Path(__file__).parent / "migrations"


class DatabaseError(ValueError):
    """The database address cannot be used; says why, without the password."""


def open_database(url: str) -> Engine:
    """An engine on the database at `url`, its schema migrated to the newest.

    Raises:
        DatabaseError: the address is malformed or names a database this product does not run on.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise DatabaseError("the database address is not a URL") from error
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        if parsed.database and parsed.database != ":memory:":
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(parsed, connect_args={"timeout": 30}, hide_parameters=True)
        event.listen(engine, "connect", _set_up_sqlite)
    elif backend == "postgresql":
        engine = create_engine(parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True, hide_parameters=True)
    else:
        raise DatabaseError(f"runs on sqlite and postgresql, not on {backend}")
    lock = f"{parsed.database}.lock" if backend == "sqlite" and parsed.database not in (None, ":memory:") else ""
    # Two processes starting at once must not both make the tables; PostgreSQL has a lock of its own for that.
    with FileLock(lock, timeout=60) if lock else contextlib.nullcontext():
        _migrate(engine)
    return engine


def _set_up_sqlite(connection, _: ConnectionPoolEntry) -> None:  # type: ignore[no-untyped-def]
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    # FULL: a committed turn survives a power cut, not only the death of the process.
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _migrate(engine: Engine) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(873550)")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
