"""The vocabularies of the library: skills and industries, each one YAML file."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from knowledge.item import Id, Role
from knowledge.shipped import LIBRARY, LibraryError


class Industry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Id
    title: str = Field(min_length=1)
    title_en: str = Field(min_length=1)


class Levels(BaseModel):
    """What can be seen of somebody at each tier."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    junior: str = Field(min_length=1)
    middle: str = Field(min_length=1)
    senior: str = Field(min_length=1)


class Skill(BaseModel):
    """Something people grow in.

    Attributes:
        needs: skills that should come before it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Id
    title: str = Field(min_length=1)
    title_en: str = Field(min_length=1)
    role: Role
    needs: tuple[str, ...] = ()
    definition: str = Field(min_length=1)
    levels: Levels


Entry = TypeVar("Entry", Industry, Skill)


@lru_cache(maxsize=1)
def skills() -> Mapping[str, Skill]:
    """The shipped skills by id, each after those it needs."""
    return in_order(_read(LIBRARY / "skills.yaml", Skill))


@lru_cache(maxsize=1)
def industries() -> Mapping[str, Industry]:
    """The shipped industries by id."""
    return _read(LIBRARY / "industries.yaml", Industry)


def in_order(found: Mapping[str, Skill]) -> Mapping[str, Skill]:
    """The same skills, each after those it needs. Raises LibraryError when one is missing or needs itself."""
    from graphlib import CycleError, TopologicalSorter

    for skill in found.values():
        if unknown := set(skill.needs) - set(found):
            raise LibraryError(f"skills.yaml: {skill.id} needs {', '.join(sorted(unknown))}, which is not there")
    try:
        order = TopologicalSorter({skill.id: skill.needs for skill in found.values()}).static_order()
        return {name: found[name] for name in order}
    except CycleError as error:
        raise LibraryError(f"skills.yaml: skills need each other in a circle: {', '.join(error.args[1])}") from error


def _read(path: Path, model: type[Entry]) -> dict[str, Entry]:
    rows: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    try:
        entries = [model.model_validate(row) for row in rows]
    except ValidationError as error:
        first = error.errors()[0]
        raise LibraryError(f"{path.name}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    found = {entry.id: entry for entry in entries}
    if len(found) != len(entries):
        raise LibraryError(f"{path.name}: an id is given twice")
    return found
