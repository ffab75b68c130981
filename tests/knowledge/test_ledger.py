"""The ledger, on SQLite and on PostgreSQL: every change in one chain, and a broken chain is told."""

import threading
from collections.abc import Callable, Iterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, create_engine, delete, insert, select, text, update

from knowledge.index import Index
from knowledge.item import Item
from knowledge.ledger import START, Change, Entry, Head, Ledger, LedgerError, _entries, entry, metadata
from knowledge.library import Library


def lesson(name: str, body: str = "先听后问。") -> Item:
    return Item(id=name, kind="lesson", title=f"课 {name}", source="测试", body=body)


def put(name: str, body: str = "先听后问。") -> Change:
    return Change(name, lesson(name, body))


def numbers(entries: Sequence[Entry]) -> list[int]:
    return [one.number for one in entries]


@pytest.fixture(scope="module")
def memory() -> Iterator[Engine]:
    engine = create_engine("sqlite://")
    metadata.create_all(engine)
    yield engine
    engine.dispose()


def emptied(engine: Engine) -> Ledger:
    with engine.begin() as db:
        db.execute(delete(entry))
    return Ledger(engine)


@pytest.fixture
def ledger(memory: Engine) -> Ledger:
    return emptied(memory)


# --- what is recorded, and how it is read


def test_entries_name_the_one_before_and_are_read_back(engine: Engine) -> None:
    ledger = Ledger(engine)
    assert ledger.head() == Head(0, START)
    assert ledger.record([], "王老师") == []
    first, second = ledger.record([put("a", "“引号”、\\、\n换行和😀。"), put("b")], "王老师", "两课")
    (third,) = ledger.record([Change("a", None)], "李" * 90, "撤下")

    assert [(one.number, one.action, one.who, one.note) for one in (first, second, third)] == [
        (1, "put", "王老师", "两课"),
        (2, "put", "王老师", "两课"),
        (3, "remove", "李" * 80, "撤下"),
    ]
    assert (first.previous, second.previous, third.previous) == (START, first.hash, second.hash)
    assert ledger.head() == Head(3, third.hash)
    assert [ledger.get(number) for number in (1, 2, 3)] == [first, second, third]
    assert ledger.get(1).item == lesson("a", "“引号”、\\、\n换行和😀。")
    assert third.item is None
    assert ledger.verify() == []

    assert numbers(ledger.since(1)) == [2, 3]
    assert numbers(ledger.since(0, limit=2)) == [1, 2]
    assert numbers(ledger.log()) == [3, 2, 1]
    assert numbers(ledger.log("a")) == [3, 1]
    assert numbers(ledger.log(limit=1, before=3)) == [2]
    assert ledger.last("a") == third
    assert ledger.last("a", at=2) == first
    assert ledger.last("b", at=1) is None
    assert ledger.holds(Head(2, second.hash))
    assert ledger.holds(Head(0, START))
    assert not ledger.holds(Head(2, first.hash))
    assert not ledger.holds(Head(4, third.hash))
    assert ledger.bodies([1, 2, 3]) == {"a": first.item, "b": second.item}
    assert {name: one.number for name, one in ledger.state().items()} == {"a": 3, "b": 2}
    assert {name: one.number for name, one in ledger.state(2).items()} == {"a": 1, "b": 2}


def test_an_entry_that_is_not_there_is_named(ledger: Ledger) -> None:
    ledger.record([put("a"), put("b")], "王老师")
    with pytest.raises(LedgerError, match=r"^there is no entry 3; the last is 2$"):
        ledger.get(3)


def test_a_change_that_cannot_be_kept_keeps_none_of_them(ledger: Ledger) -> None:
    ledger.record([put("a")], "王老师")
    head = ledger.head()
    with pytest.raises(Exception, match="note"):
        ledger.record([put("b"), put("c")], "王老师", None)  # type: ignore[arg-type]
    assert ledger.head() == head


def test_writers_at_once_make_one_chain(engine: Engine) -> None:
    start = threading.Barrier(2)
    failed: list[BaseException] = []

    def write(who: str) -> None:
        ledger = Ledger(engine)
        try:
            start.wait()
            for turn in range(15):
                ledger.record([put(f"{who}-{turn}"), put("both", f"{who} {turn}")], who)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=write, args=(who,)) for who in ("one", "other")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    ledger = Ledger(engine)
    assert ledger.verify() == []
    entries = ledger.since(0)
    assert numbers(entries) == list(range(1, 61))
    assert set(ledger.state()) == {"both", *(f"{who}-{turn}" for who in ("one", "other") for turn in range(15))}
    # What is recorded together stands together.
    assert all(
        (first.who, second.item_id) == (second.who, "both")
        for first, second in zip(entries[::2], entries[1::2], strict=True)
    )


# --- tampering


def _set(number: int, **values: object) -> Callable[[Connection], object]:
    return lambda db: db.execute(update(entry).where(entry.c.number == number).values(**values))


def _forge(db: Connection) -> None:
    """Another body for entry 3, with every hash from there on made to fit: seen only from outside the ledger."""
    rows = [Entry(**row._mapping) for row in db.execute(select(entry).order_by(entry.c.number))]
    db.execute(delete(entry).where(entry.c.number >= 3))
    # The ledger's own writer, so that the forgery is as good as can be.
    changes = [Change(one.item_id, one.item) for one in rows[2:]]
    changes[0] = put(rows[2].item_id, "一律退款。")
    made = list(_entries(changes, "王老师", "", Head(2, rows[1].hash)))
    db.execute(insert(entry), [vars(one) for one in made])


def _swap(db: Connection) -> None:
    for old, new in ((2, 99), (4, 2), (99, 4)):
        db.execute(update(entry).where(entry.c.number == old).values(number=new))


LOST = "entry 5, once the last one here, is no longer in the ledger"

TAMPERED: dict[str, tuple[Callable[[Connection], object], list[str]]] = {
    "a body": (_set(2, body=lesson("b", "一律退款。").model_dump_json()), ["entry 2 (b): the content was changed"]),
    "a body to none": (_set(2, body=None), ["entry 2 (b): the content was changed"]),
    "a removal to an item": (
        _set(4, body=lesson("b").model_dump_json()),
        ["entry 4 (b): the content was changed"],
    ),
    "the author": (_set(3, who="别人"), ["entry 3 (c) was changed: its hash does not fit"]),
    "the time": (_set(1, at="2001-01-01T00:00:00.000+00:00"), ["entry 1 (a) was changed: its hash does not fit"]),
    "a hash": (
        _set(3, hash="f" * 64),
        [
            "entry 3 (c) was changed: its hash does not fit",
            "entry 4 does not follow entry 3: its link to it is broken",
        ],
    ),
    "the last hash": (
        _set(5, hash="f" * 64),
        [
            "entry 5 (d) was changed: its hash does not fit",
            LOST,
        ],
    ),
    "a link": (
        _set(3, previous=START),
        ["entry 3 does not follow entry 2: its link to it is broken", "entry 3 (c) was changed: its hash does not fit"],
    ),
    "one in the middle taken out": (
        lambda db: db.execute(delete(entry).where(entry.c.number == 3)),
        ["entry 3 is missing; the next is 4", "c is searched, but the ledger does not have it"],
    ),
    "the first taken out": (
        lambda db: db.execute(delete(entry).where(entry.c.number == 1)),
        ["entry 1 is missing; the next is 2", "a is searched, but the ledger does not have it"],
    ),
    "the end cut off": (
        lambda db: db.execute(delete(entry).where(entry.c.number >= 4)),
        [
            LOST,
            "d is searched, but the ledger does not have it",
        ],
    ),
    "two swapped": (
        _swap,
        [
            "entry 2 does not follow entry 1: its link to it is broken",
            "entry 2 (b) was changed: its hash does not fit",
            "entry 3 does not follow entry 2: its link to it is broken",
            "entry 4 does not follow entry 3: its link to it is broken",
            "entry 4 (b) was changed: its hash does not fit",
            "entry 5 does not follow entry 4: its link to it is broken",
            "b is in the ledger, but not searched",
        ],
    ),
    "everything from one on written anew": (
        _forge,
        [
            LOST,
            "c is not what entry 3 says",
        ],
    ),
}


def test_each_way_of_tampering_is_told_with_its_entry(engine: Engine, index: Index) -> None:
    library = Library(Ledger(engine), index)
    for name in ("a", "b", "c"):
        library.put([lesson(name, f"{name} 的正文。")], "王老师")
    library.remove(["b"], "王老师")
    library.put([lesson("d", "d 的正文。")], "王老师")
    assert library.verify() == []
    with engine.connect() as db:
        kept = [dict(row._mapping) for row in db.execute(select(entry))]

    found = {}
    for how, (tamper, _) in TAMPERED.items():
        with engine.begin() as db:
            tamper(db)
        found[how] = [LOST if problem.startswith(LOST) else problem for problem in library.verify()]
        with engine.begin() as db:
            db.execute(delete(entry))
            db.execute(insert(entry), kept)
    assert found == {how: problems for how, (_, problems) in TAMPERED.items()}
    assert library.verify() == []


def test_an_item_changed_in_the_index_alone_is_told(library: Library) -> None:
    library.put([lesson("a"), lesson("b")], "王老师")
    library.index.put(lesson("a", "一律退款。"))
    library.index.put(lesson("x"))
    library.index.remove("b")
    assert library.verify() == [
        "a is not what entry 1 says",
        "x is searched, but the ledger does not have it",
        "b is in the ledger, but not searched",
    ]


# --- the fold


# What is recorded together: ids, each with the number of its new body, or None for a removal.
Steps = list[list[tuple[str, int | None]]]
IDS = st.sampled_from("abcde")
STEPS = st.lists(st.lists(st.tuples(IDS, st.none() | st.integers(0, 3)), min_size=1, max_size=4), max_size=8)


@settings(max_examples=50)
@given(steps=STEPS)
def test_the_state_is_what_the_entries_up_to_it_say(memory: Engine, steps: Steps) -> None:
    ledger = emptied(memory)
    model: dict[str, Item | None] = {}
    after: list[dict[str, Item | None]] = [{}]
    for step in steps:
        changes = [Change(name, None if body is None else lesson(name, f"第{body}版。")) for name, body in step]
        ledger.record(changes, "王老师")
        for change in changes:
            model = {**model, change.item_id: change.item}
            after.append(model)

    assert ledger.verify() == []
    assert ledger.head().number == len(after) - 1
    for number, expected in enumerate(after):
        state = ledger.state(number)
        bodies = ledger.bodies([last.number for last in state.values()])
        assert {name: bodies.get(name) for name in state} == expected
        assert all((last.action == "put") == (name in bodies) for name, last in state.items())
    assert ledger.state() == ledger.state(len(after) - 1)


@settings(max_examples=50)
@given(steps=STEPS.filter(bool), data=st.data())
def test_any_changed_cell_is_told(memory: Engine, steps: Steps, data: st.DataObject) -> None:
    ledger = emptied(memory)
    for step in steps:
        ledger.record([Change(name, None if body is None else lesson(name, f"{body}")) for name, body in step], "王")
    number = data.draw(st.integers(1, ledger.head().number))
    column = data.draw(st.sampled_from(["at", "who", "action", "note", "item_id", "content_hash", "body", "previous"]))
    with memory.begin() as db:
        db.execute(text(f"UPDATE library_entry SET {column} = 'x' WHERE number = :n"), {"n": number})
    assert any(f"entry {number} " in problem for problem in ledger.verify())
