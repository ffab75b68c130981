"""The library: what its ledger says is what is searched, whatever was interrupted, taken back or lost."""

import shutil
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
from fixtures_knowledge import BigramEmbeddings
from sqlalchemy import Engine, create_engine

from knowledge.index import Index
from knowledge.item import Item
from knowledge.ledger import Change, Ledger, LedgerError
from knowledge.library import SHIPPED, Library

BODIES = ("先听客户把话说完。", "包裹晚到先道歉。", "复盘只谈事实和数据。")


def lesson(name: str, body: str = BODIES[0], **facts: object) -> Item:
    values = {"id": name, "kind": "lesson", "title": f"课 {name}", "source": "测试", "body": body, **facts}
    return Item.model_validate(values)


def bodies(library: Library) -> dict[str, str]:
    return {item.id: item.body for item in library.index.items()}


def log(library: Library) -> list[tuple[str, str, str]]:
    return [(one.who, one.action, one.item_id) for one in library.ledger.since(0)]


class Broken(RuntimeError):
    """The power went."""


def fail_at(monkeypatch: pytest.MonkeyPatch, turn: int) -> None:
    """Let the `turn`th time anything is written to an index be the one that fails."""
    real = Index.apply
    calls = iter(range(1, 1000))

    def apply(self: Index, changes: Sequence[Change], *given: object, **named: object) -> None:
        if next(calls) == turn:
            raise Broken
        real(self, changes, *given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Index, "apply", apply)


# --- put and remove


def test_putting_says_what_became_of_each_and_records_what_changed(library: Library) -> None:
    done = library.put([lesson("a"), lesson("b", BODIES[1])], "王老师", "两课")
    assert [(one.item.id, one.status, one.passages) for one in done] == [("a", "added", 1), ("b", "added", 1)]

    done = library.put([lesson("a"), lesson("b", BODIES[2]), lesson("c")], "李老师")
    assert [(one.item.id, one.status, one.passages) for one in done] == [
        ("a", "unchanged", 1),
        ("b", "changed", 1),
        ("c", "added", 1),
    ]
    assert log(library) == [
        ("王老师", "put", "a"),
        ("王老师", "put", "b"),
        ("李老师", "put", "b"),
        ("李老师", "put", "c"),
    ]
    assert library.search("复盘谈什么").hits[0].id == "b"
    assert library.verify() == []


def test_putting_and_taking_out_is_one_change(library: Library) -> None:
    library.put([lesson("a"), lesson("b")], "王老师")
    library.put([lesson("c", BODIES[1])], "王老师", "新版", gone=["a"])
    assert bodies(library) == {"b": BODIES[0], "c": BODIES[1]}
    assert [(one.note, one.item_id) for one in library.ledger.since(2)] == [("新版", "c"), ("新版", "a")]


def test_an_item_without_text_is_refused_and_nothing_is_recorded(library: Library) -> None:
    library.put([lesson("a")], "王老师")
    head = library.ledger.head()
    with pytest.raises(ValueError, match="b: has no text to search"):
        library.put([lesson("a", BODIES[1]), lesson("b", "# 只有标题")], "王老师")
    assert library.ledger.head() == head == library.index.head
    assert bodies(library) == {"a": BODIES[0]}


def test_a_failure_while_embedding_records_nothing(
    library: Library, embeddings: BigramEmbeddings, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.put([lesson("a")], "王老师")
    head = library.ledger.head()

    def fail(texts: list[str]) -> list[list[float]]:
        raise ConnectionError("endpoint away")

    monkeypatch.setattr(embeddings, "embed_documents", fail)
    with pytest.raises(ConnectionError):
        library.put([lesson("a", BODIES[1])], "王老师")
    assert library.ledger.head() == head
    assert bodies(library) == {"a": BODIES[0]}
    library.remove(["a"], "王老师")
    assert bodies(library) == {}


def test_removing_what_is_not_there_removes_nothing(library: Library) -> None:
    library.put([lesson("a"), lesson("b")], "王老师")
    with pytest.raises(KeyError, match="x"):
        library.remove(["a", "x"], "王老师")
    assert set(bodies(library)) == {"a", "b"}
    library.remove(["b", "a"], "李老师", "过期")
    assert bodies(library) == {}
    assert log(library)[2:] == [("李老师", "remove", "b"), ("李老师", "remove", "a")]
    with pytest.raises(KeyError):
        library.remove(["a"], "李老师")
    assert library.verify() == []


def test_a_draft_is_kept_and_not_found(library: Library) -> None:
    library.put([lesson("a", status="draft")], "王老师")
    assert library.get("a").status == "draft"
    assert library.search("先听客户").hits == ()
    library.put([lesson("a")], "王老师")
    assert [hit.id for hit in library.search("先听客户").hits] == ["a"]
    library.put([lesson("a", status="draft")], "王老师")
    assert library.search("先听客户").hits == ()
    assert library.verify() == []


def test_tags_are_given_before_anything_is_written(library: Library) -> None:
    asked: list[str] = []

    def tagger(item: Item) -> Mapping[str, object]:
        asked.append(item.id)
        return {"role": "support"}

    tagged = Library(library.ledger, library.index, tagger)
    tagged.put([lesson("a", proposed=("role",)), lesson("b")], "王老师")
    assert asked == ["a"]
    assert [(item.role, item.proposed) for item in library.index.items()] == [("support", ("role",)), ("common", ())]
    assert [one.item.role for one in library.ledger.since(0) if one.item] == ["support", "common"]


# --- roll_back


def test_everything_goes_back_to_what_it_was_by_new_entries(library: Library) -> None:
    library.put([lesson("a"), lesson("b")], "王老师")  # 1, 2
    library.remove(["b"], "王老师")  # 3
    library.put([lesson("a", BODIES[1]), lesson("c")], "王老师")  # 4, 5
    then = library.index.items()

    changes = library.roll_back(2, "李老师")
    assert {change.item_id: change.item for change in changes} == {"a": lesson("a"), "b": lesson("b"), "c": None}
    assert library.index.items() == [lesson("a"), lesson("b")]
    assert sorted(log(library)[5:]) == [("李老师", "put", "a"), ("李老师", "put", "b"), ("李老师", "remove", "c")]
    assert {one.note for one in library.ledger.since(5)} == {"back to entry 2"}
    assert library.roll_back(2, "李老师") == []

    library.roll_back(5, "李老师")
    assert library.index.items() == then
    assert library.ledger.head().number == 11
    assert library.verify() == []


def test_one_item_goes_back_alone(library: Library) -> None:
    library.put([lesson("a"), lesson("b")], "王老师")  # 1, 2
    library.put([lesson("a", BODIES[1]), lesson("b", BODIES[1])], "王老师")  # 3, 4
    library.remove(["a"], "王老师")  # 5
    library.put([lesson("c")], "王老师")  # 6

    assert library.roll_back(4, "李老师", "a") == [Change("a", lesson("a", BODIES[1]))]
    assert bodies(library) == {"a": BODIES[1], "b": BODIES[1], "c": BODIES[0]}
    library.roll_back(1, "李老师", "a")
    assert bodies(library)["a"] == BODIES[0]
    assert library.roll_back(5, "李老师", "a") == [Change("a", None)]
    assert bodies(library) == {"b": BODIES[1], "c": BODIES[0]}
    assert library.roll_back(4, "李老师", "c") == [Change("c", None)]
    assert library.search("先听客户").hits[0].id == "b"
    assert library.verify() == []


def test_going_back_to_what_never_was_is_refused(library: Library) -> None:
    library.put([lesson("a")], "王老师")
    with pytest.raises(LedgerError, match="there is no entry 2; the last is 1"):
        library.roll_back(2, "李老师")
    with pytest.raises(LedgerError, match="there was never an item x"):
        library.roll_back(1, "李老师", "x")
    assert library.ledger.head().number == 1


def test_going_back_brings_the_tags_of_then_not_of_now(library: Library) -> None:
    library.put([lesson("near", role="sales")], "王老师")  # 1
    library.put([lesson("a", proposed=("role",))], "王老师")  # 2
    then = library.get("a")
    assert then.role == "sales"
    library.remove(["a", "near"], "王老师")  # 3, 4
    library.put([lesson("other", role="support")], "王老师")  # 5
    library.roll_back(2, "李老师", "a")
    assert library.get("a") == then


# --- sync


def test_syncing_leaves_alone_what_a_person_changed_or_took_out(library: Library) -> None:
    first = [lesson(name) for name in ("same", "ours", "theirs", "gone", "kept", "old")]
    library.sync(first)
    assert set(bodies(library)) == {item.id for item in first}
    head = library.ledger.head()
    library.sync(first)
    assert library.ledger.head() == head

    library.put([lesson("theirs", "自己的说法。"), lesson("own", "自己的课。")], "王老师")
    library.put([lesson("kept", "自己改过。")], "王老师")
    library.remove(["gone"], "王老师")
    done = library.ledger.head().number
    new = [lesson("same"), *(lesson(name, BODIES[1]) for name in ("ours", "theirs", "gone", "new"))]
    library.sync(new)
    assert bodies(library) == {
        "same": BODIES[0],
        "ours": BODIES[1],
        "theirs": "自己的说法。",
        "kept": "自己改过。",
        "own": "自己的课。",
        "new": BODIES[1],
    }
    assert [(one.who, one.action, one.item_id) for one in library.ledger.since(done)] == [
        (SHIPPED, "put", "ours"),
        (SHIPPED, "put", "new"),
        (SHIPPED, "remove", "old"),
    ]
    head = library.ledger.head()
    library.sync(new)
    assert library.ledger.head() == head
    assert library.verify() == []


def test_what_ships_again_comes_back(library: Library) -> None:
    library.sync([lesson("a"), lesson("b")])
    library.sync([lesson("a")])
    assert set(bodies(library)) == {"a"}
    library.sync([lesson("a"), lesson("b")])
    assert bodies(library) == {"a": BODIES[0], "b": BODIES[0]}


def test_progress_counts_to_the_end(library: Library) -> None:
    told: list[tuple[int, int]] = []
    library.sync([lesson(f"a{n:02}") for n in range(70)], lambda done, all_: told.append((done, all_)))
    assert told == [(32, 70), (64, 70), (70, 70)]


# --- follow


def test_an_interrupted_follow_is_finished_by_the_next(
    library: Library, embeddings: BigramEmbeddings, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = [lesson(f"a{n:02}", f"第{n}课：先听第{n}位客户把话说完。") for n in range(40)]
    with monkeypatch.context() as patch:
        fail_at(patch, 2)
        with pytest.raises(Broken):
            library.sync(items)
    assert len(library.index.versions()) == 32
    assert library.index.head is None
    embedded = len(embeddings.embedded)

    library.follow()
    assert library.index.items() == items
    assert library.index.head == library.ledger.head()
    assert len(embeddings.embedded) - embedded == 8
    assert library.verify() == []


@pytest.mark.parametrize("turn", [1, 2])
def test_a_put_cut_short_is_finished_by_the_next_start(
    library: Library, tmp_path: Path, embeddings: BigramEmbeddings, monkeypatch: pytest.MonkeyPatch, turn: int
) -> None:
    library.put([lesson("a"), lesson("b", BODIES[1])], "王老师")
    with monkeypatch.context() as patch:
        fail_at(patch, turn)
        with pytest.raises(Broken):
            library.put([lesson("a", BODIES[2])], "王老师", gone=["b"])
    # It stands in the ledger, so it counts.
    assert log(library)[2:] == [("王老师", "put", "a"), ("王老师", "remove", "b")]

    library.index.close()
    index = Index(tmp_path / "index", embeddings)
    again = Library(library.ledger, index)
    again.follow()
    assert bodies(again) == {"a": BODIES[2]}
    assert [hit.id for hit in again.search("复盘谈什么").hits] == ["a"]
    assert again.verify() == []
    index.close()


def test_a_lost_index_is_made_again_from_the_ledger(
    library: Library, tmp_path: Path, embeddings: BigramEmbeddings
) -> None:
    library.sync([lesson("a"), lesson("b", BODIES[1])])
    library.put([lesson("b", BODIES[2]), lesson("c", status="draft")], "王老师")
    library.remove(["a"], "王老师")
    index = Index(tmp_path / "new", embeddings)
    again = Library(library.ledger, index)
    again.follow()
    assert index.items() == library.index.items()
    assert index.versions() == library.index.versions()
    assert index.head == library.index.head
    assert again.search("复盘谈什么").hits == library.search("复盘谈什么").hits
    assert again.verify() == []
    index.close()


def test_a_second_machine_follows_what_the_first_wrote(
    library: Library, tmp_path: Path, embeddings: BigramEmbeddings
) -> None:
    other = Library(library.ledger, Index(tmp_path / "other", embeddings))
    for turn in range(3):
        library.put([lesson("a", BODIES[turn])], "王老师")
        other.put([lesson(f"b{turn}")], "李老师")
    library.follow()
    assert library.index.items() == other.index.items()
    assert library.verify() == other.verify() == []
    other.index.close()


def test_a_ledger_put_back_from_a_backup_is_followed(
    library: Library, tmp_path: Path, embeddings: BigramEmbeddings
) -> None:
    library.put([lesson("a"), lesson("b")], "王老师")
    shutil.copy(tmp_path / "ledger.db", tmp_path / "backup.db")
    library.put([lesson("a", BODIES[1]), lesson("c")], "王老师")
    library.remove(["b"], "王老师")

    engine = create_engine(f"sqlite:///{tmp_path / 'backup.db'}")
    restored = Library(Ledger(engine), library.index)
    lost = "entry 5, once the last one here, is no longer in the ledger"
    assert any(problem.startswith(lost) for problem in restored.verify())
    restored.follow()
    assert bodies(restored) == {"a": BODIES[0], "b": BODIES[0]}
    # Having followed it is no proof that it was right: a person has to say so.
    assert [problem.startswith(lost) for problem in restored.verify()] == [True]
    library.index.remember_lost(None)
    assert restored.verify() == []
    engine.dispose()


def test_another_model_starts_anew_and_clears_away_the_old(
    library: Library, tmp_path: Path, embeddings: BigramEmbeddings
) -> None:
    library.put([lesson("a"), lesson("b", BODIES[1])], "王老师")
    library.index.close()
    index = Index(tmp_path / "index", BigramEmbeddings("another"))
    again = Library(library.ledger, index)
    again.follow()
    assert set(bodies(again)) == {"a", "b"}
    assert len(list((tmp_path / "index").glob("passages-*.db"))) == 1
    assert again.verify() == []
    index.close()


def test_two_writers_on_one_database(engine: Engine, tmp_path: Path, embeddings: BigramEmbeddings) -> None:
    failed: list[BaseException] = []

    def write(who: str) -> None:
        library = Library(Ledger(engine), Index(tmp_path / who, embeddings))
        try:
            for turn in range(4):
                library.put([lesson(f"{who}-{turn}"), lesson("both", f"{who} 第{turn}版。")], who)
                library.remove([f"{who}-{turn}"], who)
            library.index.close()
        except BaseException as error:
            failed.append(error)

    run([lambda: write("one"), lambda: write("other")])
    assert failed == []
    first = Library(Ledger(engine), Index(tmp_path / "one", embeddings))
    second = Library(Ledger(engine), Index(tmp_path / "other", embeddings))
    for library in (first, second):
        library.follow()
        assert library.verify() == []
    assert bodies(first) == bodies(second)
    assert set(bodies(first)) == {"both"}
    assert first.ledger.head().number == 24
    first.index.close()
    second.index.close()


def run(work: Sequence[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=one) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
