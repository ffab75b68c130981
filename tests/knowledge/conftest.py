"""An index small enough to build for each test, and two items to put into it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fixtures_knowledge import BigramEmbeddings
from sqlalchemy import create_engine

from knowledge.index import Index
from knowledge.item import Item
from knowledge.ledger import Ledger, metadata
from knowledge.library import Library


@pytest.fixture
def embeddings() -> BigramEmbeddings:
    return BigramEmbeddings()


@pytest.fixture
def index(tmp_path: Path, embeddings: BigramEmbeddings) -> Iterator[Index]:
    built = Index(tmp_path / "index", embeddings)
    yield built
    built.close()


@pytest.fixture
def library(tmp_path: Path, index: Index) -> Iterator[Library]:
    """The index with a ledger of its own."""
    engine = create_engine(f"sqlite:///{tmp_path / 'ledger.db'}")
    metadata.create_all(engine)
    yield Library(Ledger(engine), index)
    engine.dispose()


@pytest.fixture
def objection() -> Item:
    return Item(
        id="lesson-objection",
        kind="lesson",
        title="价格异议",
        role="sales",
        source="测试",
        body="## 先听\n让客户把话说完，复述他的顾虑。\n## 再问\n问清楚太贵是和谁比，比的是总价还是单价。",
    )


@pytest.fixture
def apology() -> Item:
    return Item(
        id="case-apology",
        kind="case",
        title="道歉与补救",
        role="support",
        source="测试",
        body="## 情境\n包裹晚到三天，客户的生日错过了。\n## 做法\n先道歉，再给出可兑现的补救时间。",
    )
