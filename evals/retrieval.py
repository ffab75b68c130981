"""How well search finds the right passage: BM25, dense, reciprocal rank and the fusion in use, side by side.

A data folder holds `passages.jsonl` ({"id", "text"}) and `queries.jsonl` ({"id", "text", "relevant": [id]}).
"""

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from knowledge.embed import FingerprintedEmbeddings, LocalEmbeddings
from knowledge.rank import Lexical, Scores, fuse, top
from knowledge.text import fold

_DEPTH = 40  # candidates of each ranking, as in the index
_RECIPROCAL = 60  # the constant of Cormack, Clarke and Büttcher, SIGIR 2009


def run(
    data: Path,
    limit: int | None = None,
    cache: Path | None = None,
    embeddings: FingerprintedEmbeddings | None = None,
) -> dict[str, Any]:
    """nDCG@10, MRR@10, hit@1 and recall@10 (0 to 1) of each method over the first `limit` queries.

    Vectors of the passages are kept in the folder `cache`, as making them takes minutes. Raises
    FileNotFoundError for a folder without the two files and ValueError naming a malformed line.
    """
    passages = _read(data / "passages.jsonl", ("id", "text"))
    queries = _read(data / "queries.jsonl", ("id", "text", "relevant"))[:limit]
    if not passages or not queries:
        raise ValueError(f"{data}: needs at least one passage and one query")
    model = embeddings or LocalEmbeddings()
    vectors = _vectors([fold(passage["text"]) for passage in passages], model, cache)
    lexical = Lexical([passage["text"] for passage in passages])
    ids = [passage["id"] for passage in passages]

    totals: dict[str, dict[str, float]] = {name: {} for name in _METHODS}
    for query in queries:
        words = lexical.scores(query["text"])
        dense: Scores = vectors @ np.asarray(model.embed_query(fold(query["text"])), dtype=np.float64)
        for name, rank in _METHODS.items():
            ranking = [ids[place] for place in rank(words, dense)]
            for measure, value in measures(ranking, set(query["relevant"])).items():
                totals[name][measure] = totals[name].get(measure, 0.0) + value
    return {
        "queries": len(queries),
        "passages": len(passages),
        "methods": {
            name: {measure: round(total / len(queries), 4) for measure, total in sums.items()}
            for name, sums in totals.items()
        },
    }


def measures(ranking: list[str], relevant: set[str]) -> dict[str, float]:
    """The four measures of one ranking; nDCG with a gain of 1 for a relevant passage (Järvelin, 2002)."""
    gains = [float(item in relevant) for item in ranking[:10]]
    ideal = sum(1 / math.log2(place + 2) for place in range(min(len(relevant), 10)))
    first = next((place for place, gain in enumerate(gains, start=1) if gain), None)
    return {
        "ndcg@10": sum(gain / math.log2(place + 2) for place, gain in enumerate(gains)) / ideal if ideal else 0.0,
        "mrr@10": 1 / first if first else 0.0,
        "hit@1": gains[0] if gains else 0.0,
        "recall@10": sum(gains) / len(relevant) if relevant else 0.0,
    }


def _fused(lexical: Scores, dense: Scores) -> list[int]:
    found = [place for place in top(lexical, _DEPTH) if lexical[place] > 0]
    candidates = list(dict.fromkeys(top(dense, _DEPTH) + found))
    return [candidates[n] for n in top(fuse(lexical[candidates], dense[candidates]), 10)]


def _reciprocal(lexical: Scores, dense: Scores) -> list[int]:
    scores = np.zeros_like(dense)
    for ranking in (top(lexical, _DEPTH), top(dense, _DEPTH)):
        for place, passage in enumerate(ranking, start=1):
            scores[passage] += 1 / (_RECIPROCAL + place)
    return top(scores, 10)


_METHODS: Mapping[str, Callable[[Scores, Scores], list[int]]] = {
    "bm25": lambda lexical, _: top(lexical, 10),
    "dense": lambda _, dense: top(dense, 10),
    "reciprocal_rank": _reciprocal,
    "fused": _fused,
}


def _vectors(texts: list[str], model: FingerprintedEmbeddings, cache: Path | None) -> Scores:
    key = hashlib.sha256("\0".join((model.fingerprint, *texts)).encode()).hexdigest()
    kept = cache / f"{key[:32]}.npy" if cache else None
    if kept and kept.exists():
        return np.asarray(np.load(kept), dtype=np.float64)
    vectors = np.asarray(model.embed_documents(texts), dtype=np.float64)
    if kept:
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.save(kept, vectors)
    return vectors


def _read(path: Path, fields: tuple[str, ...]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
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
        rows.append(row)
    return rows
