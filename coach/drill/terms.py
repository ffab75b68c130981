"""Terms: what the learner states about price, periods and shares, held against the fact sheet and their own word."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from coach.drill.scenario import Term
from coach.scoring import negation
from coach.scoring.quantity import find_quantities
from knowledge.text import fold

_TOLERANCE = 0.005
_NOT_A_CLAIM = re.compile(
    r"[?？]|如果|假如|要是|比如|举个例|您(?:刚才)?说|你(?:刚才)?说|听说|别人|别家|他们|对方|原来|以前|去年|至少|最多|以上|以下"
)


@dataclass(frozen=True)
class Stated:
    """A term as the learner stated it.

    Attributes:
        words: the number in the learner's own words. sentence: where it stands, verbatim.
        right: whether the fact sheet says so too; True where it says nothing.
    """

    term: str
    value: float
    words: str
    sentence: str
    right: bool


def stated(terms: Sequence[Term], figures: Mapping[str, float], sentences: Sequence[str]) -> list[Stated]:
    """What was stated about each term, at most once a term; a doubtful reading is no statement.

    A sentence that asks, supposes, quotes somebody else or names two values of the same kind claims nothing.
    """
    found: dict[str, Stated] = {}
    for sentence in sentences:
        text = fold(sentence)
        if _NOT_A_CLAIM.search(text):
            continue
        for term in terms:
            if term.id in found or not re.search(term.near, text):
                continue
            claims = [
                q for q in find_quantities(text) if q.unit == term.unit and not negation.denied_number(text, q.start)
            ]
            if len(claims) != 1 or negation.refused(text, claims[0].start, claims[0].end) or negation.guesses(text):
                continue
            claim = claims[0]
            right = [figures[v] if isinstance(v, str) else v for v in term.right]
            found[term.id] = Stated(
                term.id,
                claim.high,
                text[claim.start : claim.end].strip(),
                sentence,
                not right or any(claim.near(value, _TOLERANCE) for value in right),
            )
    return list(found.values())
