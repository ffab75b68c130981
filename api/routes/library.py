"""Searching the library, adding to it, and what a trainer does with it."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, UploadFile

from api import shapes
from api.auth import Coach, Someone, Trainer, principal, trainer
from api.problems import Problem
from coach import answer as answering
from coach import curation
from coach.learning_path import GoalNotFound, path_to, shown
from coach.store.accounts import Principal
from coach.store.drills import NoSuchDrill
from knowledge.filters import Filter
from knowledge.graph import NotInGraph
from knowledge.item import Item, Kind, Role, Tier
from knowledge.ledger import LedgerError
from knowledge.library import Library
from knowledge.search import Results

router = APIRouter(prefix="/api/v1", tags=["library"], dependencies=[Depends(principal)])
Query500 = Annotated[str, Query(min_length=1, max_length=500, examples=["客户嫌贵怎么办"])]


def ready(coach: Coach) -> Library:
    """The library, once it can be searched."""
    if not coach.library_ready:
        raise Problem(503, coach.library_failure or "the index of the library is being built; try again in a moment")
    return coach.library


Ready = Annotated[Library, Depends(ready)]


def wanted(
    role: Role | None = None,
    kind: Kind | None = None,
    industry: Annotated[str | None, Query(max_length=60)] = None,
    tier: Tier | None = None,
    skill: Annotated[str | None, Query(max_length=64)] = None,
    year: Annotated[int | None, Query(ge=1900, le=2100)] = None,
) -> Filter:
    return Filter(role, kind, industry, tier, skill, year)


Wanted = Annotated[Filter, Depends(wanted)]


def readable(library: Library, item_id: str, who: Principal) -> Item:
    """An item this person may read: drafts are for trainers.

    Raises:
        Problem: 404.
    """
    try:
        found = library.get(item_id)
    except KeyError as error:
        raise Problem(404, f"the library has no item {item_id!r}") from error
    if found.status == "draft" and who.role != "trainer":
        raise Problem(404, f"the library has no item {item_id!r}")
    return found


def _searched(library: Library, query: str, k: int, fits: Filter) -> Results:
    try:
        return library.search(query, k, fits)
    except ValueError as error:
        raise Problem(422, f"q: {error}") from error


@router.get("/search")
def search(library: Ready, fits: Wanted, q: Query500, k: Annotated[int, Query(ge=1, le=50)] = 5) -> shapes.SearchResult:
    """The best passages of the case library and course materials."""
    began = time.perf_counter()
    found = _searched(library, q, k, fits)
    took = round((time.perf_counter() - began) * 1000, 1)
    return shapes.SearchResult.model_validate({"query": q, "took_ms": took, **found.as_json()})


@router.get("/answer")
def answer(library: Ready, coach: Coach, fits: Wanted, q: Query500) -> shapes.Answer:
    """A short answer from the library, each sentence cited; the best passages where no model is configured."""
    found = _searched(library, q, answering.MOST_PASSAGES, fits)
    return shapes.Answer.model_validate(answering.answer(q, found, coach.gateway).as_json())


@router.get("/items/{item_id}")
def item(library: Ready, who: Someone, item_id: str) -> Item:
    """One case, lesson, regulation or template with the whole of its text."""
    return readable(library, item_id, who)


@router.get("/items/{item_id}/related")
def related(
    library: Ready, coach: Coach, who: Someone, item_id: str, k: Annotated[int, Query(ge=1, le=50)] = 8
) -> list[shapes.RelatedNode]:
    """What goes with an item: items, scenarios, skills and behaviours, the nearest first, and why."""
    item = readable(library, item_id, who)
    try:
        found = coach.graph.related(f"{item.kind}:{item.id}", k)
    except NotInGraph as error:
        raise Problem(404, f"{item_id!r} is a draft: nothing is related to it yet") from error
    return [
        shapes.RelatedNode(
            **vars(one.node) | {"score": round(one.score, 4), "linked": one.linked, "via": [n.id for n in one.via]}
        )
        for one in found
    ]


@router.get("/path", dependencies=[Depends(ready)])
def path(coach: Coach, goal: Query500, known: Annotated[list[str], Query()] = []) -> shapes.Path:  # noqa: B006
    """What to know before a goal: a skill, a scenario, an item or free words; foundations first."""
    try:
        return shapes.Path.model_validate(shown(path_to(coach, goal, known)))
    except GoalNotFound as error:
        raise Problem(404, str(error)) from error


@router.post("/ingest", status_code=201)
def ingest(
    who: Trainer, library: Ready, files: list[UploadFile], kind: Kind | None = None, draft: bool = False
) -> list[shapes.IngestedFile]:
    """Add documents to the library (trainers). One that cannot be read is refused with its reason; the rest go on.

    With `draft` personal data is masked for good, and nobody finds the items until they are published.
    """
    from knowledge.ingest import Ingest

    with tempfile.TemporaryDirectory() as folder:
        names = {}
        for i, file in enumerate(files):
            path = Path(folder) / str(i) / _file_name(file.filename)
            path.parent.mkdir()
            path.write_bytes(file.file.read())
            names[path] = file.filename or path.name
        reports = Ingest(library, who.name, kind, draft).paths(list(names)).files
    told = [
        shapes.IngestedFile(
            file=names.get(r.path, r.path.name),
            status=r.status,
            reason=r.reason,
            item=r.items[0] if r.items else "",
            items=list(r.items),
            passages=r.passages,
            mended=r.mended,
            lost=r.lost,
            removed=r.removed,
            personal=r.personal,
        )
        for r in reports
    ]
    if all(f.status == "refused" for f in told):
        raise Problem(422, "no file could be taken", files=[f.model_dump() for f in told])
    return told


@router.get("/review", dependencies=[Depends(trainer)])
def review(library: Ready) -> list[shapes.Waiting]:
    """Items that wait for a trainer: drafts, and proposed tags nobody has confirmed."""
    return [
        shapes.Waiting(**item.model_dump(include=set(shapes.Waiting.model_fields)))
        for item in library.index.items()
        if item.proposed or item.status == "draft"
    ]


@router.patch("/items/{item_id}/tags")
def confirm(who: Trainer, library: Ready, item_id: str, tags: shapes.Tags) -> Item:
    """Confirm an item's proposed tags, changed where given (trainers)."""
    readable(library, item_id, who)
    try:
        return curation.confirm(library, item_id, who.name, tags.model_dump(exclude_none=True))
    except curation.CurationError as error:
        raise Problem(422, str(error)) from error


@router.post("/items/{item_id}/publish")
def publish(who: Trainer, library: Ready, item_id: str) -> Item:
    """Let a draft be found (trainers)."""
    readable(library, item_id, who)
    try:
        return curation.publish(library, item_id, who.name)
    except curation.CurationError as error:
        raise Problem(409, str(error)) from error


@router.delete("/items/{item_id}", status_code=204)
def remove(who: Trainer, library: Ready, item_id: str) -> None:
    """Take an item out (trainers). The ledger keeps it."""
    readable(library, item_id, who)
    library.remove([item_id], who.name)


@router.post("/drills/{drill_id}/case", status_code=201, dependencies=[Depends(ready)])
def draft_case(coach: Coach, who: Trainer, drill_id: str) -> Item:
    """Make a draft case of a finished, scored drill that a trainer finds excellent; personal data is masked."""
    try:
        return curation.draft_case(coach, drill_id, who.name)
    except NoSuchDrill as error:
        raise Problem(404, f"there is no drill {drill_id!r}") from error
    except curation.CurationError as error:
        raise Problem(409, str(error)) from error


@router.get("/library/log", dependencies=[Depends(trainer)])
def log(
    library: Ready,
    item: Annotated[str | None, Query(max_length=160)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    before: Annotated[int | None, Query(ge=1, lt=2**31)] = None,
) -> list[shapes.LedgerEntry]:
    """Who changed what, newest first (trainers)."""
    return [shapes.LedgerEntry.model_validate(vars(entry)) for entry in library.ledger.log(item, limit, before)]


@router.get("/library/verify", dependencies=[Depends(trainer)])
def verify(library: Ready) -> dict[str, Any]:
    """Whether the history holds: every entry against its hashes, every item against its last entry (trainers)."""
    head = library.ledger.head()
    return {"entries": head.number, "head": head.hash, "problems": library.verify()}


@router.post("/library/rollback")
def roll_back(who: Trainer, library: Ready, to: shapes.Rollback) -> list[str]:
    """Make the library, or one item, what it was after an entry, by new entries; the ids that changed (trainers)."""
    try:
        return [change.item_id for change in library.roll_back(to.number, who.name, to.item)]
    except LedgerError as error:
        raise Problem(404, str(error)) from error


def _file_name(given: str | None) -> str:
    """A name that is safe on disk: only the last part of the path, at most 200 bytes, the ending kept."""
    name = Path((given or "").replace("\\", "/").replace("\x00", "")).name
    stem, dot, ending = name.rpartition(".")
    if not dot or not stem.strip("."):
        return "unnamed"
    return stem.encode()[:180].decode(errors="ignore") + "." + ending.encode()[:10].decode(errors="ignore")
