"""Proposing the tags a document does not give: what the tagged passages nearest to it are filed under.

A proposal is marked as one (`Item.proposed`) until a person confirms it.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from knowledge.filters import Filter
from knowledge.item import Item, Tag

if TYPE_CHECKING:
    from knowledge.index import Index, Prepared

_NEIGHBOURS = 8  # tagged passages asked for each passage of the document
_LOOKED_AT = 12  # passages of the document, spread over it
_MOST_SKILLS = 3
_SKILL_SHARE = 0.25  # of all votes, from which a skill is proposed


def propose(index: "Index", ready: "Prepared") -> Item:
    """The item with a proposal for each tag its `proposed` names; where nothing near is tagged, as it was."""
    item = ready.item
    if not item.proposed or not len(ready.vectors):
        return item
    votes = _votes(index, ready)
    found: dict[str, Any] = {}
    for tag in item.proposed:
        if not votes[tag]:
            continue
        if tag == "skills":
            total = sum(votes["role"].values()) or 1.0
            first, *rest = _ranked(votes[tag])[:_MOST_SKILLS]
            found[tag] = (first, *(skill for skill in rest if votes[tag][skill] >= _SKILL_SHARE * total))
        else:
            found[tag] = _ranked(votes[tag])[0]
    return item.model_copy(update=found)


def _ranked(votes: Mapping[str, float]) -> list[str]:
    return sorted(votes, key=lambda value: (-votes[value], value))


def _votes(index: "Index", ready: "Prepared") -> Mapping[Tag, defaultdict[str, float]]:
    votes: dict[Tag, defaultdict[str, float]] = {tag: defaultdict(float) for tag in get_args(Tag)}
    step = max(1, len(ready.vectors) // _LOOKED_AT)
    for vector in ready.vectors[::step]:
        query = np.asarray(vector, dtype=np.float64).tolist()
        places = index.nearest(query, Filter(exclude=[ready.item.id]), _NEIGHBOURS)
        stored = index.passages(places)
        for place, near in zip(places, _weights(index.similarities(query, places)), strict=True):
            tagged = stored[place].item
            for tag, counted in votes.items():
                if tag not in tagged.proposed:
                    value = getattr(tagged, tag)
                    for one in value if tag == "skills" else [value]:
                        counted[one] += near
    return votes


def _weights(similarities: Sequence[float] | Any) -> list[float]:
    """Votes of neighbours: similarities lie close together, so it is their ranks that count."""
    return [1.0 / (rank + 1) for rank in range(len(similarities))]
