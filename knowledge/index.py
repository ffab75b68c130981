"""The search index: passages with their words and vectors in one SQLite file, and the vectors once more in Chroma.

SQLite is what counts; each change is one transaction in it. Which passages Chroma must be told of is written down in
the same transaction and done afterwards, so a process that dies in between leaves work to finish, not a broken index;
and a Chroma that was lost is filled again from the vectors in SQLite. The file's name says how and with which model it
was made: another model starts another file, and `knowledge.library` fills it.
"""

import contextlib
import hashlib
import json
import secrets
import shutil
import threading
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import structlog
from filelock import FileLock, Timeout
from numpy.typing import NDArray
from sqlalchemy import Connection, Engine, Row, create_engine, event, text

from knowledge import chunk, near
from knowledge.embed import FingerprintedEmbeddings
from knowledge.filters import Filter, facets, metadata
from knowledge.item import Item, Passage
from knowledge.ledger import Change, Head
from knowledge.text import fold, terms
from knowledge.vectors import Vectors

# Raised when what is stored of a passage changes.
VERSION = 3
COLUMNS = ("title", "heading", "body")
Vector = NDArray[np.float16]

_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS about (key TEXT PRIMARY KEY, value TEXT NOT NULL)",
    """CREATE TABLE IF NOT EXISTS item (
        id TEXT PRIMARY KEY, version TEXT NOT NULL, status TEXT NOT NULL, kind TEXT NOT NULL, role TEXT NOT NULL,
        industry TEXT NOT NULL, tier TEXT NOT NULL, year INTEGER, skills TEXT NOT NULL, file TEXT NOT NULL,
        file_hash TEXT NOT NULL, facets TEXT NOT NULL, body TEXT NOT NULL
    )""",
    "CREATE INDEX IF NOT EXISTS item_file ON item (file)",
    # embedded: key of the text the vector was made of. twin: the first passage that says nearly the same.
    # Not shown is a passage for which a twin with the same tags stands; it takes over when that one goes.
    """CREATE TABLE IF NOT EXISTS passage (
        place INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, item_id TEXT NOT NULL, heading TEXT NOT NULL,
        text TEXT NOT NULL, embedded TEXT NOT NULL, vector BLOB NOT NULL, twin INTEGER, stands_for INTEGER,
        shown INTEGER NOT NULL
    )""",
    "CREATE INDEX IF NOT EXISTS passage_item ON passage (item_id)",
    "CREATE INDEX IF NOT EXISTS passage_embedded ON passage (embedded)",
    "CREATE INDEX IF NOT EXISTS passage_twin ON passage (twin) WHERE twin IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS passage_hidden ON passage (stands_for) WHERE stands_for IS NOT NULL",
    "CREATE TABLE IF NOT EXISTS band (key INTEGER NOT NULL, place INTEGER NOT NULL)",
    "CREATE INDEX IF NOT EXISTS band_key ON band (key)",
    "CREATE INDEX IF NOT EXISTS band_place ON band (place)",
    "CREATE TABLE IF NOT EXISTS pending (id TEXT PRIMARY KEY)",
    """CREATE VIRTUAL TABLE IF NOT EXISTS word USING fts5(
        title, heading, body, tokenize = "unicode61 remove_diacritics 0 tokenchars '%.'"
    )""",
    "CREATE VIRTUAL TABLE IF NOT EXISTS term USING fts5vocab(word, row)",
)
# FTS5 gives better matches smaller numbers. Computed once for both parts.
_SCORED = """
    WITH scored AS MATERIALIZED (
        SELECT rowid AS place, -bm25(word, :title, :heading, :body) AS score FROM word WHERE word MATCH :match
    ), fitting AS MATERIALIZED (SELECT s.place, s.score FROM scored s {fits})
    SELECT place, score FROM (SELECT * FROM fitting ORDER BY score DESC LIMIT :depth)
    UNION SELECT place, score FROM fitting WHERE place IN (SELECT value FROM json_each(:also))
"""
_FITS = "JOIN passage p ON p.place = s.place JOIN item i ON i.id = p.item_id WHERE"
_PLACES = """
    SELECT p.id, p.place FROM passage p JOIN item i ON i.id = p.item_id
    WHERE p.shown AND p.id IN (SELECT value FROM json_each(:ids))
"""
_WIDER = 10  # times as many passages looked at where a filter is given
_PENDING = text("INSERT OR IGNORE INTO pending VALUES (:id)")
_BATCH = 500

log = structlog.get_logger()


@dataclass(frozen=True)
class Put:
    """What putting an item did, and how many passages it has."""

    status: Literal["added", "changed", "unchanged"]
    passages: int


@dataclass(frozen=True)
class Prepared:
    """An item cut and embedded, ready to be written. A draft has no passages."""

    item: Item
    passages: Sequence[Passage]
    vectors: Sequence[Vector]


@dataclass(frozen=True)
class Stored:
    """A passage with its place in the index and its item; passages of one `twin` say nearly the same."""

    place: int
    passage: Passage
    item: Item
    twin: int


class Index:
    """Passages and their vectors, kept in the folder `home`; safe to share between threads and processes.

    Args:
        home: folder of the index, made when missing.
        embeddings: makes the vectors.
        chroma_url: address of a Chroma server; without it Chroma runs in this process, in `home`/chroma.
    """

    def __init__(self, home: Path, embeddings: FingerprintedEmbeddings, chroma_url: str | None = None) -> None:
        self.embeddings = embeddings
        self._home, self._chroma_url = home, chroma_url
        self._make = hashlib.sha256(f"{VERSION} {chunk.VERSION} {embeddings.fingerprint}".encode()).hexdigest()[:12]
        home.mkdir(parents=True, exist_ok=True)
        self._opening = threading.RLock()
        self._opened: tuple[str, Vectors] | None = None
        self.writing = FileLock(home / "writing.lock", timeout=600)
        with self.writing:
            self._engine = _open(home / f"passages-{self._make}.db")
            with self._engine.begin() as db:
                for statement in _SCHEMA:
                    db.exec_driver_sql(statement)
                # Two installations on one Chroma server must not share a collection.
                db.execute(
                    text("INSERT OR IGNORE INTO about VALUES ('installation', :id)"), {"id": secrets.token_hex(8)}
                )

    def close(self) -> None:
        """Release the files; the index cannot be used afterwards."""
        self._engine.dispose()
        self._let_go()

    def drop_others(self) -> None:
        """Delete the files of other models and makes, once this one is complete."""
        with self.writing:
            for path in self._home.glob("passages-*.db*"):
                if not path.name.startswith(f"passages-{self._make}.db"):
                    path.unlink(missing_ok=True)

    # Writing.

    def put(self, item: Item) -> Put:
        """Add `item`, or replace the item of its id; an unchanged item costs nothing.

        Raises ValueError when the item has no text but headings. Whatever fails, the old item stays.
        """
        (old,) = self.versions([item.id]).values() or (None,)
        if old == item.content_hash:
            return Put("unchanged", self.count(item.id))
        ready = self.prepare([item])
        self.apply([Change(item.id, item)], ready)
        return Put("changed" if old else "added", len(ready[0].passages))

    def remove(self, item_id: str) -> None:
        """Take an item out. Raises KeyError when there is none of that id."""
        if not self.versions([item_id]):
            raise KeyError(item_id)
        self.apply([Change(item_id, None)])

    def prepare(self, items: Sequence[Item]) -> list[Prepared]:
        """The items cut and embedded; text that is in the index already is not embedded again.

        Raises ValueError when a published item has no text but headings, and whatever the embeddings raise.
        """
        cut = [chunk.cut(item) if item.status == "published" else [] for item in items]
        for item, passages in zip(items, cut, strict=True):
            if item.status == "published" and not passages:
                raise ValueError(f"{item.id}: has no text to search")
        texts = [[embedded_text(item, one) for one in each] for item, each in zip(items, cut, strict=True)]
        vectors = self._vectors_of([one for each in texts for one in each])
        return [
            Prepared(item, passages, [vectors[_key(one)] for one in each])
            for item, passages, each in zip(items, cut, texts, strict=True)
        ]

    def refile(self, ready: Prepared, item: Item) -> Prepared:
        """What was prepared, for the same text under other tags: nothing is embedded again."""
        return Prepared(item, chunk.cut(item) if ready.passages else [], ready.vectors)

    def _vectors_of(self, texts: Sequence[str]) -> dict[str, Vector]:
        keyed = {_key(one): one for one in texts}
        found: dict[str, Vector] = {}
        with self._engine.connect() as db:
            for some in _batches(list(keyed)):
                rows = db.execute(
                    text("SELECT embedded, vector FROM passage WHERE embedded IN (SELECT value FROM json_each(:keys))"),
                    {"keys": json.dumps(some)},
                )
                found |= {key: np.frombuffer(vector, dtype=np.float16) for key, vector in rows}
        new = {key: one for key, one in keyed.items() if key not in found}
        if new:
            made = np.asarray(self.embeddings.embed_documents(list(new.values())), dtype=np.float16)
            found |= dict(zip(new, made, strict=True))
        return found

    def apply(self, changes: Sequence[Change], prepared: Iterable[Prepared] = (), head: Head | None = None) -> None:
        """Make `changes` in one transaction, the last of each item counting.

        Args:
            prepared: what was prepared already; the rest is prepared here.
            head: the ledger entry the index stands at afterwards.
        """
        last = {change.item_id: change.item for change in changes}
        ready = {one.item.id: one for one in prepared if last.get(one.item.id) == one.item}
        ready |= {one.item.id: one for one in self.prepare([i for n, i in last.items() if i and n not in ready])}
        with self.writing:
            with self._engine.begin() as db:
                for item_id in last:
                    self._delete(db, item_id)
                for one in ready.values():
                    self._insert(db, one)
                if head is not None:
                    db.execute(
                        text("INSERT OR REPLACE INTO about VALUES ('head', :head)"),
                        {"head": json.dumps([head.number, head.hash])},
                    )
            self._tell_chroma(self._vectors)

    def _delete(self, db: Connection, item_id: str) -> None:
        rows = list(db.execute(text("SELECT place, id, shown FROM passage WHERE item_id = :id"), {"id": item_id}))
        places = json.dumps([row.place for row in rows])
        db.execute(text("DELETE FROM item WHERE id = :id"), {"id": item_id})
        if not rows:
            return
        db.execute(text("DELETE FROM passage WHERE item_id = :id"), {"id": item_id})
        for table, key in (("word", "rowid"), ("band", "place")):
            db.execute(text(f"DELETE FROM {table} WHERE {key} IN (SELECT value FROM json_each(:p))"), {"p": places})  # noqa: S608
        db.execute(_PENDING, [{"id": row.id} for row in rows])
        # A twin that was left out for one of these takes its place.
        heirs = db.execute(
            text(
                "SELECT MIN(place) AS place FROM passage WHERE NOT shown"
                " AND stands_for IN (SELECT value FROM json_each(:p)) GROUP BY stands_for"
            ),
            {"p": json.dumps([row.place for row in rows if row.shown])},
        )
        for heir in list(heirs):
            self._show(db, heir.place)

    def _show(self, db: Connection, place: int) -> None:
        row = db.execute(
            text(
                "SELECT p.id, p.item_id, p.heading, p.text, p.stands_for, i.body FROM passage p"
                " JOIN item i ON i.id = p.item_id WHERE place = :place"
            ),
            {"place": place},
        ).one()
        db.execute(
            text("UPDATE passage SET stands_for = :new WHERE stands_for = :old AND NOT shown"),
            {"new": place, "old": row.stands_for},
        )
        db.execute(text("UPDATE passage SET shown = 1, stands_for = NULL WHERE place = :place"), {"place": place})
        self._make_searched(db, place, Item.model_validate_json(row.body), _passage(row), near.bands(row.text))

    def _insert(self, db: Connection, ready: Prepared) -> None:
        item = ready.item
        tags = facets(item)
        db.execute(
            text(
                "INSERT INTO item VALUES (:id, :version, :status, :kind, :role, :industry, :tier, :year, :skills,"
                " :file, :file_hash, :facets, :body)"
            ),
            {
                **item.model_dump(
                    include={"id", "status", "kind", "role", "industry", "tier", "year", "file", "file_hash"}
                ),
                "version": item.content_hash,
                "skills": json.dumps(item.skills),
                "facets": tags,
                "body": item.model_dump_json(),
            },
        )
        for passage, vector in zip(ready.passages, ready.vectors, strict=True):
            keys = near.bands(passage.text)
            twin = self._twin(db, passage.text, keys)
            # A twin filed under other tags is still searched: a filter may reach it and not the first.
            stands_for = twin.place if twin and twin.facets == tags else None
            place = db.execute(
                text(
                    "INSERT INTO passage (id, item_id, heading, text, embedded, vector, twin, stands_for, shown)"
                    " VALUES (:id, :item_id, :heading, :text, :embedded, :vector, :twin, :stands_for, :shown)"
                    " RETURNING place"
                ),
                {
                    "id": passage.id,
                    "item_id": item.id,
                    "heading": json.dumps(passage.heading, ensure_ascii=False),
                    "text": passage.text,
                    "embedded": _key(embedded_text(item, passage)),
                    "vector": vector.tobytes(),
                    "twin": (twin.twin or twin.place) if twin else None,
                    "stands_for": stands_for,
                    "shown": stands_for is None,
                },
            ).scalar_one()
            if stands_for is None:
                self._make_searched(db, place, item, passage, keys)

    def _twin(self, db: Connection, passage: str, keys: Sequence[int]) -> Row[Any] | None:
        rows = db.execute(
            text(
                "SELECT DISTINCT p.place, p.twin, p.text, i.facets FROM band b JOIN passage p ON p.place = b.place"
                " JOIN item i ON i.id = p.item_id WHERE b.key IN (SELECT value FROM json_each(:keys))"
                " ORDER BY p.place LIMIT 20"
            ),
            {"keys": json.dumps(keys)},
        )
        return next((row for row in rows if near.same(row.text, passage)), None)

    def _make_searched(self, db: Connection, place: int, item: Item, passage: Passage, keys: Sequence[int]) -> None:
        db.execute(text("INSERT INTO band VALUES (:key, :place)"), [{"key": key, "place": place} for key in keys])
        db.execute(_PENDING, [{"id": passage.id}])
        db.execute(
            text("INSERT INTO word (rowid, title, heading, body) VALUES (:place, :title, :heading, :body)"),
            {
                "place": place,
                "title": " ".join(terms(item.title)),
                "heading": " ".join(terms("\n".join(passage.heading))),
                "body": " ".join(terms(passage.text)),
            },
        )

    @property
    def _vectors(self) -> Vectors:
        """Chroma, opened anew when another process has written to its files: it keeps in memory what it has read."""
        with self._opening:
            stamp = self._stamp()
            if self._opened is None or (self._opened[0] != stamp and self._chroma_url is None):
                self._let_go()
                vectors = self._made_whole()
                self._opened = self._stamp(), vectors
            return self._opened[1]

    def _let_go(self) -> None:
        opened, self._opened = self._opened, None
        if opened is not None and self._chroma_url is None:
            opened[1].close()

    def _stamp(self) -> str:
        """Changes whenever a process writes to Chroma."""
        with self._engine.connect() as db:
            return str(db.execute(text("SELECT value FROM about WHERE key = 'stamp'")).scalar() or "")

    def _made_whole(self) -> Vectors:
        vectors = self._open_vectors()
        # Whoever is writing will finish what is pending; a search must not wait for that.
        with contextlib.suppress(Timeout), self.writing.acquire(timeout=0):
            with self._engine.begin() as db:
                if (
                    vectors.count() != self.shown()
                    and not db.execute(text("SELECT COUNT(*) FROM pending")).scalar_one()
                ):
                    vectors.clear()
                    db.execute(text("INSERT OR IGNORE INTO pending SELECT id FROM passage WHERE shown"))
            self._tell_chroma(vectors)
        return vectors

    def _open_vectors(self) -> Vectors:
        """The collection; where Chroma's files in this folder cannot be read, a new folder takes their place."""
        with self._engine.connect() as db:
            about = {row.key: row.value for row in db.execute(text("SELECT key, value FROM about"))}
        name = f"passages-{self._make}-{about['installation']}"
        folder = self._home / about.get("chroma", "chroma")
        try:
            return Vectors(folder, self._chroma_url, name, self.embeddings)
        except Exception as error:
            if self._chroma_url is not None:
                raise
            log.warning("Chroma's files are broken and made anew", error=type(error).__name__)
            # Under another name, as Chroma keeps what it has opened in this process by its path.
            new = f"chroma-{secrets.token_hex(4)}"
            with self._engine.begin() as db:
                db.execute(text("INSERT OR REPLACE INTO about VALUES ('chroma', :new)"), {"new": new})
            shutil.rmtree(folder, ignore_errors=True)
            return Vectors(self._home / new, None, name, self.embeddings)

    def _tell_chroma(self, vectors: Vectors) -> None:
        """Bring Chroma to what is written down; after a crash this finishes what was begun."""
        while True:
            with self._engine.connect() as db:
                ids = list(db.execute(text("SELECT id FROM pending LIMIT :most"), {"most": _BATCH}).scalars())
                if not ids:
                    return
                rows = (
                    db.execute(
                        text(
                            "SELECT p.id AS passage, p.vector, i.id, i.kind, i.role, i.industry, i.tier, i.year,"
                            " i.skills FROM passage p JOIN item i ON i.id = p.item_id"
                            " WHERE p.shown AND p.id IN (SELECT value FROM json_each(:ids))"
                        ),
                        {"ids": json.dumps(ids)},
                    )
                    .mappings()
                    .all()
                )
            vectors.put(
                [row["passage"] for row in rows],
                np.stack([np.frombuffer(row["vector"], np.float16) for row in rows]).astype("f4") if rows else [],
                [metadata(dict(row)) for row in rows],
            )
            vectors.drop(sorted(set(ids) - {row["passage"] for row in rows}))
            stamp = secrets.token_hex(8)
            with self._engine.begin() as db:
                db.execute(text("DELETE FROM pending WHERE id = :id"), [{"id": one} for one in ids])
                db.execute(text("INSERT OR REPLACE INTO about VALUES ('stamp', :stamp)"), {"stamp": stamp})
            if self._opened is not None:
                self._opened = stamp, self._opened[1]

    # Reading.

    @property
    def head(self) -> Head | None:
        """The ledger entry the index stands at; None before the first."""
        with self._engine.connect() as db:
            kept = db.execute(text("SELECT value FROM about WHERE key = 'head'")).scalar()
        return Head(*json.loads(kept)) if kept else None

    @property
    def lost(self) -> Head | None:
        """The entry this index stood at when its ledger was found not to hold it any more; None if that never was."""
        with self._engine.connect() as db:
            kept = db.execute(text("SELECT value FROM about WHERE key = 'lost'")).scalar()
        return Head(*json.loads(kept)) if kept else None

    def remember_lost(self, head: Head | None) -> None:
        """Keep, or with None forget, that the ledger no longer holds an entry: it was cut, or a backup put back."""
        with self.writing, self._engine.begin() as db:
            db.execute(text("DELETE FROM about WHERE key = 'lost'"))
            if head is not None:
                value = json.dumps([head.number, head.hash])
                db.execute(text("INSERT INTO about VALUES ('lost', :head)"), {"head": value})

    def versions(self, ids: Collection[str] | None = None) -> dict[str, str]:
        """Content hashes by id, of all items or of those named that are there."""
        with self._engine.connect() as db:
            rows = db.execute(
                text("SELECT id, version FROM item WHERE :ids IS NULL OR id IN (SELECT value FROM json_each(:ids))"),
                {"ids": None if ids is None else json.dumps(list(ids))},
            )
            return {row.id: row.version for row in rows}

    def get(self, item_id: str) -> Item:
        """The item with the whole of its text. Raises KeyError when there is none of that id."""
        with self._engine.connect() as db:
            body = db.execute(text("SELECT body FROM item WHERE id = :id"), {"id": item_id}).scalar()
        if body is None:
            raise KeyError(item_id)
        return Item.model_validate_json(body)

    def items(self) -> list[Item]:
        """Every item, in order of id."""
        with self._engine.connect() as db:
            return [
                Item.model_validate_json(b) for b in db.execute(text("SELECT body FROM item ORDER BY id")).scalars()
            ]

    def of_file(self, name: str) -> dict[str, str]:
        """Ids of the items read from the file of that name, with the hash of the file as it was read."""
        with self._engine.connect() as db:
            rows = db.execute(text("SELECT id, file_hash FROM item WHERE file = :name"), {"name": name})
            return {row.id: row.file_hash for row in rows}

    def count(self, item_id: str | None = None) -> int:
        """How many passages there are, of one item or of all."""
        with self._engine.connect() as db:
            count = text("SELECT COUNT(*) FROM passage WHERE :id IS NULL OR item_id = :id")
            return int(db.execute(count, {"id": item_id}).scalar_one())

    def shown(self) -> int:
        """How many passages are searched: all but near-copies with the same tags."""
        with self._engine.connect() as db:
            return int(db.execute(text("SELECT COUNT(*) FROM passage WHERE shown")).scalar_one())

    def frequencies(self, some: Collection[str]) -> dict[str, int]:
        """In how many passages each of these terms stands; terms that stand nowhere are left out."""
        with self._engine.connect() as db:
            rows = db.execute(
                text("SELECT term, doc FROM term WHERE term IN (SELECT value FROM json_each(:terms))"),
                {"terms": json.dumps(list(some))},
            )
            return {row.term: row.doc for row in rows}

    def vocabulary(self) -> dict[str, int]:
        """Every term with the number of passages it stands in."""
        with self._engine.connect() as db:
            return {row.term: row.doc for row in db.execute(text("SELECT term, doc FROM term"))}

    def lexical(
        self,
        wanted: Collection[str],
        weights: tuple[float, float, float],
        fits: Filter,
        depth: int,
        also: Iterable[int] = (),
    ) -> dict[int, float]:
        """BM25 of the `depth` best passages that hold any of the terms, and of those in `also`, by place.

        `weights` are those of title, heading and body.
        """
        if not wanted:
            return {}
        condition, values = fits.as_sql()
        # Made of our own words only: what a query brings in is bound.
        query = _SCORED.replace("{fits}", condition and f"{_FITS} {condition}")
        values |= dict(zip(COLUMNS, weights, strict=True))
        values |= {"match": " OR ".join(f'"{term}"' for term in wanted), "depth": depth, "also": json.dumps(list(also))}
        with self._engine.connect() as db:
            return {row.place: row.score for row in db.execute(text(query), values)}

    def nearest(self, vector: Sequence[float], fits: Filter, depth: int) -> list[int]:
        """Places of the `depth` passages nearest to `vector`, the nearest first."""
        if not fits.as_sql()[0]:
            return self._places(self._vectors.nearest(vector, fits, depth), fits)
        # Chroma is slow at filters: what fits is nearly always among the nearest of all.
        found = self._places(self._vectors.nearest(vector, Filter(), _WIDER * depth), fits)[:depth]
        if len(found) < depth // 2:
            found = self._places(self._vectors.nearest(vector, fits, depth), fits)
        return found

    def _places(self, ids: Sequence[str], fits: Filter) -> list[int]:
        """Places of those of these passages that are searched and fit, in the order given."""
        condition, values = fits.as_sql()
        query = _PLACES + (f" AND {condition}" if condition else "")
        with self._engine.connect() as db:
            rows = db.execute(text(query), {**values, "ids": json.dumps(list(ids))})
            places = {row.id: row.place for row in rows}
        return [places[one] for one in ids if one in places]

    def similarities(self, vector: Sequence[float], places: Sequence[int]) -> NDArray[np.float64]:
        """Cosine of `vector` with the passages at `places`."""
        with self._engine.connect() as db:
            rows = db.execute(
                text("SELECT place, vector FROM passage WHERE place IN (SELECT value FROM json_each(:places))"),
                {"places": json.dumps(list(places))},
            )
            kept = {row.place: np.frombuffer(row.vector, np.float16) for row in rows}
        if not places:
            return np.zeros(0)
        matrix = np.stack([kept[place] for place in places]).astype(np.float64)
        query = np.asarray(vector, dtype=np.float64)
        return np.asarray(matrix @ query / (np.linalg.norm(matrix, axis=1) * np.linalg.norm(query)), dtype=np.float64)

    def passages(self, places: Sequence[int]) -> dict[int, Stored]:
        """What stands at each place, with its item."""
        with self._engine.connect() as db:
            rows = db.execute(
                text(
                    "SELECT p.place, p.id, p.item_id, p.heading, p.text, p.twin, i.body FROM passage p"
                    " JOIN item i ON i.id = p.item_id WHERE p.place IN (SELECT value FROM json_each(:places))"
                ),
                {"places": json.dumps(list(places))},
            )
            return {
                row.place: Stored(row.place, _passage(row), Item.model_validate_json(row.body), row.twin or row.place)
                for row in rows
            }

    def twins(self, twin: int) -> list[str]:
        """Ids of all items that hold nearly this passage."""
        with self._engine.connect() as db:
            return list(
                db.execute(
                    text("SELECT DISTINCT item_id FROM passage WHERE twin = :twin OR place = :twin ORDER BY place"),
                    {"twin": twin},
                ).scalars()
            )

    def neighbours(self, places: Sequence[int]) -> dict[int, list[int]]:
        """The places before and after each that belong to the same item."""
        with self._engine.connect() as db:
            rows = db.execute(
                text(
                    "SELECT p.place, o.place AS other FROM passage p JOIN passage o"
                    " ON o.item_id = p.item_id AND o.place IN (p.place - 1, p.place + 1)"
                    " WHERE p.place IN (SELECT value FROM json_each(:places))"
                ),
                {"places": json.dumps(list(places))},
            ).all()
        beside: dict[int, list[int]] = {place: [] for place in places}
        for row in rows:
            beside[row.place].append(row.other)
        return beside


def embedded_text(item: Item, passage: Passage) -> str:
    """What is embedded of a passage: its words and those it stands under.

    Folded: the models know Simplified better, and queries are folded the same way.
    """
    return fold("\n".join((item.title, *passage.heading, passage.text)))


def embedded_texts(items: Iterable[Item]) -> list[str]:
    """What is embedded of `items`, one text a passage."""
    return [embedded_text(item, passage) for item in items for passage in chunk.cut(item)]


def _open(path: Path) -> Engine:
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 60}, pool_size=20, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def _set_up(connection: Any, _: object) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        # Everything here can be made again from the ledger; a power cut may cost the last change, never the file.
        connection.execute("PRAGMA synchronous=NORMAL")

    return engine


def _key(embedded: str) -> str:
    return hashlib.sha256(embedded.encode()).hexdigest()[:24]


def _passage(row: Row[Any]) -> Passage:
    return Passage(id=row.id, item_id=row.item_id, heading=tuple(json.loads(row.heading)), text=row.text)


def _batches(some: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(some), _BATCH):
        yield some[start : start + _BATCH]
