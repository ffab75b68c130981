"""From a query to the passages that answer it: words and meaning fused, near-copies shown once, an honest "nothing"."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np

from knowledge import spelling, synonyms
from knowledge.filters import Filter
from knowledge.index import Index, Stored
from knowledge.item import Item, Kind, Role
from knowledge.rank import Scores, fuse, reciprocal, top
from knowledge.text import fold, spans, terms

MOST_HITS = 50
LONGEST_QUERY = 500

_MOST_PER_ITEM = 2
_CANDIDATES = 40  # from each of the two rankings
_COMMON = 0.2  # a term in more of the passages than this tells little and is not marked
_SHARED = 0.8  # of a query's terms that make a passage an answer by its words alone
_SCORED = 20_000  # passages of all terms together that are scored: what keeps a search of 100,000 quick
_LEAST = 4


@dataclass(frozen=True)
class Method:
    """How passages are ranked; measured by `whetstone eval retrieval`.

    Attributes:
        lexical: share of the words in the fused score, the rest is the vectors'; 0 and 1 leave the other out.
        fusion: of standardised scores, or of ranks.
        title, heading: BM25 weights against 1 for the body. synonyms: whether words of the trade widen the query.
        context: share of its neighbours' similarity in that of a passage.
    """

    lexical: float = 0.3
    fusion: Literal["scores", "reciprocal"] = "scores"
    title: float = 1.0
    heading: float = 1.0
    synonyms: bool = False
    context: float = 0.0


PRODUCT = Method(title=2.0, heading=2.0, synonyms=True, context=0.2)
"""Chosen on the tuning half of our own questions on the library, not on CMRC."""


@dataclass(frozen=True)
class Source:
    """Another item that holds nearly the same passage."""

    id: str
    title: str
    source: str


@dataclass(frozen=True)
class Hit:
    """A passage found.

    Attributes:
        id: the item's. score: orders the hits of one query and means no more.
        heading: the titles the passage stands under, outermost first.
        marks: [start, end) of the matching words in `passage`. also: where nearly the same stands.
    """

    id: str
    title: str
    kind: Kind
    role: Role
    score: float
    passage: str
    source: str
    heading: tuple[str, ...]
    marks: tuple[tuple[int, int], ...] = ()
    also: tuple[Source, ...] = ()


@dataclass(frozen=True)
class Results:
    """What a search found.

    Attributes:
        read_as: the query as it was searched, where a slip of the keyboard was mended.
        words: the terms that are marked in the hits.
        good: False when nothing found is likely to answer the query; the hits are shown as the nearest there is.
    """

    query: str
    read_as: str | None = None
    good: bool = False
    words: Sequence[str] = ()
    hits: Sequence[Hit] = field(default_factory=tuple)

    def as_json(self) -> dict[str, Any]:
        """Plain values, as the command line and the API tell them."""
        return {"read_as": self.read_as, "good": self.good, "hits": [asdict(hit) for hit in self.hits]}


def search(
    index: Index,
    query: str,
    k: int = 5,
    fits: Filter = Filter(),  # noqa: B008
    method: Method = PRODUCT,
) -> Results:
    """The `k` best passages for `query`, best first, at most two of one item.

    Args:
        query: a question or words in Simplified or Traditional Chinese or English; cut to 500 characters.
        k: 1 to 50.

    Raises ValueError for an empty query or a `k` out of range.
    """
    query = query.strip()[:LONGEST_QUERY]
    if not query:
        raise ValueError("query: must not be empty")
    if not 1 <= k <= MOST_HITS:
        raise ValueError(f"k: must be between 1 and {MOST_HITS}, not {k}")
    size = index.count()
    if not size:
        return Results(query)
    read_as = spelling.mend(query, index)
    asked = read_as or query
    wanted, marked = _terms(index, asked, size, method)
    depth = max(_CANDIDATES, 4 * k)
    vector = index.embeddings.embed_query(fold(asked))
    near = index.nearest(vector, fits, depth) if method.lexical < 1 else []
    weights = (method.title, method.heading, 1.0)
    words = index.lexical(wanted, weights, fits, depth, also=near) if method.lexical > 0 else {}
    places = list(dict.fromkeys([*near, *words]))
    if not places:
        return Results(query, read_as)
    lexical = [words.get(place, 0.0) for place in places]
    alone = index.similarities(vector, places)
    similar = _with_context(index, vector, places, alone, method.context)
    fused = reciprocal(lexical, similar) if method.fusion == "reciprocal" else fuse(lexical, similar, method.lexical)
    order = top(fused, len(places))
    stored = index.passages(places)
    ranked = [(stored[places[n]], float(fused[n])) for n in order if places[n] in stored]
    hits = _hits(index, ranked, k, marked)
    good = bool(ranked) and _good(index, ranked[0][0], float(alone.max()), terms(asked))
    return Results(query, read_as, good, marked, hits)


def _with_context(index: Index, vector: Sequence[float], places: Sequence[int], alone: Scores, share: float) -> Scores:
    """The similarity of each passage with a share of that of the passages around it in its item."""
    if not share:
        return alone
    around = index.neighbours(places)
    others = sorted({other for some in around.values() for other in some})
    near = dict(zip(others, index.similarities(vector, others), strict=True))
    mean = [
        sum(near[other] for other in around[place]) / len(around[place]) if around[place] else own
        for place, own in zip(places, alone, strict=True)
    ]
    return np.asarray((1 - share) * alone + share * np.asarray(mean), dtype=np.float64)


def _terms(index: Index, query: str, size: int, method: Method) -> tuple[list[str], list[str]]:
    """(Terms to search, the rarer ones to mark), with those of synonyms."""
    others = synonyms.others(query) if method.synonyms else []
    asked = dict.fromkeys([*terms(query), *(term for word in others for term in terms(word))])
    frequency = index.frequencies(asked)
    rare = [term for term in asked if 0 < frequency.get(term, 0) <= _COMMON * size]
    return _affordable(frequency), rare


def _affordable(frequency: Mapping[str, int]) -> list[str]:
    """The rarest terms whose passages are few enough to be scored in time, four at least."""
    ranked = sorted(frequency, key=lambda term: (frequency[term], term))
    cost = itertools.accumulate(frequency[term] for term in ranked)
    return [term for n, (term, so_far) in enumerate(zip(ranked, cost, strict=True)) if n < _LEAST or so_far <= _SCORED]


def _good(index: Index, best: Stored, nearest: float, wanted: Sequence[str]) -> bool:
    """Whether an answer was found: the nearest passage is near enough for this model, or the best holds the words.

    The words decide alone where it is not known how near is near enough, and for a few words typed into a search box.
    """
    if index.embeddings.near_enough is not None and nearest >= index.embeddings.near_enough:
        return True
    held = {*terms(best.item.title), *terms("\n".join(best.passage.heading)), *terms(best.passage.text)}
    return bool(wanted) and sum(term in held for term in wanted) >= _SHARED * len(wanted)


def _hits(index: Index, ranked: Sequence[tuple[Stored, float]], k: int, marked: Sequence[str]) -> tuple[Hit, ...]:
    hits: list[Hit] = []
    shown: dict[str, int] = {}
    twins: set[int] = set()
    for one, score in ranked:
        item = one.item
        if one.twin in twins or shown.get(item.id, 0) == _MOST_PER_ITEM:
            continue
        twins.add(one.twin)
        shown[item.id] = shown.get(item.id, 0) + 1
        others = [index.get(other) for other in index.twins(one.twin) if other != item.id]
        hits.append(_hit(one, score, marked, others))
        if len(hits) == k:
            break
    return tuple(hits)


def _hit(one: Stored, score: float, marked: Sequence[str], others: Sequence[Item]) -> Hit:
    return Hit(
        id=one.item.id,
        title=one.item.title,
        kind=one.item.kind,
        role=one.item.role,
        score=round(score, 4),
        passage=one.passage.text,
        source=one.item.source,
        heading=one.passage.heading,
        marks=tuple(spans(one.passage.text, marked)),
        also=tuple(Source(other.id, other.title, other.source) for other in others),
    )
