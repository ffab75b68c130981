"""What is installed, reachable and configured."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from coach.compose import Whetstone
from coach.llm import local


@dataclass(frozen=True)
class Finding:
    part: str
    ok: bool
    detail: str


def examine(coach: Whetstone) -> list[Finding]:
    """One finding a part. What is merely not configured is no failure."""
    return [
        _python(),
        _home(coach),
        _database(coach),
        _catalogue(coach),
        _library(coach),
        _encoder(),
        _endpoint(coach),
        _local_model(),
        _tokens(),
    ]


def _python() -> Finding:
    names = ("whetstone", "fastapi", "chromadb", "langchain", "openai", "tiktoken")
    found = []
    missing = []
    for name in names:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    detail = f"{sys.version.split()[0]}; " + ", ".join(found)
    return Finding("python", not missing, detail + (f"; missing {', '.join(missing)}" if missing else ""))


def _home(coach: Whetstone) -> Finding:
    home = coach.settings.home
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        return Finding("home", False, f"{home}: {error.strerror}")
    return Finding("home", os.access(home, os.W_OK), str(home))


def _database(coach: Whetstone) -> Finding:
    try:
        with coach.engine.connect() as connection:
            return Finding("database", True, f"{connection.dialect.name}, schema up to date")
    except Exception as error:
        return Finding("database", False, f"{type(error).__name__}: {str(error).splitlines()[0]}")


def _catalogue(coach: Whetstone) -> Finding:
    try:
        c = coach.catalogue
    except ValueError as error:
        return Finding("catalogue", False, str(error))
    return Finding("catalogue", True, f"{len(c.scenarios)} scenarios, {len(c.rubrics)} rubrics, {len(c.checks)} checks")


def _library(coach: Whetstone) -> Finding:
    try:
        library = coach.build_library()
        found = library.search("客户异议怎么处理", k=1)
    except Exception as error:
        return Finding("library", False, f"{type(error).__name__}: {str(error).splitlines()[0]}")
    kind = f"Chroma at {coach.settings.chroma_url}" if coach.settings.chroma_url else "embedded Chroma"
    model = coach.settings.embed_model or "multilingual-e5-small (built in)"
    size = f"{library.index.count()} passages of {len(library.index.versions())} items"
    return Finding("library", bool(found.hits), f"{size}, ledger at {library.ledger.head().number}, {kind}, {model}")


def _encoder() -> Finding:
    from coach.scoring import learned, meaning

    weights = learned.load()
    taught = f", learned ({len(weights.checks)} checks)" if weights else ""
    return Finding("judges", True, f"pattern, number, semantic{taught} (encoder {meaning.fingerprint()})")


def _endpoint(coach: Whetstone) -> Finding:
    if coach.gateway is None or coach.endpoint is None:
        return Finding("chat model", True, "none configured: authored lines are the voice")
    wrong = coach.gateway.check()
    return Finding(
        "chat model", wrong is None, f"{coach.endpoint.model} at {coach.endpoint.host}: {wrong or 'answers'}"
    )


def _local_model() -> Finding:
    there = local.installed()
    names = ", ".join(m.name for m in there) or "not installed (make model)"
    return Finding("local model", True, f"{names}; cache {local.default_cache()}")


def _tokens() -> Finding:
    from coach.llm import tokens

    return Finding("tokens", tokens.count("你好") > 0, "tiktoken with its tables on disk")
