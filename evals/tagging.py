"""Proposed tags: every shipped item's tags are taken away, proposed from the others, and held against the true ones."""

from __future__ import annotations

from collections import Counter
from typing import get_args

from coach.compose import Whetstone
from evals import Report
from knowledge import tags
from knowledge.item import Tag
from knowledge.shipped import load_library


def run(coach: Whetstone) -> Report:
    """Share of items whose proposed tag is the true one; for skills, whose first proposal is among the true ones."""
    index = coach.build_library().index
    items = load_library()
    right: Counter[Tag] = Counter()
    commonest = {
        tag: Counter(_first(getattr(item, tag)) for item in items).most_common(1)[0][1] for tag in get_args(Tag)
    }
    for item in items:
        bare = item.model_copy(update={"proposed": get_args(Tag)})
        proposed = tags.propose(index, index.prepare([bare])[0])
        for tag in get_args(Tag):
            said, true = getattr(proposed, tag), getattr(item, tag)
            right[tag] += said[0] in true if tag == "skills" else said == true
    rows = [
        {
            "tag": tag,
            "items": len(items),
            "right": right[tag] / len(items),
            "always the commonest": commonest[tag] / len(items),
        }
        for tag in get_args(Tag)
    ]
    return Report("tagging", "the shipped items, each proposed from all others", rows)


def _first(value: object) -> object:
    return value[0] if isinstance(value, tuple) else value
