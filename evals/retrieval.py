"""How well search finds the right item: the product's own search, and the same code with parts of it taken away.

Without data the shipped library is searched with the questions of `data/library_questions.jsonl`, author-labelled,
written without the search at hand; those without an answer measure whether search says so. A data folder holds
`passages.jsonl` ({"id", "text"}) and `queries.jsonl` ({"id", "text", "relevant": [id]}).
"""

import hashlib
import json
import math
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from knowledge.embed import FingerprintedEmbeddings, LocalEmbeddings
from knowledge.index import Index
from knowledge.item import Item
from knowledge.ledger import Change
from knowledge.rank import top
from knowledge.search import PRODUCT, Method, search
from knowledge.shipped import load_library
from knowledge.text import fold

QUESTIONS = Path(__file__).parent / "data" / "library_questions.jsonl"
_DEPTH = 20  # hits asked for: at most two of an item, and ten items count
_BATCH = 50

Ranker = Callable[[str], list[str]]

METHODS: Mapping[str, Method] = {
    "BM25, bigrams": Method(lexical=1.0),
    "dense": Method(lexical=0.0),
    "reciprocal rank": Method(fusion="reciprocal"),
    "fused": Method(),
    "fused, titles x2": Method(title=2.0, heading=2.0),
    "fused, synonyms": Method(synonyms=True),
    "fused, small to big": Method(context=0.2),
    "product": PRODUCT,
}
"""Fused, in each of the rows below the first four, takes the parts the product is made of one at a time."""


class _Remembered:
    """Embeddings that make the vector of a query once for all methods."""

    def __init__(self, model: FingerprintedEmbeddings) -> None:
        self.fingerprint, self.near_enough = model.fingerprint, model.near_enough
        self.embed_documents = model.embed_documents
        self.embed_query = lru_cache(maxsize=None)(model.embed_query)


def run(
    data: Path | None,
    limit: int | None = None,
    cache: Path | None = None,
    embeddings: FingerprintedEmbeddings | None = None,
) -> dict[str, Any]:
    """nDCG@10, MRR@10, hit@1 and recall@10 (0 to 1) of each method over the first `limit` queries.

    The index is kept in the folder `cache`, as making it takes minutes. Raises FileNotFoundError for a folder without
    the two files and ValueError naming a malformed line.
    """
    if data is None:
        items, queries = load_library(), _read(QUESTIONS, ("text", "relevant"))
        names = {item.id: item.id for item in items}
    else:
        passages = _read(data / "passages.jsonl", ("id", "text"))
        queries = _read(data / "queries.jsonl", ("id", "text", "relevant"))
        if not passages or not queries:
            raise ValueError(f"{data}: needs at least one passage and one query")
        items = [
            Item(id=f"p{n}", kind="lesson", title=" ", source=data.name, body=passage["text"])
            for n, passage in enumerate(passages)
        ]
        names = {f"p{n}": str(passage["id"]) for n, passage in enumerate(passages)}
    queries = queries[:limit]
    with _index(items, _Remembered(embeddings or LocalEmbeddings()), cache) as index:
        asked = [query for query in queries if query["relevant"]]
        methods: dict[str, Ranker] = {"BM25, words": _words(items)}
        methods |= {name: _searcher(index, method) for name, method in METHODS.items()}
        rows = {
            name: _mean(
                measures([names[one] for one in rank(query["text"])][:10], set(query["relevant"])) for query in asked
            )
            for name, rank in methods.items()
        }
        return {
            "queries": len(asked),
            "passages": index.count(),
            "items": len(items),
            "methods": rows,
            **_honesty(index, queries),
        }


def measures(ranking: list[str], relevant: set[str]) -> dict[str, float]:
    """The four measures of one ranking; nDCG with a gain of 1 for a relevant item (Järvelin, 2002)."""
    gains = [float(item in relevant) for item in ranking[:10]]
    ideal = sum(1 / math.log2(place + 2) for place in range(min(len(relevant), 10)))
    first = next((place for place, gain in enumerate(gains, start=1) if gain), None)
    return {
        "ndcg@10": sum(gain / math.log2(place + 2) for place, gain in enumerate(gains)) / ideal if ideal else 0.0,
        "mrr@10": 1 / first if first else 0.0,
        "hit@1": gains[0] if gains else 0.0,
        "recall@10": sum(gains) / len(relevant) if relevant else 0.0,
    }


def split(text: str) -> str:
    """Which half of the questions one belongs to: constants may be fitted to "tune" and are reported on "held out"."""
    return "tune" if hashlib.sha256(text.encode()).digest()[0] % 2 else "held out"


def _honesty(index: Index, queries: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """How often search says that it has something good, where there is an answer and where there is none."""
    told: dict[str, list[bool]] = {}
    for query in queries:
        if split(query["text"]) == "held out":
            kind = "good where answered" if query["relevant"] else "good where not"
            told.setdefault(kind, []).append(search(index, query["text"], 5).good)
    if "good where not" not in told:
        return {}
    return {f"{kind} (held out)": round(sum(said) / len(said), 4) for kind, said in sorted(told.items())}


def _mean(all_measures: Iterable[Mapping[str, float]]) -> dict[str, float]:
    rows = list(all_measures)
    return {name: round(sum(row[name] for row in rows) / len(rows), 4) for name in rows[0]} if rows else {}


def _searcher(index: Index, method: Method) -> Ranker:
    def rank(query: str) -> list[str]:
        return list(dict.fromkeys(hit.id for hit in search(index, query, _DEPTH, method=method).hits))

    return rank


def _words(items: Sequence[Item]) -> Ranker:
    """BM25 over words as jieba cuts them: the plain baseline."""
    import bm25s
    import rjieba

    def cut(text: str) -> list[str]:
        return [word for word in rjieba.cut(fold(text)) if word.strip()] or [""]

    ranker = bm25s.BM25()
    ranker.index([cut(f"{item.title}\n{item.body}") for item in items], show_progress=False)

    def rank(query: str) -> list[str]:
        known = [word for word in cut(query) if word in ranker.vocab_dict]
        return [items[n].id for n in top(ranker.get_scores(known), 10)] if known else []

    return rank


@contextmanager
def _index(items: Sequence[Item], model: FingerprintedEmbeddings, cache: Path | None) -> Iterator[Index]:
    """An index of `items` in a folder of `cache` named by what is in it, filled where it is not yet."""
    with tempfile.TemporaryDirectory() as folder:
        key = hashlib.sha256("".join(sorted(item.content_hash for item in items)).encode()).hexdigest()[:16]
        index = Index(cache / key if cache else Path(folder), model)
        there = index.versions()
        missing = [item for item in items if item.id not in there]
        for start in range(0, len(missing), _BATCH):
            index.apply([Change(item.id, item) for item in missing[start : start + _BATCH]])
        yield index
        index.close()


def _read(path: Path, fields: tuple[str, ...]) -> list[dict[str, Any]]:
    return list(_rows(path, fields))


def _rows(path: Path, fields: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise ValueError(f"{path}, line {number}: is not JSON ({error})") from error
        missing = [field for field in fields if not isinstance(row, dict) or field not in row]
        if missing:
            raise ValueError(f"{path}, line {number}: lacks {', '.join(missing)}")
        yield row
