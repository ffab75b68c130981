"""Transcripts from outside: reading and checking what other tools hand in to be scored."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

MOST_TURNS = 1000
MOST_CHARACTERS = 20_000


class Line(BaseModel):
    model_config = ConfigDict(extra="ignore")

    speaker: Literal["learner", "customer"]
    text: str = Field(max_length=MOST_CHARACTERS)


class Transcript(BaseModel):
    """A conversation. `scenario` gives the figures its numbers are compared with, where it names one."""

    model_config = ConfigDict(extra="ignore")

    scenario: str | None = None
    turns: list[Line] = Field(min_length=1, max_length=MOST_TURNS)

    def said(self) -> list[tuple[str, str]]:
        return [(line.speaker, line.text) for line in self.turns]


class TranscriptError(ValueError):
    """A transcript cannot be read; names the file, the line and the field."""


def read(path: Path) -> list[Transcript]:
    """The transcript of a .json file, or those of a .jsonl file, one a line.

    Raises:
        TranscriptError: nothing is returned when any of them cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise TranscriptError(f"{path}: cannot be read as UTF-8 text: {error}") from error
    if path.suffix != ".jsonl":
        return [_parse(text, str(path))]
    lines = [(n, line) for n, line in enumerate(text.splitlines(), 1) if line.strip()]
    if not lines:
        raise TranscriptError(f"{path}: is empty")
    return [_parse(line, f"{path} line {n}") for n, line in lines]


def _parse(text: str, where: str) -> Transcript:
    try:
        return Transcript.model_validate(json.loads(text))
    except (json.JSONDecodeError, RecursionError) as error:
        raise TranscriptError(f"{where}: is not JSON: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise TranscriptError(f"{where}: {field}: {first['msg']}") from error
