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
    done = []
    with tempfile.TemporaryDirectory() as folder:
        for i, file in enumerate(files):
            # Only the last part of the name is kept, and every upload has a folder of its own.
            name = Path((file.filename or "").replace("\\", "/").replace("\x00", "")).name or "unnamed"
            place = Path(folder) / str(i)
            place.mkdir()
            path = place / name[-120:]
            path.write_bytes(file.file.read())
            for report in ingest_paths(coach.index, [path], kind).files:
                done.append(
                    shapes.IngestedFile(
                        file=name,
                        status=report.status,
                        reason=report.reason,
                        item=report.item_id,
                        passages=report.passages,
                        mended=report.mended,
                        lost=report.lost,
                    )
                )
    return done
