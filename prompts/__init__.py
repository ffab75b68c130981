"""Prompts: one Markdown file each, with front matter that names its inputs; pinned by content hash."""

from __future__ import annotations

import functools
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from string import Template

import yaml

_FOLDER = Path(__file__).parent
_FRONT_MATTER = re.compile(r"\A---\n(.*?)\n---\n(.*)\Z", re.S)


@dataclass(frozen=True)
class Prompt:
    """A prompt text with `$name` places for its inputs.

    Attributes:
        hash: first 16 hex digits of the SHA-256 of the file.
    """

    id: str
    version: int
    inputs: frozenset[str]
    text: str
    hash: str

    def messages(self, **values: str) -> list[tuple[str, str]]:
        """The prompt as (role, text) messages: the system's, then user and assistant in turn, parted by `===` lines.

        Raises:
            ValueError: an input is missing or not one of the prompt's.
        """
        if set(values) != self.inputs:
            raise ValueError(f"prompt {self.id} takes {sorted(self.inputs)}, got {sorted(values)}")
        parts = [Template(part).substitute(values).strip() for part in self.text.split("\n===\n")]
        roles = ["system", *("user" if i % 2 == 0 else "assistant" for i in range(len(parts) - 1))]
        return list(zip(roles, parts, strict=True))


@functools.cache
def load(name: str) -> Prompt:
    """The prompt in `prompts/<name>.md`.

    Raises:
        ValueError: no such prompt, or its front matter and text do not agree.
    """
    path = _FOLDER / f"{name}.md"
    if not path.is_file():
        raise ValueError(f"no prompt named {name!r}; there are {', '.join(names())}")
    raw = path.read_text(encoding="utf-8")
    match = _FRONT_MATTER.match(raw)
    if match is None:
        raise ValueError(f"{path.name}: no front matter")
    head, text = yaml.safe_load(match[1]), match[2].strip()
    prompt = Prompt(
        id=head["id"],
        version=int(head["version"]),
        inputs=frozenset(head["inputs"]),
        text=text,
        hash=hashlib.sha256(raw.encode()).hexdigest()[:16],
    )
    if prompt.id != name or set(Template(text).get_identifiers()) != prompt.inputs:
        raise ValueError(f"{path.name}: id or inputs differ from the file's name or text")
    return prompt


def names() -> list[str]:
    """Names of all prompts."""
    return sorted(p.stem for p in _FOLDER.glob("*.md"))
