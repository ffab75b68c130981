"""The small SVG: well-formed whatever the titles hold, nothing on top of anything, and no word of it obeyed."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from itertools import combinations, pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.web.drawing import FONT, ROW, WIDTH, draw, fitted
from coach.catalogue import Catalogue
from knowledge.graph import CheckFact, Edge, Graph, Node, NotInGraph, ScenarioFact, build
from knowledge.shipped import load_library
from knowledge.skills import industries, skills

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>&amp;"


def address(node: Node) -> str | None:
    return f"/library/{node.id}?a=1&b=2"


def star(title: str = "中", skills: int = 4, cases: int = 9, about: str = "说") -> Graph:
    """A lesson in the middle with skills and cases around it, each case showing the first skill."""
    nodes = [Node("lesson:l", "lesson", title, None)]
    nodes += [Node(f"skill:{n}", "skill", f"{about}{n}", f"Skill {n}") for n in range(skills)]
    nodes += [Node(f"case:{n}", "case", f"{about}{n}") for n in range(cases)]
    edges = [Edge("lesson:l", f"skill:{n}", "trains") for n in range(skills)]
    edges += [Edge("lesson:l", f"case:{n}", "related") for n in range(cases - 1)]
    edges += [Edge(f"case:{n}", "skill:0", "shows") for n in range(cases) if skills]
    return Graph(nodes, edges, {})


def parsed(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)


@dataclass(frozen=True)
class Box:
    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: Box) -> bool:
        across = self.left < other.right and other.left < self.right
        return across and self.top < other.bottom and other.top < self.bottom


def boxes(root: ElementTree.Element) -> list[Box]:
    """The box of every text: a Chinese character as wide as the font, any other 0.6 of it; 0.8 above the line."""
    found = []

    def walk(element: ElementTree.Element, anchor: str) -> None:
        anchor = element.get("text-anchor", anchor)
        if element.tag == f"{SVG}text":
            text = element.text or ""
            width = sum(1 if unicodedata.east_asian_width(c) in "WFA" else 0.6 for c in text) * FONT
            x, y = float(element.attrib["x"]), float(element.attrib["y"])
            left = {"start": x, "middle": x - width / 2, "end": x - width}[anchor]
            found.append(Box(left, y - 0.8 * FONT, left + width, y + 0.2 * FONT))
        for child in element:
            walk(child, anchor)

    walk(root, "start")
    return found


def rows(root: ElementTree.Element) -> list[Box]:
    found = []
    for rect in root.iter(f"{SVG}rect"):
        x, y, width, height = (float(rect.attrib[name]) for name in ("x", "y", "width", "height"))
        found.append(Box(x, y, x + width, y + height))
    return found


def check_layout(svg: str) -> None:
    root = parsed(svg)
    width, height = map(float, root.attrib["viewBox"].split()[2:])
    for some in (boxes(root), rows(root)):
        assert all(min(b.left, b.top) >= 0 and b.right <= width and b.bottom <= height for b in some)
        assert not [pair for pair in combinations(some, 2) if pair[0].meets(pair[1])]


def test_every_node_is_a_link_with_its_whole_title() -> None:
    root = parsed(draw(star(), "lesson:l", "zh", address))
    links = root.findall(f".//{SVG}a")
    assert [link.get("href") for link in links] == [
        *(f"/library/skill:{n}?a=1&b=2" for n in range(4)),
        *(f"/library/case:{n}?a=1&b=2" for n in range(6)),
    ]
    assert [link.findtext(f"{SVG}title") for link in links][:5] == [
        "技能：说0",
        "技能：说1",
        "技能：说2",
        "技能：说3",
        "案例：说0",
    ]


def test_a_node_without_an_address_is_no_link() -> None:
    root = parsed(draw(star(), "lesson:l", "zh", lambda node: None if node.kind == "case" else "/x"))
    assert len(root.findall(f".//{SVG}a")) == 4
    assert len(root.findall(f".//{SVG}g[@class='graph-node']")) == 6


def test_it_says_what_it_shows() -> None:
    root = parsed(draw(star("课", skills=1, cases=1), "lesson:l", "zh", address))
    assert root.findtext(f"{SVG}title") == "课程：课"
    assert root.findtext(f"{SVG}desc") == "技能与行为：技能：说0。内容与演练：案例：说0。"
    named = {element.get("id") for element in root.iter()}
    assert {e.get("aria-labelledby") for e in root.iter() if e.get("role")} <= named
    assert [e.get("role") for e in root.iter() if e.get("role")] == ["group", "img"]
    # Links in an image would be hidden from who listens to the page.
    assert not root.findall(f".//{SVG}g[@role='img']//{SVG}a")


def test_english_titles_and_the_chinese_one_where_there_is_none() -> None:
    svg = draw(star("课", skills=1, cases=1), "lesson:l", "en", address)
    assert parsed(svg).findtext(f"{SVG}desc") == "Skills and behaviours: Skill: Skill 0. Content and drills: Case: 说0."


def test_shapes_differ_by_kind_and_lines_by_what_they_mean() -> None:
    root = parsed(draw(star(), "lesson:l", "zh", address))
    shapes = {mark.get("class"): mark.get("d") for mark in root.iter(f"{SVG}path") if "mark" in mark.attrib["class"]}
    assert len(set(shapes.values())) == len(shapes) == 2
    lines = [path.get("class") for path in root.findall(f"{SVG}g[@class='graph-lines']/{SVG}path")]
    # Six of the nine cases are shown: those the lesson names; each shows the first skill.
    assert (lines.count("graph-link"), lines.count("graph-alike"), lines.count("graph-among")) == (10, 0, 6)
    alike = draw(star(cases=1), "lesson:l", "zh", address)  # the last case is named by nobody
    assert alike.count('class="graph-alike"') == 1


@pytest.mark.parametrize("language", ["zh", "en"])
def test_titles_are_text(language: str) -> None:
    svg = draw(star(HOSTILE, about=HOSTILE), "lesson:l", language, lambda node: f'/x"><script>{node.id}')
    root = parsed(svg)
    tags = ["svg", "title", "desc", "g", "path", "text", "circle", "a", "rect"]
    assert {element.tag.removeprefix(SVG) for element in root.iter()} == set(tags)
    assert root.findtext(f"{SVG}title", "").endswith(HOSTILE)
    attributes = {name for element in root.iter() for name in element.attrib}
    assert "style" not in attributes
    assert not {name for name in attributes if name.startswith("on")}


@given(st.text(min_size=1, max_size=60), st.sampled_from(["zh", "en"]), st.integers(0, 7), st.integers(0, 9))
@settings(max_examples=60, deadline=None)
def test_whatever_the_titles_nothing_lies_on_anything(text: str, language: str, left: int, right: int) -> None:
    drawn = star(text, left, right, text)
    check_layout(draw(drawn, "lesson:l", language, address))
    check_layout(draw(drawn, "case:0" if right else "lesson:l", language, address))


def test_a_node_alone_is_drawn_too() -> None:
    check_layout(draw(star(skills=0, cases=0), "lesson:l", "zh", address))


def test_no_node_no_drawing() -> None:
    with pytest.raises(NotInGraph):
        draw(star(), "lesson:gone", "zh", address)


@pytest.mark.parametrize(
    ("text", "room", "expected"),
    [
        ("活动策划", 80, "活动策划"),
        ("活动策划", 79, "活动…"),  # four are 80 wide; three with … would be 80 as well
        ("abcdef", 70, "abcdef"),  # 6 at 11.6 are 69.6
        ("abcdefg", 70, "abcd…"),  # 4 at 11.6 and 20 are 66.4
        ("一  行\n两 行", 200, "一 行 两 行"),
        ("a\u202eb\x00c", 200, "a b c"),
        ("活", 10, "…"),
        ("", 10, ""),
    ],
)
def test_a_label_is_cut_where_it_no_longer_fits(text: str, room: float, expected: str) -> None:
    assert fitted(text, room) == expected


def test_it_can_be_read_and_touched_on_a_telephone() -> None:
    scale = 360 / WIDTH
    assert FONT * scale >= 11
    assert ROW * scale >= 24  # WCAG 2.2, 2.5.8
    root = parsed(draw(star(), "lesson:l", "zh", address))
    assert not [e for e in root.iter() if e.get("font-size") and e.get("font-size") != str(FONT)]
    left = sorted({b.top for b in rows(root) if b.left == 0})
    assert all(below - above == ROW for above, below in pairwise(left))


def test_the_shipped_library_is_drawn(catalogue: Catalogue) -> None:
    checks = [CheckFact(one.id, one.title, one.title_en, one.skill) for one in catalogue.checks.values()]
    scenarios = [
        ScenarioFact(one.id, one.title, one.title_en, one.role, one.industry, one.tier, (*sorted(one.check_ids()),))
        for one in catalogue.scenarios.values()
    ]
    graph = build(load_library(), skills(), industries(), checks, scenarios)
    for node in list(graph.nodes.values())[::5]:
        for language in ("zh", "en"):
            svg = draw(graph, node.id, language, address)
            check_layout(svg)
            assert not re.search(r"\sstyle=|\son\w+=|<script", svg)
