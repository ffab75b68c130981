"""The pages' languages and their words: one YAML file a language, the same keys in each."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path

import yaml
from fastapi import Request

LANGUAGES = ("zh", "en")
COOKIE = "whetstone_lang"
_STRINGS = Path(__file__).parent / "strings"


@functools.cache
def strings(lang: str) -> Mapping[str, str]:
    """Every text of the pages in one language, by key."""
    found: dict[str, str] = yaml.safe_load((_STRINGS / f"{lang}.yaml").read_text(encoding="utf-8"))
    return found


def asked(request: Request) -> str | None:
    """The language this very request asks for, if any."""
    lang = request.query_params.get("lang")
    return lang if lang in LANGUAGES else None


def of(request: Request) -> str:
    """The language to answer in: what is asked for, else what was asked for before, else Chinese."""
    kept = request.cookies.get(COOKIE)
    return asked(request) or (kept if kept in LANGUAGES else None) or LANGUAGES[0]
