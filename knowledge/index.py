"""The searchable library: items in SQLite, their passages' vectors in Chroma, and BM25 in memory.

SQLite is what counts. An item is committed there after its vectors are in Chroma, and its old vectors leave
after that, so a failure at any point leaves the old item searchable; vectors without a row are never shown.
"""

import hashlib
import json
import sqlite3
import threading
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast
from urllib.parse import urlsplit

import numpy as np
from filelock import FileLock

from knowledge import chunk
from knowledge.embed import FingerprintedEmbeddings
from knowledge.item import Item, Kind, Passage, Role
from knowledge.rank import Lexical, Scores, fuse, top
from knowledge.text import fold

if TYPE_CHECKING:
    from langchain_chroma import Chroma

MOST_HITS = 50
LONGEST_QUERY = 500
_MOST_PER_ITEM = 2
_CANDIDATES = 40  # from each of the two rankings

_SCHEMA = """
CREATE TABLE IF NOT EXISTS item (
    id TEXT PRIMARY KEY, version TEXT NOT NULL, body TEXT NOT NULL, passages TEXT NOT NULL
)
"""


@dataclass(frozen=True)
class Hit:
    """A passage found. `id` is the item's; `score` orders the hits of one query and means no more."""

    id: str
    title: str
    kind: Kind
    role: Role
    score: float
    passage: str
    source: str
    heading: tuple[str, ...]


@dataclass(frozen=True)
class Put:
    """What putting an item did, and how many passages it has."""

    status: Literal["added", "changed", "unchanged"]
    passages: int


@dataclass(frozen=True)
class SyncReport:
    """Ids of the library items added, changed and left alone."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    unchanged: tuple[str, ...]


@dataclass(frozen=True)
class _Snapshot:
    """One consistent state of the index, never modified: a search works on the one it started with."""

    stamp: tuple[int, int]
    items: dict[str, Item]
    passages: tuple[Passage, ...]
    position: dict[str, int]
    lexical: Lexical


class Index:
    """Items and the search over them, kept in the folder `home`; safe to share between threads.

    Args:
        home: folder of the index, made when missing.
        embeddings: makes the vectors; those of another fingerprint are made anew by `sync_library`.
        chroma_url: address of a Chroma server; without it Chroma runs in this process, in `home`/chroma.
    """

    def __init__(self, home: Path, embeddings: FingerprintedEmbeddings, chroma_url: str | None = None) -> None:
        self._home, self._embeddings, self._chroma_url = home, embeddings, chroma_url
        self._write = threading.RLock()
        self._read = threading.Lock()
        self._connecting = threading.Lock()
        self._snapshot: _Snapshot | None = None
        self._store: Chroma | None = None
        home.mkdir(parents=True, exist_ok=True)
        with self._opening():
            self._db = sqlite3.connect(home / "items.db", check_same_thread=False, timeout=30)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute(_SCHEMA)
            self._db.commit()

    def _opening(self) -> FileLock:
        """Held while the stores are opened: two processes that make them at once would lock each other out."""
        return FileLock(self._home / "opening.lock", timeout=120)

    def close(self) -> None:
        """Release the files; the index cannot be used afterwards."""
        with self._write, self._read:
            self._db.close()
            self._store = self._snapshot = None

    def put(self, item: Item) -> Put:
        """Add `item`, or replace the item of its id; an unchanged item costs nothing.

        Raises ValueError when the item has no text but headings. Whatever fails, the old item stays.
        """
        return self._put(item, again=False)

    def _put(self, item: Item, again: bool) -> Put:
        version = self._version(item)
        with self._write:
            old = self._row(item.id)
            if old is not None and old[0] == version and not again:
                return Put("unchanged", len(old[1]))
            passages = chunk.cut(item)
            if not passages:
                raise ValueError(f"{item.id}: has no text to search")
            self._add_vectors(item, passages)
            self._commit(
                "INSERT OR REPLACE INTO item VALUES (?, ?, ?, ?)",
                (item.id, version, item.model_dump_json(), _dump(passages)),
            )
            if old is not None:
                kept = {passage.id for passage in passages}
                self._drop_vectors([passage.id for passage in old[1] if passage.id not in kept])
            return Put("changed" if old is not None else "added", len(passages))

    def remove(self, item_id: str) -> None:
        """Take an item out. Raises KeyError when there is none of that id."""
        with self._write:
            old = self._row(item_id)
            if old is None:
                raise KeyError(item_id)
            self._commit("DELETE FROM item WHERE id = ?", (item_id,))
            self._drop_vectors([passage.id for passage in old[1]])

    def get(self, item_id: str) -> Item:
        """The item with the whole of its text. Raises KeyError when there is none of that id."""
        return self._current().items[item_id]

    def items(self) -> list[Item]:
        """Every item, in order of id."""
        return list(self._current().items.values())

    def count(self) -> int:
        """How many passages can be found."""
        return len(self._current().passages)

    def search(
        self,
        query: str,
        k: int = 5,
        role: Role | None = None,
        kind: Kind | None = None,
        exclude: Collection[str] = (),
    ) -> list[Hit]:
        """The `k` best passages for `query`, best first, at most two of one item.

        Args:
            query: a question or words in Simplified or Traditional Chinese or English; cut to 500 characters.
            k: 1 to 50.
            role: keeps what is for this role or for all ("common").
            kind: keeps one kind of item.
            exclude: ids of items not wanted.

        Raises ValueError for an empty query or a `k` out of range.
        """
        query = query.strip()[:LONGEST_QUERY]
        if not query:
            raise ValueError("query: must not be empty")
        if not 1 <= k <= MOST_HITS:
            raise ValueError(f"k: must be between 1 and {MOST_HITS}, not {k}")
        state = self._current()
        wanted = [
            place
            for place, passage in enumerate(state.passages)
            if _fits(state.items[passage.item_id], role, kind, exclude)
        ]
        if not wanted:
            return []
        depth = max(_CANDIDATES, 4 * k)
        vector = self._embeddings.embed_query(fold(query))
        dense = self._nearest(state, vector, wanted, depth)
        lexical = state.lexical.scores(query)
        allowed = np.asarray(wanted)
        by_words = [int(allowed[n]) for n in top(lexical[allowed], depth) if lexical[allowed[n]] > 0]
        dense |= self._similarities(state, vector, [place for place in by_words if place not in dense])
        candidates = list(dense)
        fused = fuse(lexical[candidates], np.array([dense[place] for place in candidates]))
        return _hits(state, candidates, fused, k)

    def reembed(self) -> int:
        """Make anew what was cut or embedded otherwise, or has lost vectors; returns how many items."""
        state = self._current()
        present = set(self._vectors().get(include=[])["ids"])
        broken = {passage.item_id for passage in state.passages if passage.id not in present}
        return sum(self._put(item, again=item.id in broken).status == "changed" for item in state.items.values())

    def _version(self, item: Item) -> str:
        made_with = f"{item.content_hash} {chunk.VERSION} {self._embeddings.fingerprint}"
        return hashlib.sha256(made_with.encode()).hexdigest()

    def _row(self, item_id: str) -> tuple[str, list[Passage]] | None:
        with self._read:
            row = self._db.execute("SELECT version, passages FROM item WHERE id = ?", (item_id,)).fetchone()
        return (row[0], _load(row[1])) if row else None

    def _commit(self, statement: str, values: tuple[str, ...]) -> None:
        with self._read, self._db:
            self._db.execute(statement, values)

    def _current(self) -> _Snapshot:
        """The state on disk, read again only after a write of this or another process."""
        with self._read:
            # data_version tells of the writes of others, total_changes of our own.
            (version,) = self._db.execute("PRAGMA data_version").fetchone()
            stamp = (version, self._db.total_changes)
            if self._snapshot is None or self._snapshot.stamp != stamp:
                self._snapshot = self._take(stamp)
            return self._snapshot

    def _take(self, stamp: tuple[int, int]) -> _Snapshot:
        items: dict[str, Item] = {}
        passages: list[Passage] = []
        for body, cut in self._db.execute("SELECT body, passages FROM item ORDER BY id"):
            item = Item.model_validate_json(body)
            items[item.id] = item
            passages += _load(cut)
        return _Snapshot(
            stamp,
            items,
            tuple(passages),
            {passage.id: place for place, passage in enumerate(passages)},
            Lexical([_searched(items[passage.item_id], passage) for passage in passages]),
        )

    def _add_vectors(self, item: Item, passages: list[Passage]) -> None:
        # Folded: the models know Simplified better, and queries are folded the same way.
        self._vectors().add_texts(
            [fold(_searched(item, passage)) for passage in passages],
            metadatas=[{"item": item.id, "kind": item.kind, "role": item.role} for _ in passages],
            ids=[passage.id for passage in passages],
        )

    def _drop_vectors(self, ids: list[str]) -> None:
        if ids:
            self._vectors().delete(ids=ids)

    def _nearest(self, state: _Snapshot, vector: list[float], wanted: list[int], depth: int) -> dict[int, float]:
        """Similarity by position, of the `depth` wanted passages nearest to `vector`."""
        items = sorted({state.passages[place].item_id for place in wanted})
        narrowed = len(items) < len(state.items)
        # Straight to Chroma, as LangChain would fetch every document to give its id.
        found = self._vectors()._collection.query(
            query_embeddings=cast(Any, [vector]),
            n_results=min(depth, len(wanted)),
            where=cast(Any, {"item": {"$in": items}}) if narrowed else None,
            include=["distances"],
        )
        distances = found["distances"]
        if not distances:
            return {}
        pairs = zip(found["ids"][0], distances[0], strict=True)
        return {state.position[key]: 1.0 - far for key, far in pairs if key in state.position}

    def _similarities(self, state: _Snapshot, vector: list[float], places: list[int]) -> dict[int, float]:
        """Similarity by position, for passages found by their words only."""
        if not places:
            return {}
        ids = [state.passages[place].id for place in places]
        found = self._vectors().get(ids=ids, include=["embeddings"])
        if not found["ids"]:
            return {}
        rows: Scores = np.asarray(found["embeddings"], dtype=np.float64)
        query: Scores = np.asarray(vector, dtype=np.float64)
        cosine = rows @ query / (np.linalg.norm(rows, axis=1) * np.linalg.norm(query))
        return {state.position[key]: float(near) for key, near in zip(found["ids"], cosine, strict=True)}

    def _vectors(self) -> "Chroma":
        with self._connecting:
            if self._store is None:
                self._store = self._connect()
            return self._store

    def _connect(self) -> "Chroma":
        import chromadb  # with langchain_chroma 2 seconds of imports, which only a search should pay
        from chromadb.config import Settings
        from langchain_chroma import Chroma
        from langchain_core.embeddings import Embeddings

        settings = Settings(anonymized_telemetry=False, chroma_otel_granularity=None)
        if self._chroma_url is None:
            with self._opening():
                client = chromadb.PersistentClient(path=str(self._home / "chroma"), settings=settings)
        else:
            url = urlsplit(self._chroma_url)
            client = chromadb.HttpClient(
                host=url.hostname or "localhost",
                port=url.port or 8000,
                ssl=url.scheme == "https",
                settings=settings,
            )
        return Chroma(
            client=client,
            # Vectors of another model must not mix with these.
            collection_name=f"passages-{self._embeddings.fingerprint[:16]}",
            embedding_function=cast(Embeddings, self._embeddings),
            collection_configuration={"hnsw": {"space": "cosine"}},
        )


def searched_texts(items: Iterable[Item]) -> list[str]:
    """What is embedded of `items`: one text a passage, folded."""
    return [fold(_searched(item, passage)) for item in items for passage in chunk.cut(item)]


def sync_library(index: Index, items: Iterable[Item]) -> SyncReport:
    """Put the shipped `items` into `index`; only what is new or changed is embedded."""
    done: dict[str, list[str]] = {"added": [], "changed": [], "unchanged": []}
    for item in items:
        done[index.put(item).status].append(item.id)
    index.reembed()
    return SyncReport(tuple(done["added"]), tuple(done["changed"]), tuple(done["unchanged"]))


def _fits(item: Item, role: Role | None, kind: Kind | None, exclude: Collection[str]) -> bool:
    return (
        (role is None or item.role in (role, "common"))
        and (kind is None or item.kind == kind)
        and item.id not in exclude
    )


def _hits(state: _Snapshot, candidates: list[int], fused: Scores, k: int) -> list[Hit]:
    hits: list[Hit] = []
    shown: dict[str, int] = {}
    for n in top(fused, len(candidates)):
        passage = state.passages[candidates[n]]
        if shown.get(passage.item_id, 0) == _MOST_PER_ITEM:
            continue
        shown[passage.item_id] = shown.get(passage.item_id, 0) + 1
        item = state.items[passage.item_id]
        hits.append(
            Hit(
                item.id,
                item.title,
                item.kind,
                item.role,
                round(float(fused[n]), 4),
                passage.text,
                item.source,
                passage.heading,
            )
        )
        if len(hits) == k:
            break
    return hits


def _searched(item: Item, passage: Passage) -> str:
    """What a passage is found by: its words and those it stands under."""
    return "\n".join((item.title, *passage.heading, passage.text))


def _dump(passages: list[Passage]) -> str:
    return json.dumps([passage.model_dump() for passage in passages], ensure_ascii=False)


def _load(passages: str) -> list[Passage]:
    return [Passage.model_validate(passage) for passage in json.loads(passages)]
