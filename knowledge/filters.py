"""Which items a search looks at: one filter, as SQL for the words and as Chroma's metadata for the vectors."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from knowledge.item import Item, Kind, Role, Tier


@dataclass(frozen=True)
class Filter:
    """What is searched: items that fit every field given. A role also takes what is for all ("common").

    With an item of `exclude` go the near-copies that it stands for.
    """

    role: Role | None = None
    kind: Kind | None = None
    industry: str | None = None
    tier: Tier | None = None
    skill: str | None = None
    year: int | None = None
    exclude: Collection[str] = ()

    def as_sql(self) -> tuple[str, dict[str, object]]:
        """A condition on `item i` and its values; the condition is empty when everything fits."""
        wanted = {name: getattr(self, name) for name in ("kind", "industry", "tier", "year")}
        values: dict[str, object] = {name: value for name, value in wanted.items() if value is not None}
        parts = [f"i.{name} = :{name}" for name in values]
        if self.role is not None:
            parts.append("i.role IN (:role, 'common')")
            values["role"] = self.role
        if self.skill is not None:
            parts.append("EXISTS (SELECT 1 FROM json_each(i.skills) WHERE value = :skill)")
            values["skill"] = self.skill
        if self.exclude:
            parts.append("i.id NOT IN (SELECT value FROM json_each(:exclude))")
            values["exclude"] = json.dumps(sorted(self.exclude))
        return " AND ".join(parts), values

    def as_where(self) -> dict[str, Any] | None:
        """The same for Chroma's metadata."""
        parts: list[dict[str, Any]] = [
            {name: value} for name in ("kind", "industry", "tier", "year") if (value := getattr(self, name)) is not None
        ]
        if self.role is not None:
            parts.append({"role": {"$in": [self.role, "common"]}})
        if self.skill is not None:
            parts.append({f"skill {self.skill}": True})
        if self.exclude:
            parts.append({"item": {"$nin": sorted(self.exclude)}})
        return None if not parts else parts[0] if len(parts) == 1 else {"$and": parts}


def facets(item: Item) -> str:
    """All of an item that a filter looks at: items of equal facets pass the same filters."""
    return json.dumps([item.kind, item.role, item.industry, item.tier, item.year, sorted(item.skills)])


def metadata(row: Mapping[str, Any]) -> dict[str, Any]:
    """The same for Chroma, from a row of the item table; it knows no lists, so a skill is a flag."""
    facts = {name: row[name] for name in ("kind", "role", "industry", "tier")} | {"item": row["id"]}
    if row["year"] is not None:
        facts["year"] = row["year"]
    return facts | {f"skill {skill}": True for skill in json.loads(row["skills"])}
