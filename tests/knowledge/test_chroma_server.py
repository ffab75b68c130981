"""The same code on a Chroma server: a real one, started for the test on a loopback port."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fixtures_knowledge import BigramEmbeddings

from knowledge.index import Index
from knowledge.item import Item
from knowledge.search import search


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    chroma = Path(sys.executable).parent / "chroma"
    command = [str(chroma), "run", "--path", str(tmp_path_factory.mktemp("chroma")), "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        url = f"http://127.0.0.1:{port}"
        while True:
            try:
                httpx.get(f"{url}/api/v2/heartbeat", timeout=5).raise_for_status()
                break
            except httpx.HTTPError:
                assert process.poll() is None, "the Chroma server did not start"
        yield url
        process.terminate()


def test_items_are_kept_found_and_removed(
    tmp_path: Path, server: str, objection: Item, apology: Item, embeddings: BigramEmbeddings
) -> None:
    index = Index(tmp_path / "one", embeddings, server)
    index.put(objection)
    index.put(apology)
    assert search(index, "太贵是和谁比").hits[0].id == "lesson-objection"
    assert not (tmp_path / "one" / "chroma").exists()
    index.remove("lesson-objection")
    assert {hit.id for hit in search(index, "太贵是和谁比", 50).hits} == {"case-apology"}
    index.close()


def test_two_installations_on_one_server_keep_apart(
    tmp_path: Path, server: str, objection: Item, apology: Item, embeddings: BigramEmbeddings
) -> None:
    ours, theirs = Index(tmp_path / "ours", embeddings, server), Index(tmp_path / "theirs", embeddings, server)
    ours.put(objection)
    theirs.put(apology)
    assert {hit.id for hit in search(ours, "道歉", 50).hits} == {"lesson-objection"}
    assert ours._vectors.count() == ours.count()
    # What a server lost is written again.
    ours._vectors.clear()
    ours.close()
    again = Index(tmp_path / "ours", embeddings, server)
    assert search(again, "太贵是和谁比").hits[0].id == "lesson-objection"
    assert again._vectors.count() == again.count()
    again.close()
    theirs.close()
