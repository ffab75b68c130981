"""Searching the library and adding to it."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Query, UploadFile

from api import shapes
from api.auth import Coach, principal, trainer
from api.problems import Problem
from knowledge.item import Kind, Role

router = APIRouter(prefix="/api/v1", tags=["library"], dependencies=[Depends(principal)])


@router.get("/search")
def search(
    coach: Coach,
    q: Annotated[str, Query(min_length=1, max_length=500, examples=["客户嫌贵怎么办"])],
    k: Annotated[int, Query(ge=1, le=50)] = 5,
    role: Role | None = None,
    kind: Kind | None = None,
) -> shapes.SearchResult:
    """The best passages of the case library and course materials."""
    if not coach.index_ready:
        raise Problem(503, "the index of the library is being built; try again in a moment")
    began = time.perf_counter()
    try:
        hits = coach.index.search(q, k=k, role=role, kind=kind)
    except ValueError as error:
        raise Problem(422, f"q: {error}") from error
    return shapes.SearchResult(
        query=q,
        took_ms=round((time.perf_counter() - began) * 1000, 1),
        hits=[
            shapes.SearchHit(
                id=h.id,
                title=h.title,
                kind=h.kind,
                role=h.role,
                score=round(h.score, 4),
                passage=h.passage,
                heading=list(h.heading),
                source=h.source,
            )
            for h in hits
        ],
    )


@router.post("/ingest", status_code=201, dependencies=[Depends(trainer)])
def ingest(coach: Coach, files: list[UploadFile], kind: Kind | None = None) -> list[shapes.IngestedFile]:
    """Add documents to the library (trainers). One that cannot be read is refused with its reason; the rest go on."""
    from knowledge.ingest import ingest_paths

    if not coach.index_ready:
        raise Problem(503, "the index of the library is being built; try again in a moment")
    with tempfile.TemporaryDirectory() as folder:
        names = {}
        for i, file in enumerate(files):
            path = Path(folder) / str(i) / _file_name(file.filename)
            path.parent.mkdir()
            path.write_bytes(file.file.read())
            names[path] = file.filename or path.name
        reports = ingest_paths(coach.index, list(names), kind).files
    told = [
        shapes.IngestedFile(
            file=names.get(r.path, r.path.name),
            status=r.status,
            reason=r.reason,
            item=r.item_id,
            passages=r.passages,
            mended=r.mended,
            lost=r.lost,
        )
        for r in reports
    ]
    if all(f.status == "refused" for f in told):
        raise Problem(422, "no file could be taken", files=[f.model_dump() for f in told])
    return told


def _file_name(given: str | None) -> str:
    """A name that is safe on disk: only the last part of the path, at most 200 bytes, the ending kept."""
    name = Path((given or "").replace("\\", "/").replace("\x00", "")).name
    stem, dot, ending = name.rpartition(".")
    if not dot or not stem.strip("."):
        return "unnamed"
    return stem.encode()[:180].decode(errors="ignore") + "." + ending.encode()[:10].decode(errors="ignore")
