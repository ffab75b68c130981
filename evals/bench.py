"""Latency on this machine: start-up, turns, scorecard, search. Run by `make bench`; tests never measure time."""

from __future__ import annotations

import functools
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from coach.compose import Whetstone
from coach.settings import Settings
from evals import Report
from evals.scripts import play_script, turns

_HEADERS = {"Authorization": "Bearer demo-learner"}


def run() -> Report:
    """Every measurement, as one table in milliseconds."""
    rows: list[dict[str, object]] = []

    def row(what: str, samples: list[float]) -> None:
        ordered = sorted(samples)
        p95 = ordered[min(len(ordered) - 1, round(0.95 * (len(ordered) - 1)))]
        rows.append({"what": what, "n": len(ordered), "p50 ms": statistics.median(ordered), "p95 ms": p95})

    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        for name in ("first start to first page", "second start to first page"):
            with _served(home) as (client, began):
                client.get("/").raise_for_status()
                row(name, [_since(began)])
                while client.get("/readyz").status_code != 200:
                    pass
                row(name.replace("first page", "ready"), [_since(began)])
                if name.startswith("second"):
                    samples, memory = _turns(client)
                    row("turn over HTTP", samples)
        coach = Whetstone(Settings(home=home, llm_model=""))
        coach.warm()
        drill, _ = play_script(coach, "sales-bakery-price", "good")
        row("scorecard with readings", _timed(lambda: coach.score(drill), 20))
        queries = ["客户异议怎么处理", "样本量怎么计算", "超出政策的退款怎么谈", "让愤怒的客户平静下来", "七日退货"]
        coach.library.search("热身")
        row("search", [t for q in queries for t in _timed(functools.partial(coach.library.search, q), 20)])
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    return Report("bench", machine, rows, summary={"server memory MB": memory})


def _since(began: float) -> float:
    return (time.perf_counter() - began) * 1000


def _timed(action: Callable[[], object], times: int) -> list[float]:
    samples = []
    for _ in range(times):
        began = time.perf_counter()
        action()
        samples.append(_since(began))
    return samples


def _turns(client: httpx.Client) -> tuple[list[float], int]:
    """Milliseconds of each turn of ten scripted drills, and the server's resident memory in MB afterwards."""
    samples = []
    for seed in range(10):
        drill = client.post("/api/v1/drills", json={"scenario": "sales-bakery-price", "seed": seed}).json()
        for number, text in enumerate(turns("sales-bakery-price", "good"), 1):
            began = time.perf_counter()
            path = f"/api/v1/drills/{drill['id']}/turns"
            client.post(path, json={"number": number, "text": text}).raise_for_status()
            samples.append(_since(began))
    measured = client.get("/metrics").text
    memory = next(line for line in measured.splitlines() if line.startswith("process_resident_memory_bytes"))
    return samples, round(float(memory.split()[1]) / 1e6)


@contextmanager
def _served(home: Path) -> Iterator[tuple[httpx.Client, float]]:
    port = 8765
    env = {k: v for k, v in os.environ.items() if not k.startswith("WHETSTONE_")} | {"WHETSTONE_HOME": str(home)}
    began = time.perf_counter()
    command = [str(Path(sys.executable).parent / "whetstone"), "serve", "--demo", "--port", str(port)]
    process = subprocess.Popen(command, env=env, stderr=subprocess.DEVNULL)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=_HEADERS, timeout=60) as client:
            while True:
                try:
                    client.get("/healthz")
                    break
                except httpx.ConnectError:
                    if process.poll() is not None:
                        raise RuntimeError(f"the server did not start; is port {port} in use?") from None
            yield client, began
    finally:
        process.terminate()
        process.wait(30)


if __name__ == "__main__":
    print(run().as_text())
