"""Cutting an item into passages: along its headings, between sentences, each of a size to take in."""

from collections.abc import Iterator
from dataclasses import dataclass

from knowledge.item import Item, Passage
from knowledge.outline import lines, sections
from knowledge.text import sentences

# Raised when cutting changes, so that an index knows its passages are of an older cut.
VERSION = 1

_MOST = 350  # characters of a passage; only a single longer sentence exceeds it
_JOINED = 260  # joining stops here: a passage of too many matters is found for none of them
_TINY = 100  # a passage below this is joined to its neighbour under the same heading


@dataclass(frozen=True)
class _Piece:
    heading: tuple[str, ...]
    text: str
    last: tuple[str, ...]  # the heading path of its last part, longer than `heading` where parts were joined


def cut(item: Item) -> list[Passage]:
    """The passages of `item` in order: never empty, no sentence split, a bare heading is none."""
    pieces = [
        _Piece(section.heading, text, section.heading)
        for section in sections(item.body)
        for text in _pack(section.text)
    ]
    version = item.content_hash[:12]
    return [
        Passage(id=f"{item.id}:{version}:{number}", item_id=item.id, heading=piece.heading, text=piece.text)
        for number, piece in enumerate(_merge_tiny(pieces), start=1)
    ]


def _pack(text: str) -> Iterator[str]:
    """`text` in pieces of at most `_MOST` characters and about equal size."""
    units = [(unit, "" if n else "\n") for line in lines(text) for n, unit in enumerate(_units(line))]
    total = sum(len(unit) for unit, _ in units)
    if not total:
        return
    # Aiming at equal sizes keeps the last piece of a section from being a scrap.
    aim = total / -(-total // _MOST)
    packed = ""
    for unit, joint in units:
        longer = packed + joint + unit if packed else unit
        if packed and (len(longer) > _MOST or len(packed) >= aim):
            yield packed
            longer = unit
        packed = longer
    yield packed


def _units(line: str) -> list[str]:
    return [line] if len(line) <= _MOST else sentences(line)


def _merge_tiny(pieces: list[_Piece]) -> list[_Piece]:
    merged: list[_Piece] = []
    for piece in pieces:
        if merged and (joined := _joined(merged[-1], piece)) is not None:
            merged[-1] = joined
        else:
            merged.append(piece)
    return merged


def _joined(left: _Piece, right: _Piece) -> _Piece | None:
    """The two as one piece under the heading they share, or None when each should stand by itself."""
    if min(len(left.text), len(right.text)) >= _TINY:
        return None
    depth = _shared(left.heading, right.heading)
    if not depth and (left.heading or right.heading):
        return None
    # A title goes into the text where it leaves the heading, once for all that stands under it.
    titles = right.heading[max(depth, _shared(left.last, right.heading)) :]
    text = "\n".join((*left.heading[depth:], left.text, *titles, right.text))
    return _Piece(left.heading[:depth], text, right.heading) if len(text) <= _JOINED else None


def _shared(ours: tuple[str, ...], theirs: tuple[str, ...]) -> int:
    """How many titles two heading paths have in common from the outermost on."""
    depth = 0
    while depth < min(len(ours), len(theirs)) and ours[depth] == theirs[depth]:
        depth += 1
    return depth
