"""The graph: scores worked out by hand, paths that keep their order, and words that find their node."""

from __future__ import annotations

from math import log
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coach.catalogue import Catalogue
from knowledge.graph import CheckFact, Edge, Graph, Node, NodeKind, NotInGraph, Relation, ScenarioFact, build
from knowledge.item import Item
from knowledge.shipped import LibraryError, load_library
from knowledge.skills import Industry, Levels, Skill, industries, skills

LEVELS = Levels(junior="能", middle="会", senior="精")


def skill(name: str, *needs: str, title: str = "", role: str = "common") -> Skill:
    return Skill(id=name, title=title or name, title_en=name, role=role, needs=needs, definition="说明", levels=LEVELS)


def item(name: str, **fields: Any) -> Item:
    """An item whose id begins with its kind."""
    kind: Any = name.partition("-")[0]
    return Item(**{"id": name, "kind": kind, "title": name, "source": "测试", "body": "正文", **fields})


def check(name: str, skill_id: str) -> CheckFact:
    return CheckFact(name, name, name, skill_id)


def graph(
    *items: Item,
    of: tuple[Skill, ...] = (),
    checks: tuple[CheckFact, ...] = (),
    scenarios: tuple[ScenarioFact, ...] = (),
) -> Graph:
    trades = {name: Industry(id=name, title=name, title_en=name) for name in ("general", "retail", "saas")}
    return build(items, {one.id: one for one in of}, trades, checks, scenarios)


def ids(nodes: Any) -> list[str]:
    return [node.id for node in nodes]


def edge(source: str, target: str, relation: Relation) -> Edge:
    return Edge(source, target, relation)


# --- what is in it ---------------------------------------------------------------------------------------------------


def test_every_kind_of_link_becomes_an_edge() -> None:
    built = graph(
        item("lesson-a", skills=("base",), checks=("asks",), related=("case-b",), role="sales", industry="retail"),
        item("case-b", skills=("top",), role="sales", industry="saas"),
        of=(skill("base"), skill("top", "base")),
        checks=(check("asks", "base"),),
        scenarios=(ScenarioFact("shop", "店", "Shop", "sales", "retail", "junior", ("asks",)),),
    )
    assert set(built.edges) == {
        edge("skill:top", "skill:base", "needs"),
        edge("check:asks", "skill:base", "shows"),
        edge("scenario:shop", "check:asks", "practises"),
        edge("scenario:shop", "role:sales", "for_role"),
        edge("scenario:shop", "industry:retail", "in_industry"),
        edge("lesson:lesson-a", "skill:base", "trains"),
        edge("lesson:lesson-a", "check:asks", "trains"),
        edge("lesson:lesson-a", "case:case-b", "related"),
        edge("lesson:lesson-a", "role:sales", "for_role"),
        edge("lesson:lesson-a", "industry:retail", "in_industry"),
        edge("case:case-b", "skill:top", "shows"),
        edge("case:case-b", "role:sales", "for_role"),
        edge("case:case-b", "industry:saas", "in_industry"),
    }


def test_what_is_not_there_is_passed_over() -> None:
    built = graph(
        item("case-a", skills=("gone", "base"), checks=("gone",), related=("case-gone", "case-a"), industry="火星贸易"),
        of=(skill("base", "gone"),),
        checks=(check("loose", "gone"),),
        scenarios=(ScenarioFact("s", "演", "S", "nobody", "火星", "junior", ("gone",)),),
    )
    assert set(built.edges) == {
        edge("case:case-a", "skill:base", "shows"),
        edge("case:case-a", "role:common", "for_role"),
    }
    assert built.node("check:loose").role is None
    assert ids(step.node for step in built.path("scenario:s").steps) == ["scenario:s"]


def test_drafts_are_not_in_it() -> None:
    built = graph(item("case-a", status="draft"), item("case-b", related=("case-a",)))
    assert [node.id for node in built.nodes.values() if node.kind == "case"] == ["case:case-b"]


def test_skills_in_a_circle_are_refused() -> None:
    with pytest.raises(LibraryError, match="circle"):
        graph(of=(skill("a", "b"), skill("b", "a")))


def test_a_node_is_found_with_and_without_its_kind() -> None:
    built = graph(item("case-a"), of=(skill("sales"),))
    assert built.node("case-a") is built.node("case:case-a")
    assert built.node("sales").kind == "skill"
    assert built.node("role:sales").kind == "role"
    for ask in (built.node, built.related, built.neighbourhood, built.path):
        with pytest.raises(NotInGraph, match="case-z"):
            ask("case-z")


# --- related ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def square() -> Graph:
    """x and y share a check (of degree 2), a skill (3) and a role (4); x names w as related."""
    nodes = [Node(f"case:{name}", "case", name) for name in "wxyz"]
    nodes += [Node("check:k", "check", "k"), Node("skill:s", "skill", "s"), Node("role:sales", "role", "销售")]
    edges = [edge(f"case:{name}", "role:sales", "for_role") for name in "wxyz"]
    edges += [edge(f"case:{name}", "skill:s", "shows") for name in "xyz"]
    edges += [edge(f"case:{name}", "check:k", "shows") for name in "xy"]
    return Graph(nodes, [*edges, edge("case:x", "case:w", "related")], {})


def test_scores_are_adamic_and_adar_weighed_by_kind_of_edge(square: Graph) -> None:
    found = square.related("case:x", kinds=("case",))
    assert [(one.node.id, one.linked) for one in found] == [("case:w", True), ("case:y", False), ("case:z", False)]
    by_role = 0.2 * 0.2 / log(4)
    assert found[0].score == pytest.approx(1.5 + by_role)
    assert found[1].score == pytest.approx(1 / log(2) + 1 / log(3) + by_role)  # 1.4427 + 0.9102 + 0.0289
    assert found[2].score == pytest.approx(1 / log(3) + by_role)
    assert ids(found[1].via) == ["check:k", "skill:s", "role:sales"]
    assert ids(found[0].via) == ["role:sales"]


def test_roles_are_only_given_when_asked_for(square: Graph) -> None:
    # k and s share no neighbour with x: each has the weight of its edge alone, and their ids decide.
    assert [(one.node.id, one.score) for one in square.related("case:x")][1:3] == [("check:k", 1), ("skill:s", 1)]
    assert ids(one.node for one in square.related("case:x")) == ["case:w", "check:k", "skill:s", "case:y", "case:z"]
    assert ids(one.node for one in square.related("case:x", kinds=("role",))) == ["role:sales"]


def test_asking_for_none_gives_none(square: Graph) -> None:
    assert square.related("case:x", 0) == []
    assert square.related("case:x", 2, ("template",)) == []


def test_a_neighbourhood_takes_turns_between_kinds_and_has_the_edges_among_them(square: Graph) -> None:
    seen = square.neighbourhood("case:x", 4)
    assert ids(seen.nodes) == ["skill:s", "check:k", "case:w", "case:y"]
    assert set(seen.edges) == {
        edge("case:x", "case:w", "related"),
        edge("case:x", "check:k", "shows"),
        edge("case:x", "skill:s", "shows"),
        edge("case:y", "check:k", "shows"),
        edge("case:y", "skill:s", "shows"),
    }


# --- path ------------------------------------------------------------------------------------------------------------

DIAMOND = (
    skill("base"),
    skill("left", "base"),
    skill("right", "base"),
    skill("top", "left", "right"),
    skill("aside"),
)


def test_what_a_skill_needs_comes_before_it_and_says_for_what() -> None:
    steps = graph(of=DIAMOND).path("skill:top").steps
    assert [(step.node.id, ids(step.needed_by)) for step in steps] == [
        ("skill:base", ["skill:left", "skill:right"]),
        ("skill:left", ["skill:top"]),
        ("skill:right", ["skill:top"]),
        ("skill:top", []),
    ]


def test_what_is_known_is_left_out_with_what_only_it_needs() -> None:
    built = graph(of=DIAMOND)
    assert ids(s.node for s in built.path("top", ["left"]).steps) == ["skill:base", "skill:right", "skill:top"]
    assert ids(s.node for s in built.path("top", ["skill:left", "right", "gone"]).steps) == ["skill:top"]
    assert ids(s.node for s in built.path("base", ["base"]).steps) == ["skill:base"]


def test_a_scenario_asks_for_the_skills_its_checks_show() -> None:
    built = graph(
        of=DIAMOND,
        checks=(check("k", "left"), check("other", "aside")),
        scenarios=(ScenarioFact("s", "演", "S", "sales", "retail", "junior", ("k",), minutes=12),),
    )
    path = built.path("scenario:s")
    assert ids(step.node for step in path.steps) == ["skill:base", "skill:left", "scenario:s"]
    assert ids(path.steps[1].needed_by) == ["scenario:s"]
    assert path.minutes == 12


def test_a_step_has_a_lesson_about_the_skill_a_case_and_the_law() -> None:
    built = graph(
        item("lesson-other-first", skills=("left", "base"), minutes=5),
        item("lesson-middle", skills=("base",), tier="middle", minutes=9),
        item("lesson-junior", skills=("base",), minutes=7),
        item("lesson-support", skills=("base",), role="support", minutes=3),
        item("case-a", skills=("base",)),
        item("regulation-base", skills=("base", "left"), minutes=4),
        item("regulation-trade", skills=("base", "left"), industry="saas"),
        of=(skill("base"), skill("left", "base", role="sales")),
    )
    path = built.path("left")
    first, last = path.steps
    assert ids(first.items) == ["lesson:lesson-junior", "case:case-a", "regulation:regulation-base"]
    assert first.minutes == 11
    assert ids(last.items) == ["lesson:lesson-other-first"]
    assert path.minutes == 16


def test_lessons_and_cases_are_not_above_the_tier_of_the_goal() -> None:
    library = (
        item("lesson-senior", skills=("base",), tier="senior"),
        item("case-senior", skills=("base",), tier="senior"),
        item("case-goal", skills=("base",), tier="middle"),
    )
    path = graph(*library, of=(skill("base"),)).path("case-goal")
    assert [(step.node.id, ids(step.items)) for step in path.steps] == [("skill:base", []), ("case:case-goal", [])]
    assert path.minutes is None
    (only,) = graph(*library, of=(skill("base"),)).path("base").steps
    assert ids(only.items) == ["lesson:lesson-senior", "case:case-goal"]


NAMES = [f"s{n}" for n in range(8)]


@st.composite
def libraries(draw: st.DrawFn) -> tuple[list[Item], dict[str, Skill], list[CheckFact], list[ScenarioFact]]:
    """Skills that need only skills before them, and items, checks and scenarios that name any, or none there is."""
    found = {
        name: skill(name, *draw(st.sets(st.sampled_from(NAMES[:n]), max_size=3)) if n else ())
        for n, name in enumerate(NAMES)
    }
    named = st.lists(st.sampled_from([*NAMES, "gone"]), max_size=3, unique=True).map(tuple)
    checks = [check(f"k{n}", draw(st.sampled_from([*NAMES, "gone"]))) for n in range(5)]
    checked = st.lists(st.sampled_from([*(one.id for one in checks), "gone"]), max_size=3, unique=True).map(tuple)
    kinds = draw(st.lists(st.sampled_from(["lesson", "case", "regulation", "template"]), max_size=14))
    tiers = st.sampled_from(["junior", "middle", "senior"])
    roles = st.sampled_from(["sales", "support", "common"])
    all_ids = [f"{kind}-{n}" for n, kind in enumerate(kinds)]
    related = st.lists(st.sampled_from(all_ids), max_size=2).map(tuple) if all_ids else st.just(())
    items = [
        item(name, skills=draw(named), checks=draw(checked), related=draw(related), tier=draw(tiers), role=draw(roles))
        for name in all_ids
    ]
    scenarios = [ScenarioFact("play", "演", "Play", draw(roles), "retail", draw(tiers), draw(checked))]
    return items, found, checks, scenarios


@settings(max_examples=25, deadline=None)
@given(libraries(), st.data())
def test_a_path_keeps_its_order_and_repeats_nothing(library: Any, data: st.DataObject) -> None:
    items, found, checks, scenarios = library
    built = build(items, found, {}, checks, scenarios)
    goal = data.draw(st.sampled_from(sorted(built.nodes)))
    known = data.draw(st.sets(st.sampled_from(NAMES)))
    path = built.path(goal, known)
    order = ids(step.node for step in path.steps)
    assert order[-1] == goal
    given_out = [*order, *(node.id for step in path.steps for node in step.items)]
    assert len(given_out) == len(set(given_out))
    assert not {f"skill:{name}" for name in known} & set(order[:-1])
    for place, step in enumerate(path.steps):
        assert all(order.index(later.id) > place for later in step.needed_by)
        assert bool(step.needed_by) == (place < len(order) - 1)
        if step.node.kind == "skill":
            needs = {f"skill:{need}" for need in found[step.node.title].needs if need not in known}
            assert needs <= set(order[:place])


@settings(max_examples=25, deadline=None)
@given(libraries(), st.randoms())
def test_the_order_things_are_given_in_changes_nothing(library: Any, chance: Any) -> None:
    items, found, checks, scenarios = library
    one = build(items, found, {}, checks, scenarios)
    shuffled = [list(items), list(checks)]
    for some in shuffled:
        chance.shuffle(some)
    other = build(shuffled[0], found, {}, shuffled[1], scenarios)
    for name in chance.sample(sorted(one.nodes), 6):
        assert one.related(name, 20) == other.related(name, 20)
        assert one.path(name) == other.path(name)
        assert set(one.neighbourhood(name).nodes) == set(other.neighbourhood(name).nodes)


@settings(max_examples=25, deadline=None)
@given(libraries(), st.data())
def test_being_related_goes_both_ways(library: Any, data: st.DataObject) -> None:
    items, found, checks, scenarios = library
    built = build(items, found, {}, checks, scenarios)
    name = data.draw(st.sampled_from(sorted(built.nodes)))
    for one in built.related(name, 5, get_args(NodeKind)):
        assert one.node.id != name
        back = next(o for o in built.related(one.node.id, 99, get_args(NodeKind)) if o.node.id == name)
        assert (back.score, back.linked, back.via) == (one.score, one.linked, one.via)


# --- resolve ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def titled() -> Graph:
    return graph(
        item("case-rival", title="对手先到一步，竞品报价低三成"),
        item("case-refund", title="退货退到第三次，他先听完再算", title_en="The third return"),
        item("lesson-rival-steps", title="竞品应对三步"),
        of=(
            skill("competitive-selling", title="竞品应对"),
            skill("campaign-planning", title="活动策划"),
            skill("complaint-handling", title="投诉处理与升级"),
            skill("negotiation", title="谈判让步"),
        ),
    )


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("大促活动策划", "skill:campaign-planning"),
        ("竞品", "skill:competitive-selling"),
        ("競品應對", "skill:competitive-selling"),
        ("竞品应对三步", "lesson:lesson-rival-steps"),
        ("怎么谈判？", "skill:negotiation"),
        ("NEGOTIATION", "skill:negotiation"),
        ("客诉", "skill:complaint-handling"),
        ("退货", "case:case-refund"),
        ("third return", "case:case-refund"),
        ("量子力学", None),
        ("banana bread", None),
        ("价", None),
        ("怎么办", None),
        ("  ", None),
    ],
)
def test_free_words_find_the_nearest_title(titled: Graph, words: str, expected: str | None) -> None:
    node = titled.resolve(words)
    assert (node and node.id) == expected


def test_only_the_kinds_asked_for_are_found(titled: Graph) -> None:
    assert titled.resolve("竞品", ("case",)) == titled.node("case-rival")
    assert titled.resolve("零售") is None
    assert titled.resolve("销售", ("role",)) == titled.node("role:sales")


ONE = graph(of=(skill("a", title="异议处理"),))


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=30))
def test_any_words_at_all_can_be_asked(words: str) -> None:
    node = ONE.resolve(words)
    assert node is None or node.id == "skill:a"


# --- the shipped library ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shipped(catalogue: Catalogue) -> Graph:
    checks = [CheckFact(one.id, one.title, one.title_en, one.skill) for one in catalogue.checks.values()]
    scenarios = [
        ScenarioFact(one.id, one.title, one.title_en, one.role, one.industry, one.tier, (*sorted(one.check_ids()),))
        for one in catalogue.scenarios.values()
    ]
    return build(load_library(), skills(), industries(), checks, scenarios)


def test_everything_shipped_has_a_path_that_ends_with_it(shipped: Graph) -> None:
    for node in shipped.nodes.values():
        path = shipped.path(node.id)
        assert path.steps[-1].node == node
        given_out = [one for step in path.steps for one in (step.node, *step.items)]
        assert len(given_out) == len(set(given_out))


def test_every_shipped_item_goes_with_something(shipped: Graph) -> None:
    alone = [
        node.id
        for node in shipped.nodes.values()
        if node.kind in ("case", "lesson", "regulation", "template", "scenario") and not shipped.related(node.id, 3)
    ]
    assert alone == []


def test_a_campaign_is_planned_after_data_and_budget(shipped: Graph) -> None:
    node = shipped.resolve("大促活动策划")
    assert node is not None
    steps = shipped.path(node.id).steps
    order = ids(step.node for step in steps)
    assert order[-1] == "skill:campaign-planning"
    assert {"skill:data-sense", "skill:data-analysis", "skill:budgeting", "skill:compliance"} <= set(order)
    assert order.index("skill:data-sense") < order.index("skill:data-analysis")
    assert steps[-1].lesson is not None
    assert steps[-1].case is not None


def test_rivals_are_found_by_a_word(shipped: Graph) -> None:
    node = shipped.resolve("竞品")
    assert node is not None
    assert node.id == "skill:competitive-selling"
