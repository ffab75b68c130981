"""kill -9 in the middle of an ingest: every item is the old or the new one, and the next run finishes the work."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from fixtures_knowledge import BigramEmbeddings
from sqlalchemy import create_engine

from knowledge.index import Index
from knowledge.ingest import Ingest
from knowledge.ledger import Ledger, metadata
from knowledge.library import Library

FILES = 12

PROGRAM = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from test_killed import opened
from knowledge.ingest import Ingest
home, docs = Path(sys.argv[2]), Path(sys.argv[3])
with opened(home) as library:
    Ingest(library, "tester", "lesson").paths([docs], lambda path, n, of: print(n, flush=True))
print("done", flush=True)
"""


@contextmanager
def opened(home: Path) -> Iterator[Library]:
    home.mkdir(exist_ok=True)
    engine = create_engine(f"sqlite:///{home / 'ledger.db'}")
    metadata.create_all(engine)
    library = Library(Ledger(engine), Index(home / "index", BigramEmbeddings()))
    yield library
    library.index.close()
    engine.dispose()


def edition(docs: Path, words: str) -> None:
    docs.mkdir(exist_ok=True)
    for n in range(FILES):
        # Forty sections a file, so that writing one takes a while.
        text = "\n".join(f"## 第{n}部第{m}节\n{words}，编号{n}乘{m}的规则，先核对单号，再登记。" * 3 for m in range(40))
        (docs / f"manual-{n:02}.md").write_text(f"# 手册{n}\n{text}", encoding="utf-8")


@pytest.mark.parametrize("after", [1, 9])
def test_an_ingest_killed_anywhere_leaves_old_or_new(tmp_path: Path, after: int) -> None:
    home, docs = tmp_path / "home", tmp_path / "docs"
    edition(docs, "旧版流程")
    with opened(home) as library:
        Ingest(library, "tester", "lesson").paths([docs])
    edition(docs, "新版办法")
    command = [sys.executable, "-c", PROGRAM, str(Path(__file__).parent), str(home), str(docs)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.strip() == str(after):
                # File number `after` is being taken in right now.
                process.send_signal(signal.SIGKILL)
                break
        process.wait(30)
    assert process.returncode == -signal.SIGKILL
    with opened(home) as library:
        library.follow()
        assert library.verify() == []
        new = [item.id for item in library.index.items() if "新版办法" in item.body]
        assert len(library.index.items()) == FILES
        assert after - 1 <= len(new) <= after + 1
        for item in library.index.items():
            assert ("新版办法" in item.body) != ("旧版流程" in item.body)
        found = library.search("新版办法 先核对单号", 10).hits
        assert {hit.id for hit in found if "新版办法" in hit.passage} <= set(new)
        assert library.index._vectors.count() == library.index.shown()
        report = Ingest(library, "tester", "lesson").paths([docs])
        assert report.refused == []
        assert all("新版办法" in item.body for item in library.index.items())
        assert library.verify() == []
