"""Fixtures every package shares."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import OperationalError

from coach.catalogue import Catalogue, load
from coach.compose import Whetstone
from coach.drill.playbook import Playbook
from coach.settings import Settings
from coach.store.database import open_database

IN_CI = os.environ.get("CI", "").lower() in ("1", "true")
POSTGRES = os.environ.get("WHETSTONE_TEST_POSTGRES", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres")
SHARED = Path(__file__).parent.parent.parent / "shared"

# A test never measures speed, and the first example of a run pays for what is loaded then.
settings.register_profile("whetstone", deadline=None)
settings.load_profile("whetstone")


def missing(part: str) -> None:
    """Skip for a missing part on somebody's machine; fail for it in CI."""
    if IN_CI:
        pytest.fail(f"{part} is missing, and in CI nothing may be")
    pytest.skip(f"{part} is missing")


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return load()


@pytest.fixture(scope="session")
def bakery(catalogue: Catalogue) -> Playbook:
    return catalogue.playbook("sales-bakery-price")


@pytest.fixture
def coach(tmp_path: Path) -> Whetstone:
    """A coach of its own, with an empty home and no language model."""
    return Whetstone(Settings(home=tmp_path, llm_model=""))


@pytest.fixture(params=["sqlite", "postgres"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An empty, migrated database of each kind."""
    if request.param == "sqlite":
        opened = open_database(f"sqlite:///{tmp_path / 'test.db'}")
        yield opened
        opened.dispose()
        return
    admin = create_engine(POSTGRES, isolation_level="AUTOCOMMIT")
    name = f"whetstone_test_{uuid.uuid4().hex[:12]}"
    try:
        with admin.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
    except OperationalError:
        missing("PostgreSQL")
    opened = open_database(str(admin.url.set(database=name).render_as_string(hide_password=False)))
    yield opened
    opened.dispose()
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()
