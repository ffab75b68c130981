"""Library files: one Markdown file an item, with its facts in YAML front matter."""

import re
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import ValidationError

from knowledge.item import Item, Kind

LIBRARY = Path(__file__).parent / "library"
FOLDERS: dict[str, Kind] = {f"{kind}s": kind for kind in get_args(Kind)}

_FRONT_MATTER = re.compile(r"\A\ufeff?---[ \t]*\r?\n(.*?)\r?\n---[ \t]*(?:\r?\n|\Z)(.*)\Z", re.DOTALL)


class LibraryError(ValueError):
    """A library file is not what it should be; the message names the file and what is wrong with it."""


def load_library(root: Path = LIBRARY) -> list[Item]:
    """Every item under `root`/{cases,lessons,regulations,templates}, in order of folder and file name.

    Raises LibraryError when a file is malformed, lies in the wrong folder, or repeats an id.
    """
    items: list[Item] = []
    seen: dict[str, Path] = {}
    for folder, kind in FOLDERS.items():
        for path in sorted((root / folder).glob("*.md")):
            item = load_item(path)
            if item.kind != kind:
                raise LibraryError(f"{path}: kind is {item.kind!r}, but this folder holds {kind!r}")
            if item.id in seen:
                raise LibraryError(f"{path}: id {item.id!r} is already taken by {seen[item.id]}")
            seen[item.id] = path
            items.append(item)
    return items


def load_item(path: Path) -> Item:
    """The item in one Markdown file with front matter. Raises LibraryError naming the file and the field."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise LibraryError(f"{path}: cannot be read as UTF-8 text ({error})") from error
    match = _FRONT_MATTER.match(text)
    if match is None:
        raise LibraryError(f"{path}: must start with front matter between two lines of ---")
    fields = _fields(path, match.group(1))
    if "body" in fields:
        raise LibraryError(f"{path}: body: belongs below the front matter, not in it")
    try:
        return Item.model_validate({**fields, "body": match.group(2).strip()})
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise LibraryError(f"{path}: {problems}") from error


def as_markdown(item: Item) -> str:
    """The library file of an item: what `load_item` reads back as the same item."""
    facts = item.model_dump(mode="json", exclude_defaults=True, exclude={"body", "file", "file_hash"})
    front = yaml.safe_dump({"id": item.id, "kind": item.kind, **facts}, allow_unicode=True, sort_keys=False, width=1000)
    return f"---\n{front}---\n{item.body}\n"


def _fields(path: Path, front_matter: str) -> dict[str, Any]:
    try:
        fields = yaml.safe_load(front_matter)
    except yaml.YAMLError as error:
        raise LibraryError(f"{path}: front matter is not valid YAML ({error})") from error
    if not isinstance(fields, dict):
        raise LibraryError(f"{path}: front matter must be a list of `key: value` lines")
    return fields
