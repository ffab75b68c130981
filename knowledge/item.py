"""What the library holds: items, and the passages they are cut into."""

import hashlib
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Kind = Literal["case", "lesson", "regulation", "template"]
Role = Literal["sales", "support", "operations", "common"]
Tier = Literal["junior", "middle", "senior"]
Language = Literal["zh", "en"]
Tag = Literal["kind", "role", "industry", "tier", "skills"]
Id = Annotated[str, Field(min_length=1, max_length=160, pattern=r"^[a-z0-9][a-z0-9._-]*$")]


class Item(BaseModel):
    """One case, lesson, regulation or template with the whole of its text.

    Attributes:
        industry: an id of industries.yaml, or words of one's own. skills: ids of skills.yaml.
        checks: ids of the behaviours it shows or teaches. related: ids of items that go with it.
        minutes: reading time. year: the year the content speaks of.
        source: where it came from (a file name, a publication).
        file: name of the file it was read from, empty for what ships; file_hash: SHA-256 over it and how it was read.
        body: Markdown in the author's script.
        proposed: tags a program proposed and no person has confirmed yet.
        status: a draft is kept, and found by nobody until a trainer publishes it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Id
    kind: Kind
    title: str = Field(min_length=1, max_length=300)
    title_en: str | None = None
    role: Role = "common"
    industry: str = Field(default="general", min_length=1, max_length=60)
    tier: Tier = "junior"
    skills: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    related: tuple[str, ...] = ()
    minutes: int | None = Field(default=None, ge=1)
    language: Language = "zh"
    year: int | None = Field(default=None, ge=1900, le=2100)
    source: str
    file: str = ""
    file_hash: str = ""
    body: str = Field(min_length=1)
    proposed: tuple[Tag, ...] = ()
    status: Literal["draft", "published"] = "published"

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
