"""A node and what goes with it as a small SVG: abilities on the left, content on the right, lines between.

Text only: no script, no style, no handler; every stroke is `currentColor` unless the style sheet says otherwise, so it
shows in the dark as well. Sizes are in units of the view box. At 360 pixels a unit is 0.56 pixels: a text of 20 units
is then 11 pixels high, and a row of 52 is a target of 29.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from markupsafe import Markup

from knowledge.graph import ABILITIES, CONTENT, Edge, Graph, Node, NodeKind

WIDTH = 640
FONT = 20
ROW = 52
_ROWS = 6
_TOP = 72  # the title's two lines
_LEAST = 160  # below this a hub with few lines looks torn off
_MARGIN = 6
_MARKS = (266, 374)  # across, the middle of the marks on the left and on the right
_MARK = 12  # from the middle of a mark to where lines end
_HUB = 10
_LABEL = _MARKS[0] - 2 * _MARK + 4 - _MARGIN  # room for a label beside a mark
_WIDE, _CAPITAL, _NARROW = 1.0, 0.72, 0.58  # widths of characters in ems, on the safe side of usual fonts

_SHAPES: Mapping[NodeKind, str] = {
    "skill": "M-9 0a9 9 0 1 0 18 0a9 9 0 1 0-18 0z",
    "check": "M0-10L10 0L0 10L-10 0z",
    "lesson": "M-8-8H8V8H-8z",
    "case": "M-9-9H9V5H2L-4 11V5H-9z",
    "regulation": "M-8-9H8V2L0 10L-8 2z",
    "template": "M-7-10H7V10H-7zM-3-4H3M-3 0H3M-3 4H3",
    "scenario": "M-6-10L10 0L-6 10z",
    "role": "M-5-9H5L10 0L5 9H-5L-10 0z",
    "industry": "M-9 9V-1L0-9L9-1V9z",
}
_KINDS: Mapping[NodeKind, tuple[str, str]] = {
    "skill": ("技能", "Skill"),
    "check": ("行为", "Behaviour"),
    "lesson": ("课程", "Lesson"),
    "case": ("案例", "Case"),
    "regulation": ("法规", "Regulation"),
    "template": ("模板", "Template"),
    "scenario": ("演练", "Drill"),
    "role": ("岗位", "Role"),
    "industry": ("行业", "Industry"),
}


@dataclass(frozen=True)
class _Place:
    """A node beside the hub, with the middle of its mark."""

    node: Node
    x: int
    y: int

    @property
    def inner(self) -> int:
        """Where lines end: the side of the mark that looks to the hub."""
        return self.x + _MARK if self.x < WIDTH // 2 else self.x - _MARK


def draw(graph: Graph, node_id: str, language: str, link: Callable[[Node], str | None]) -> Markup:
    """The node in the middle and up to twelve that go with it, each a link where `link` has an address for it.

    Solid lines are links the library names; a dashed one leads to what only shares neighbours with the node. Links
    inside an image are hidden from who listens to the page, so the whole is a group, and only the lines are an image.

    Raises:
        NotInGraph: there is no node of that id.
    """
    seen = graph.neighbourhood(node_id, 2 * _ROWS)
    sides = [_ordered(seen.nodes, ABILITIES), _ordered(seen.nodes, CONTENT)]
    height = max(_LEAST, ROW * max(map(len, sides))) + _TOP + _MARGIN
    hub = (height - _MARGIN + _TOP) // 2
    places = {
        node.id: _Place(node, x, hub + ROW * row - ROW * (len(side) - 1) // 2)
        for side, x in zip(sides, _MARKS, strict=True)
        for row, node in enumerate(side)
    }
    described = _described(sides, language)
    return Markup(
        '<svg class="graph" role="group" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg" '
        'aria-labelledby="graph-title" font-size="{font}">'
        '<title id="graph-title">{title}</title><desc id="graph-desc">{described}</desc>'
        '<g class="graph-lines" role="img" aria-labelledby="graph-desc" fill="none" stroke="currentColor">{lines}</g>'
        "{centre}{others}</svg>"
    ).format(
        width=WIDTH,
        height=height,
        font=FONT,
        title=_said(seen.centre, language),
        described=described,
        lines=_lines(seen.centre, seen.edges, places, hub),
        centre=_centre(seen.centre, language, hub),
        others=Markup("").join(_entry(place, language, link(place.node)) for place in places.values()),
    )


def fitted(text: str, room: float) -> str:
    """`text` on one line, cut with … where it is wider than `room` units; a Chinese character is as wide as high."""
    line = _clean(text)
    if _width(line) <= room:
        return line
    while line and _width(line + "…") > room:
        line = line[:-1]
    return line.rstrip() + "…"


def _width(text: str) -> float:
    return FONT * sum(map(_ems, text))


def _ems(char: str) -> float:
    if unicodedata.combining(char):
        return 0
    if unicodedata.east_asian_width(char) in "WFA":
        return _WIDE
    return _CAPITAL if char.isupper() or char in "mw%@&" else _NARROW


def _ordered(nodes: Sequence[Node], kinds: Sequence[NodeKind]) -> list[Node]:
    """Those of these kinds, kind by kind; within one as they came, nearest first."""
    return [node for kind in kinds for node in nodes if node.kind == kind]


def _lines(centre: Node, edges: Sequence[Edge], places: Mapping[str, _Place], hub: int) -> Markup:
    middle = WIDTH // 2
    linked = {end for edge in edges if centre.id in (edge.source, edge.target) for end in (edge.source, edge.target)}
    spokes = [
        (
            "graph-link" if place.node.id in linked else "graph-alike",
            f"M{middle} {hub}Q{middle} {place.y} {place.inner} {place.y}",
        )
        for place in places.values()
    ]
    among = []
    for edge in edges:
        if edge.source in places and edge.target in places:
            one, other = places[edge.source], places[edge.target]
            bend = middle if one.x != other.x else one.inner + (24 if one.x < middle else -24)
            among.append(
                ("graph-among", f"M{one.inner} {one.y}C{bend} {one.y} {bend} {other.y} {other.inner} {other.y}")
            )
    looks = {
        "graph-among": Markup(' opacity="0.35"'),
        "graph-alike": Markup(' stroke-dasharray="4 5" opacity="0.7"'),
        "graph-link": Markup(' stroke-width="2"'),
    }
    return Markup("").join(
        Markup('<path class="{}"{} d="{}"/>').format(name, looks[name], d) for name, d in chain(among, spokes)
    )


def _centre(node: Node, language: str, hub: int) -> Markup:
    middle = WIDTH // 2
    return Markup(
        '<g class="graph-centre"><text class="graph-kind" x="{x}" y="24" text-anchor="middle" fill="currentColor">'
        '{kind}</text><text class="graph-name" x="{x}" y="50" text-anchor="middle" font-weight="600" '
        'fill="currentColor">{title}</text>'
        '<circle class="graph-hub" cx="{x}" cy="{y}" r="{r}" fill="currentColor"/></g>'
    ).format(
        x=middle,
        y=hub,
        r=_HUB,
        kind=_kind(node, language),
        title=fitted(_title(node, language), WIDTH - 4 * FONT),  # bold letters are wider
    )


def _entry(place: _Place, language: str, href: str | None) -> Markup:
    node, left = place.node, place.x < WIDTH // 2
    inside = Markup(
        '<title>{said}</title><rect class="graph-row" x="{row_x}" y="{row_y}" width="{row_width}" height="{row}" '
        'fill="none" pointer-events="all"/>'
        '<path class="graph-mark graph-mark-{kind}" transform="translate({x} {y})" fill="none" stroke="currentColor" '
        'stroke-width="2" d="{shape}"/>'
        '<g text-anchor="{anchor}" fill="currentColor">'
        '<text class="graph-kind" x="{text_x}" y="{above}">{kind_name}</text>'
        '<text class="graph-label" x="{text_x}" y="{below}">{label}</text></g>'
    ).format(
        said=_said(node, language),
        row_x=0 if left else place.x - _MARK,
        row_y=place.y - ROW // 2,
        row_width=place.x + _MARK if left else WIDTH - place.x + _MARK,
        row=ROW,
        kind=node.kind,
        x=place.x,
        y=place.y,
        shape=_SHAPES[node.kind],
        text_x=_MARGIN + _LABEL if left else WIDTH - _MARGIN - _LABEL,
        above=place.y - 5,
        below=place.y + 18,
        anchor="end" if left else "start",
        kind_name=_kind(node, language),
        label=fitted(_title(node, language), _LABEL),
    )
    if href is None:
        return Markup('<g class="graph-node">{}</g>').format(inside)
    return Markup('<a class="graph-node" href="{}">{}</a>').format(href, inside)


def _described(sides: Sequence[Sequence[Node]], language: str) -> str:
    english = language == "en"
    heads = ("Skills and behaviours", "Content and drills") if english else ("技能与行为", "内容与演练")
    colon, comma, stop = (": ", "; ", ".") if english else ("：", "；", "。")
    return (" " if english else "").join(
        f"{head}{colon}{comma.join(_said(node, language) for node in side)}{stop}"
        for head, side in zip(heads, sides, strict=True)
        if side
    )


def _said(node: Node, language: str) -> str:
    between = ": " if language == "en" else "："
    return f"{_kind(node, language)}{between}{_clean(_title(node, language))}"


def _kind(node: Node, language: str) -> str:
    return _KINDS[node.kind][language == "en"]


def _title(node: Node, language: str) -> str:
    return node.title_en or node.title if language == "en" else node.title


def _clean(text: str) -> str:
    """One line without what XML does not allow and what turns the direction of writing."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())
