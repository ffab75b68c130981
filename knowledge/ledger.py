"""The ledger: every change of the library as an entry that names the one before, so history can be read and proved.

The library is what its entries say: an item is the body of its last entry, and is gone where that is a removal.
Entries are only ever added. Each carries the SHA-256 of its content and of the entry before it (Haber and Stornetta,
1991), so whoever changes an old entry breaks the chain from there on.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import Column, Engine, Integer, MetaData, Row, Select, String, Table, Text, func, insert, select
from sqlalchemy.exc import IntegrityError

from knowledge.item import Item

Action = Literal["put", "remove"]
START = "0" * 64

metadata = MetaData()
entry = Table(
    "library_entry",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", String(32), nullable=False),
    Column("who", String(80), nullable=False),
    Column("action", String(8), nullable=False),
    Column("note", Text, nullable=False),
    Column("item_id", String(160), nullable=False, index=True),
    Column("content_hash", String(64), nullable=False),
    Column("body", Text),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)

_TRIES = 20  # writers of other processes may take the same number a few times in a row


class LedgerError(ValueError):
    """What was asked for is not in the ledger; says what."""


@dataclass(frozen=True)
class Change:
    """An item to be put, or with `item` None the item of that id to be taken out."""

    item_id: str
    item: Item | None


@dataclass(frozen=True)
class Head:
    """The last entry. Kept elsewhere, it proves that nothing was cut off the end."""

    number: int
    hash: str


@dataclass(frozen=True)
class Entry:
    """One change. `at` is UTC in ISO 8601; `body` is the item as JSON, None for a removal."""

    number: int
    at: str
    who: str
    action: Action
    note: str
    item_id: str
    content_hash: str
    body: str | None
    previous: str
    hash: str

    @property
    def item(self) -> Item | None:
        return Item.model_validate_json(self.body) if self.body is not None else None

    def sealed(self) -> str:
        """The hash this entry must have: SHA-256 over all of it but the body, which its own hash stands for."""
        facts = [self.number, self.at, self.who, self.action, self.note, self.item_id, self.content_hash, self.previous]
        return hashlib.sha256(json.dumps(facts, ensure_ascii=False).encode()).hexdigest()


class Ledger:
    """The entries in one database, shared by every process that has it open."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def record(self, changes: Sequence[Change], who: str, note: str = "") -> list[Entry]:
        """Add one entry a change, all or none."""
        if not changes:
            return []
        for attempt in range(_TRIES):
            head = self.head()
            made = list(_entries(changes, who, note, head))
            try:
                with self._engine.begin() as connection:
                    connection.execute(insert(entry), [vars(one) for one in made])
                return made
            except IntegrityError:
                # Another writer took these numbers; the next try follows its entries.
                if attempt == _TRIES - 1:
                    raise
        raise AssertionError("not reached")

    def head(self) -> Head:
        """The last entry's number and hash; number 0 when there is none."""
        with self._engine.connect() as connection:
            row = connection.execute(
                select(entry.c.number, entry.c.hash).order_by(entry.c.number.desc()).limit(1)
            ).first()
        return Head(row.number, row.hash) if row else Head(0, START)

    def since(self, number: int, limit: int = 200) -> list[Entry]:
        """The next entries after `number`, oldest first."""
        return self._read(select(entry).where(entry.c.number > number).order_by(entry.c.number).limit(limit))

    def log(self, item_id: str | None = None, limit: int = 50, before: int | None = None) -> list[Entry]:
        """Entries, newest first; of one item, or of all."""
        query = select(entry).order_by(entry.c.number.desc()).limit(limit)
        if item_id is not None:
            query = query.where(entry.c.item_id == item_id)
        if before is not None:
            query = query.where(entry.c.number < before)
        return self._read(query)

    def get(self, number: int) -> Entry:
        """One entry. Raises LedgerError when there is none of that number."""
        found = self._read(select(entry).where(entry.c.number == number))
        if not found:
            raise LedgerError(f"there is no entry {number}; the last is {self.head().number}")
        return found[0]

    def last(self, item_id: str, at: int | None = None) -> Entry | None:
        """The last entry of one item, as of entry `at` where given."""
        query = select(entry).where(entry.c.item_id == item_id).order_by(entry.c.number.desc()).limit(1)
        if at is not None:
            query = query.where(entry.c.number <= at)
        found = self._read(query)
        return found[0] if found else None

    def holds(self, head: Head) -> bool:
        """Whether the entry of that number is there with that hash; number 0 always is."""
        with self._engine.connect() as connection:
            found = connection.execute(select(entry.c.hash).where(entry.c.number == head.number)).scalar()
        return found == head.hash if head.number else True

    def bodies(self, numbers: Sequence[int]) -> dict[str, Item]:
        """The items put by these entries, by id."""
        found = self._read(select(entry).where(entry.c.number.in_(numbers)))
        return {one.item_id: one.item for one in found if one.item}

    def state(self, at: int | None = None) -> dict[str, Entry]:
        """The last entry of every item there was, as of entry `at` where given; without bodies."""
        numbers = select(func.max(entry.c.number)).group_by(entry.c.item_id)
        if at is not None:
            numbers = numbers.where(entry.c.number <= at)
        columns = [column for column in entry.c if column.name != "body"]
        with self._engine.connect() as connection:
            rows = connection.execute(select(*columns).where(entry.c.number.in_(numbers)))
            return {row.item_id: Entry(**{**row._mapping, "body": None}) for row in rows}

    def verify(self) -> list[str]:
        """What does not hold in the chain, in words; empty when nothing was tampered with."""
        problems = []
        before = Head(0, START)
        for one in self._all():
            if one.number != before.number + 1:
                problems.append(f"entry {before.number + 1} is missing; the next is {one.number}")
            elif one.previous != before.hash:
                problems.append(f"entry {one.number} does not follow entry {before.number}: its link to it is broken")
            if one.sealed() != one.hash:
                problems.append(f"entry {one.number} ({one.item_id}) was changed: its hash does not fit")
            if content_hash(one.body) != one.content_hash:
                problems.append(f"entry {one.number} ({one.item_id}): the content was changed")
            before = Head(one.number, one.hash)
        return problems

    def _all(self) -> Iterator[Entry]:
        with self._engine.connect().execution_options(yield_per=200) as connection:
            for row in connection.execute(select(entry).order_by(entry.c.number)):
                yield _entry(row)

    def _read(self, query: Select[Any]) -> list[Entry]:
        with self._engine.connect() as connection:
            return [_entry(row) for row in connection.execute(query)]


def content_hash(body: str | None) -> str:
    """SHA-256 of an item's JSON; of nothing for a removal."""
    return hashlib.sha256((body or "").encode()).hexdigest()


def _entry(row: Row[Any]) -> Entry:
    return Entry(**row._mapping)


def _entries(changes: Sequence[Change], who: str, note: str, head: Head) -> Iterator[Entry]:
    at = datetime.now(UTC).isoformat(timespec="milliseconds")
    previous = head.hash
    for number, change in enumerate(changes, start=head.number + 1):
        body = change.item.model_dump_json() if change.item else None
        unsealed = Entry(
            number=number,
            at=at,
            who=who[:80],
            action="put" if change.item else "remove",
            note=note,
            item_id=change.item_id,
            content_hash=content_hash(body),
            body=body,
            previous=previous,
            hash="",
        )
        previous = unsealed.sealed()
        yield replace(unsealed, hash=previous)
