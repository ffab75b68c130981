"""What the library holds: items, and the passages they are cut into."""

import hashlib
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Kind = Literal["case", "lesson", "regulation", "template"]
Role = Literal["sales", "support", "operations", "common"]
Tier = Literal["junior", "middle", "senior"]
Language = Literal["zh", "en"]


class Item(BaseModel):
    """One case, lesson, regulation or template with the whole of its text.

    `source` says where it came from (a file name, a publication); `body` is Markdown in the author's script;
    `minutes` is the reading time and `year` the year the content speaks of.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(min_length=1, pattern=r"^[a-z0-9][a-z0-9._-]*$")
    kind: Kind
    title: str = Field(min_length=1)
    title_en: str | None = None
    role: Role = "common"
    industry: str = "general"
    tier: Tier = "junior"
    skills: tuple[str, ...] = ()
    minutes: int | None = Field(default=None, ge=1)
    language: Language = "zh"
    year: int | None = Field(default=None, ge=1900, le=2100)
    source: str
    body: str = Field(min_length=1)

    @property
    def content_hash(self) -> str:
        """SHA-256 over every field, so that a change of a title or a role counts as a change."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


class Passage(BaseModel):
    """A stretch of an item that can be shown by itself; `heading` is its path of titles, outermost first."""

    model_config = ConfigDict(frozen=True)

    id: str
    item_id: str
    heading: tuple[str, ...]
    text: str
