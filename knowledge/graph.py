"""The library as a graph: what goes with what, what comes before what, and what free words point at.

It is built anew from plain facts and never changed. Ids of nodes bear their kind ("skill:discovery"), so that a skill
and an industry may share a name. Nothing here walks further than two edges, except along what skills need.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, islice, zip_longest
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from knowledge.item import Item, Tier
from knowledge.shipped import LibraryError
from knowledge.skills import Industry, Skill
from knowledge.synonyms import others
from knowledge.text import fold

if TYPE_CHECKING:
    import networkx

NodeKind = Literal["skill", "role", "industry", "case", "lesson", "regulation", "template", "scenario", "check"]
Relation = Literal["related", "trains", "shows", "practises", "needs", "in_industry", "for_role"]

ITEMS: tuple[NodeKind, ...] = ("lesson", "case", "regulation", "template")
ABILITIES: tuple[NodeKind, ...] = ("skill", "check")
CONTENT: tuple[NodeKind, ...] = (*ITEMS, "scenario")

_WEIGHT: Mapping[Relation, float] = {
    "related": 1.5,
    "trains": 1.0,
    "shows": 1.0,
    "practises": 1.0,
    "needs": 0.5,
    "in_industry": 0.5,
    "for_role": 0.2,
}
_ROLES = {"sales": "销售", "support": "客服", "operations": "运营", "common": "通用"}
_REGULATIONS = 2  # a step: more would bury the lesson
_NEAR_WORDS = 70.0  # partial ratio; two characters of which one fits at a title's edge reach 66.7
_ASKING = re.compile("请问|怎么[办做样]?|如何|怎样|什么是?|[吗呢?]")
_ANY_TRADE = "industry:general"
_TIERS = get_args(Tier)


class NotInGraph(LookupError):
    """No node of that id."""


@dataclass(frozen=True)
class Node:
    """Something in the library.

    Attributes:
        id: its kind, a colon, and its own id.
        role, tier: None where it has none; a check has the role of its skill.
        minutes: how long it takes, where known.
    """

    id: str
    kind: NodeKind
    title: str
    title_en: str | None = None
    role: str | None = None
    tier: Tier | None = None
    minutes: int | None = None


@dataclass(frozen=True)
class Edge:
    """From what names the other to what is named."""

    source: str
    target: str
    relation: Relation


@dataclass(frozen=True)
class CheckFact:
    """A behaviour, and the id of the skill it shows."""

    id: str
    title: str
    title_en: str
    skill: str


@dataclass(frozen=True)
class ScenarioFact:
    """A scenario, and the ids of the behaviours it has people practise."""

    id: str
    title: str
    title_en: str
    role: str
    industry: str
    tier: Tier
    checks: tuple[str, ...]
    minutes: int | None = None


@dataclass(frozen=True)
class Related:
    """A node that goes with another.

    Attributes:
        via: what both are linked to, the one that says most first.
        linked: one of the two names the other.
    """

    node: Node
    score: float
    via: tuple[Node, ...]
    linked: bool


@dataclass(frozen=True)
class Neighbourhood:
    """A node, some of the nodes that go with it, and every edge among them all."""

    centre: Node
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


@dataclass(frozen=True)
class Step:
    """One skill of a path and what to take for it, or, last of all, the goal.

    Attributes:
        needed_by: the later steps that ask for it; empty for the goal.
        minutes: of its items, and of itself, as far as known; None when none is known.
    """

    node: Node
    needed_by: tuple[Node, ...]
    lesson: Node | None = None
    case: Node | None = None
    regulations: tuple[Node, ...] = ()

    @property
    def items(self) -> tuple[Node, ...]:
        """What to take, in order of reading."""
        return tuple(node for node in (self.lesson, self.case, *self.regulations) if node is not None)

    @property
    def minutes(self) -> int | None:
        return _sum(node.minutes for node in (self.node, *self.items))


@dataclass(frozen=True)
class LearningPath:
    """What to know before a goal, foundations first; the goal is the last step."""

    steps: tuple[Step, ...]

    @property
    def minutes(self) -> int | None:
        """As far as known; None when nothing is."""
        return _sum(step.minutes for step in self.steps)


class Graph:
    """Nodes by id, and the edges between them; at most one edge between two nodes, the first one given.

    Raises:
        LibraryError: skills need each other in a circle.
    """

    def __init__(self, nodes: Iterable[Node], edges: Iterable[Edge], chief: Mapping[str, str]) -> None:
        """`chief`: the skill an item is most about, both by id of node. Edges that end nowhere are left out."""
        import networkx  # with SciPy up to a second, which `--help` should not pay

        self.nodes: Mapping[str, Node] = {node.id: node for node in nodes}
        known = self.nodes
        self._chief = chief
        self._links: networkx.Graph[str] = networkx.Graph()
        self._before: networkx.DiGraph[str] = networkx.DiGraph()  # from the skill needed to the one that needs it
        self._links.add_nodes_from(self.nodes)
        self._before.add_nodes_from(node.id for node in self.nodes.values() if node.kind == "skill")
        for edge in edges:
            if edge.source == edge.target or edge.source not in known or edge.target not in known:
                continue
            if not self._links.has_edge(edge.source, edge.target):
                self._links.add_edge(edge.source, edge.target, edge=edge, weight=_WEIGHT[edge.relation])
            if edge.relation == "needs":
                self._before.add_edge(edge.target, edge.source)
        if not networkx.is_directed_acyclic_graph(self._before):
            raise LibraryError("skills need each other in a circle")
        self._ids = sorted(known)
        self._row = {name: row for row, name in enumerate(self._ids)}
        self._weights = networkx.to_scipy_sparse_array(self._links, self._ids, dtype=np.dtype(float), format="csr")
        # Two nodes share only what has two neighbours or more; the others' logarithm is never asked for.
        self._shares = 1 / np.log(np.maximum(np.diff(self._weights.indptr), 2))
        self._bare: dict[str, Node] = {}
        for node in self.nodes.values():
            self._bare.setdefault(node.id.partition(":")[2], node)

    @property
    def edges(self) -> Iterator[Edge]:
        return (data["edge"] for _, _, data in self._links.edges(data=True))

    def node(self, name: str) -> Node:
        """The node of that id; its kind may be left out, then skills come before scenarios, checks and items.

        Raises:
            NotInGraph: there is none.
        """
        node = self.nodes.get(name) or self._bare.get(name)
        if node is None:
            raise NotInGraph(f"nothing in the library is called {name!r}")
        return node

    def related(self, name: str, k: int = 8, kinds: Collection[NodeKind] | None = None) -> list[Related]:
        """The k nodes that go best with a node, best first.

        Items that name each other as related come first, then whatever else is linked to the node, then what shares
        neighbours with it. Within each the score decides: the index of Adamic and Adar (Friends and neighbors on the
        Web, 2003), the sum over the shared neighbours z of 1 / ln degree(z), each weighed by the two edges that lead
        over z, and the weight of the direct edge on top.

        Args:
            kinds: None for all but roles and industries, which everything is linked to.

        Raises:
            NotInGraph: there is no node of that id.
        """
        source = self.node(name)
        wanted = set(kinds if kinds is not None else (*ABILITIES, *CONTENT))
        scores = self._scores(source)
        best = islice((node for node in self._nearest(source, scores) if node.kind in wanted), max(k, 0))
        linked, row = self._links[source.id], self._row
        return [Related(node, float(scores[row[node.id]]), self._via(source, node), node.id in linked) for node in best]

    def neighbourhood(self, name: str, most: int = 12) -> Neighbourhood:
        """A node with up to `most` others: half of them skills and checks, half content, the kinds taking turns.

        Raises:
            NotInGraph: there is no node of that id.
        """
        centre = self.node(name)
        columns: dict[NodeKind, list[Node]] = {kind: [] for kind in (*ABILITIES, *CONTENT)}
        for node in self._nearest(centre, self._scores(centre)):
            if len(columns.get(node.kind, ())) < most:
                columns.setdefault(node.kind, []).append(node)
        chosen: list[Node] = []
        for kinds, room in ((ABILITIES, most // 2), (CONTENT, most - most // 2)):
            turns = chain.from_iterable(zip_longest(*(columns[kind] for kind in kinds)))
            chosen += [node for node in turns if node is not None][:room]
        ids = [centre.id, *(node.id for node in chosen)]
        edges: list[Edge] = [data["edge"] for _, _, data in self._links.subgraph(ids).edges(data=True)]
        return Neighbourhood(centre, tuple(chosen), tuple(sorted(edges, key=lambda edge: (edge.source, edge.target))))

    def path(self, goal: str, known: Iterable[str] = ()) -> LearningPath:
        """What to know before `goal`, a skill, check, scenario or item: the skills it asks for and what those need.

        A skill somebody knows is left out, and so is what only that skill needs. Lessons and cases are at most of the
        goal's tier, where it has one, and for its role, for everybody, or for the role of the skill. Nothing is given
        twice.

        Args:
            known: ids of skills; those that are not in the graph are passed over.

        Raises:
            NotInGraph: there is no node of that id.
        """
        import networkx

        target = self.node(goal)
        have = {name if name.startswith("skill:") else f"skill:{name}" for name in known}
        asked = self._asked(target) - have
        wanted: set[str] = set()
        open_ends = set(asked)
        while open_ends:
            wanted |= open_ends
            open_ends = {need for skill in open_ends for need in self._before.predecessors(skill)} - have - wanted
        place = {skill: n for n, skill in enumerate(self._before)}
        order = list(
            networkx.lexicographical_topological_sort(self._before.subgraph(wanted), key=lambda skill: place[skill])
        )
        choice = _Choice(self, target)
        steps = []
        for skill in order:
            needed_by = [self.nodes[later] for later in order if self._before.has_edge(skill, later)]
            needed_by += [target] if skill in asked else []
            steps.append(choice.step(self.nodes[skill], tuple(needed_by)))
        steps.append(choice.step(target, ()) if target.kind == "skill" else Step(target, ()))
        return LearningPath(tuple(steps))

    def resolve(self, words: str, kinds: Collection[NodeKind] | None = None) -> Node | None:
        """The node whose Chinese or English title is nearest to free words, or None when none is near.

        A title that is the words comes first; then the title that best holds the words or is held by them; among
        equals skills and scenarios, then the title whose length is nearest. What the words ask with (怎么, 如何) is
        passed over, and where no title is near to them, words of the trade that mean the same are tried.

        Args:
            kinds: None for all but roles and industries.
        """
        wanted = set(kinds if kinds is not None else (*ABILITIES, *CONTENT))
        said = " ".join(_ASKING.sub(" ", fold(words)).split())
        found = (self._titled(alike, wanted) for alike in (said, *others(said)))
        return next((node for node in found if node is not None), None)

    def _titled(self, said: str, kinds: Collection[NodeKind]) -> Node | None:
        from rapidfuzz import fuzz, process

        if len(said) < 2:
            return None
        ids, titles = self._titles
        best: tuple[bool, float, bool, float] | None = None
        nearest: Node | None = None
        hits = process.extract(said, titles, scorer=fuzz.partial_ratio, score_cutoff=_NEAR_WORDS, limit=None)
        for title, score, place in sorted(hits, key=lambda hit: hit[2]):
            node = self.nodes[ids[place]]
            if node.kind not in kinds or len(title) < 2:
                continue
            rank = (title == said, round(score, 6), node.kind in ("skill", "scenario"), fuzz.ratio(said, title))
            if best is None or rank > best:
                best, nearest = rank, node
        return nearest

    @cached_property
    def _titles(self) -> tuple[list[str], list[str]]:
        """Ids, and folded titles beside them; sorted, so that of two alike the same one is always met first."""
        pairs = [
            (node.id, fold(title))
            for node in sorted(self.nodes.values(), key=lambda node: node.id)
            for title in (node.title, node.title_en)
            if title
        ]
        return [name for name, _ in pairs], [title for _, title in pairs]

    def _scores(self, source: Node) -> NDArray[np.float64]:
        """The score of every node, by row; rounded, so that no order of adding can break a tie."""
        direct = self._weights[[self._row[source.id]]]
        scores: NDArray[np.float64] = (direct + (direct * self._shares) @ self._weights).toarray()[0]
        scores[self._row[source.id]] = 0
        return np.round(scores, 9)

    def _nearest(self, source: Node, scores: NDArray[np.float64]) -> Iterator[Node]:
        """Every node at most two edges away: what an item names as related, what is linked, the rest; by score."""
        rank = np.full(len(self._ids), 2)
        rank[self._weights[[self._row[source.id]]].indices] = 1
        if source.kind in ITEMS:
            rank[[self._row[end] for end in self._links[source.id] if self.nodes[end].kind in ITEMS]] = 0
        there = np.flatnonzero(scores)
        for row in there[np.lexsort((there, -scores[there], rank[there]))]:
            yield self.nodes[self._ids[row]]

    def _via(self, one: Node, other: Node) -> tuple[Node, ...]:
        here, there = self._links[one.id], self._links[other.id]
        said = {
            z: round(here[z]["weight"] * there[z]["weight"] * self._shares[self._row[z]], 9)
            for z in set(here).intersection(there)
        }
        return tuple(self.nodes[z] for z in sorted(said, key=lambda z: (-said[z], z)))

    def _asked(self, target: Node) -> set[str]:
        """The skills a node asks for outright; of a scenario those its checks show."""
        if target.kind == "skill":
            return set(self._before.predecessors(target.id))
        near = set(self._links[target.id])
        if target.kind == "scenario":
            near = {end for check in near if self.nodes[check].kind == "check" for end in self._links[check]}
        return {end for end in near if self.nodes[end].kind == "skill"}


class _Choice:
    """Picks the items of one path, none of them twice."""

    def __init__(self, graph: Graph, target: Node) -> None:
        self._graph = graph
        self._target = target
        self._taken = {target.id}
        self._scores = graph._scores(target)

    def step(self, skill: Node, needed_by: tuple[Node, ...]) -> Step:
        graph, tier = self._graph, self._target.tier
        fits = [
            node
            for node in map(graph.nodes.__getitem__, graph._links[skill.id])
            if node.id not in self._taken and self._for_role(node, skill)
        ]
        in_reach = [node for node in fits if tier is None or node.tier is None or _tier(node) <= _TIERS.index(tier)]

        def about(node: Node) -> bool:
            return graph._chief.get(node.id) == skill.id

        def order(node: Node) -> tuple[bool, bool, int, float, str]:
            other_role = node.role != self._target.role
            return not about(node), other_role, _tier(node), -self._fit(node), node.id

        lesson = min((n for n in in_reach if n.kind == "lesson" and about(n)), key=order, default=None)
        case = min((n for n in in_reach if n.kind == "case"), key=order, default=None)
        laws = sorted((n for n in fits if n.kind == "regulation"), key=lambda n: (-self._fit(n), n.id))
        binding = (law for law in laws if self._binds(law) and self._touches(law))
        step = Step(skill, needed_by, lesson, case, tuple(islice(binding, _REGULATIONS)))
        self._taken |= {node.id for node in step.items}
        return step

    def _fit(self, node: Node) -> float:
        return float(self._scores[self._graph._row[node.id]])

    def _binds(self, law: Node) -> bool:
        """Whatever the tier; but the law of another trade does not."""
        named = [end for end in self._graph._links[law.id] if self._graph.nodes[end].kind == "industry"]
        return all(trade == _ANY_TRADE or trade in self._graph._links[self._target.id] for trade in named)

    def _touches(self, node: Node) -> bool:
        """Whether it shares more with the goal than a role and an industry."""
        goal, near = self._graph._links[self._target.id], self._graph._links[node.id]
        return node.id in goal or any(self._graph.nodes[z].kind not in ("role", "industry") for z in near if z in goal)

    def _for_role(self, node: Node, skill: Node) -> bool:
        return self._target.role in (None, "common") or node.role in ("common", self._target.role, skill.role)


def build(
    items: Iterable[Item],
    skills: Mapping[str, Skill],
    industries: Mapping[str, Industry],
    checks: Iterable[CheckFact] = (),
    scenarios: Iterable[ScenarioFact] = (),
) -> Graph:
    """The graph over these. Drafts are left out, and so is every link to something that is not there.

    Raises:
        LibraryError: skills need each other in a circle.
    """
    published = [item for item in items if item.status != "draft"]
    checks, scenarios = tuple(checks), tuple(scenarios)
    nodes = [Node(f"skill:{s.id}", "skill", s.title, s.title_en, s.role) for s in skills.values()]
    nodes += [Node(f"scenario:{s.id}", "scenario", s.title, s.title_en, s.role, s.tier, s.minutes) for s in scenarios]
    nodes += [
        Node(f"check:{c.id}", "check", c.title, c.title_en, skills[c.skill].role if c.skill in skills else None)
        for c in checks
    ]
    nodes += [Node(f"{i.kind}:{i.id}", i.kind, i.title, i.title_en, i.role, i.tier, i.minutes) for i in published]
    nodes += [Node(f"role:{role}", "role", title, role.capitalize(), role) for role, title in _ROLES.items()]
    nodes += [Node(f"industry:{i.id}", "industry", i.title, i.title_en) for i in industries.values()]
    chief = {f"{item.kind}:{item.id}": f"skill:{item.skills[0]}" for item in published if item.skills}
    return Graph(nodes, _edges(published, skills, checks, scenarios), chief)


def _edges(
    items: list[Item], skills: Mapping[str, Skill], checks: tuple[CheckFact, ...], scenarios: tuple[ScenarioFact, ...]
) -> Iterator[Edge]:
    named = {item.id: f"{item.kind}:{item.id}" for item in items}
    for skill in skills.values():
        yield from (Edge(f"skill:{skill.id}", f"skill:{need}", "needs") for need in skill.needs)
    for check in checks:
        yield Edge(f"check:{check.id}", f"skill:{check.skill}", "shows")
    for scenario in scenarios:
        source = f"scenario:{scenario.id}"
        yield from (Edge(source, f"check:{name}", "practises") for name in scenario.checks)
        yield Edge(source, f"role:{scenario.role}", "for_role")
        yield Edge(source, f"industry:{scenario.industry}", "in_industry")
    for item in items:
        source = named[item.id]
        does: Relation = "shows" if item.kind == "case" else "trains"
        yield from (Edge(source, f"skill:{name}", does) for name in item.skills)
        yield from (Edge(source, f"check:{name}", does) for name in item.checks)
        yield from (Edge(source, named[name], "related") for name in item.related if name in named)
        yield Edge(source, f"role:{item.role}", "for_role")
        yield Edge(source, f"industry:{item.industry}", "in_industry")


def _tier(node: Node) -> int:
    return _TIERS.index(node.tier) if node.tier else 0


def _sum(minutes: Iterable[int | None]) -> int | None:
    known = [m for m in minutes if m is not None]
    return sum(known) if known else None
