"""Search at size: latency, memory, time to build and to add one case. Run by `python -m evals.scale 10000`.

The passages are synthetic: sentences of the shipped library shuffled together, with vectors of real passages moved a
little, so that building takes minutes and not a day. Queries are real and are embedded by the real model.
"""

from __future__ import annotations

import json
import os
import platform
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from evals import Report
from evals.retrieval import QUESTIONS
from knowledge.embed import VECTORS, LocalEmbeddings
from knowledge.filters import Filter
from knowledge.index import Index
from knowledge.item import Item
from knowledge.ledger import Change
from knowledge.search import search
from knowledge.shipped import load_library
from knowledge.text import sentences

_PASSAGES = 8  # of one item
_BATCH = 100
_SEARCHES = 150


class _Synthetic:
    """Vectors of real passages, each moved a little by a fixed seed; queries through the real model."""

    fingerprint = "synthetic"
    near_enough = None

    def __init__(self) -> None:
        self._model = LocalEmbeddings()
        with np.load(VECTORS) as kept:
            self._real = kept["vectors"].astype(np.float32)
        self._random = np.random.default_rng(7)

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        base = self._real[self._random.integers(0, len(self._real), len(texts))]
        moved = base + self._random.normal(0, 0.02, base.shape).astype(np.float32)
        vectors: list[list[float]] = (moved / np.linalg.norm(moved, axis=1, keepdims=True)).tolist()
        return vectors

    def embed_query(self, text: str) -> list[float]:
        return self._model.embed_query(text)


def run(passages: int) -> Report:
    """Build an index of about `passages` passages and search it."""
    chooser = random.Random(7)  # noqa: S311 - the same passages every time
    said = [s for item in load_library() for s in sentences(item.body) if len(s) > 12]
    questions = [json.loads(line)["text"] for line in QUESTIONS.read_text(encoding="utf-8").splitlines()]
    rows: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory() as folder:
        index = Index(Path(folder), _Synthetic())
        began = time.perf_counter()
        for start in range(0, passages // _PASSAGES, _BATCH):
            index.apply(
                [Change(item.id, item) for item in (_item(n, said, chooser) for n in range(start, start + _BATCH))]
            )
        built = time.perf_counter() - began
        for text in questions[:10]:
            search(index, text)
        for what, fits in (("search", Filter()), ("search, filtered", Filter(role="sales", kind="case"))):
            samples = []
            for text in questions[:_SEARCHES]:
                began = time.perf_counter()
                search(index, text, 5, fits)
                samples.append((time.perf_counter() - began) * 1000)
            rows.append(_row(what, samples))
        adding = []
        for n in range(5):
            item = _item(10_000_000 + n, said, chooser)
            began = time.perf_counter()
            index.put(item)
            search(index, questions[n])
            adding.append((time.perf_counter() - began) * 1000)
        rows.append(_row("add one case and search", adding))
        memory = _resident()
        disk = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file()) / 1e6
        summary = {
            "passages": index.count(),
            "build s": round(built, 1),
            "resident MB": round(memory),
            "on disk MB": round(disk),
        }
        index.close()
    machine = f"{os.cpu_count()} cores, {platform.machine()}; synthetic passages"
    return Report("scale", machine, rows, summary=summary)


def _item(number: int, said: list[str], chooser: random.Random) -> Item:
    role = chooser.choice(("sales", "support", "operations"))
    body = "\n".join(
        f"## 第{n}节 {chooser.choice(said)[:12]}\n" + "".join(chooser.choices(said, k=6))[:330]
        for n in range(_PASSAGES)
    )
    return Item.model_validate(
        {
            "id": f"synthetic-{number}",
            "kind": chooser.choice(("case", "lesson")),
            "role": role,
            "title": chooser.choice(said)[:20],
            "source": "synthetic",
            "body": body,
        }
    )


def _row(what: str, samples: list[float]) -> dict[str, object]:
    ordered = sorted(samples)
    p95 = ordered[round(0.95 * (len(ordered) - 1))]
    return {"what": what, "n": len(ordered), "p50 ms": statistics.median(ordered), "p95 ms": p95}


def _resident() -> float:
    """Memory of this process in MB."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1e3
    return float("nan")


if __name__ == "__main__":
    print(run(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000).as_text())
