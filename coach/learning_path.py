"""What to know before something: from free words to an ordered path through the library."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from knowledge.graph import ABILITIES, CONTENT, Graph, LearningPath, Node, NotInGraph

if TYPE_CHECKING:
    from coach.compose import Whetstone


class GoalNotFound(LookupError):
    """Nothing in the library is near the words; says so."""


def path_to(coach: Whetstone, goal: str, known: Iterable[str] = ()) -> LearningPath:
    """The path to a goal given as an id of a skill, scenario, item or check, or in free words.

    Words that no title is like are searched for, and the best passage's item is the goal.

    Raises:
        GoalNotFound: nothing good was found either.
    """
    library, graph = coach.build_library(), coach.graph
    node = _named(graph, goal.strip()) or graph.resolve(goal)
    if node is None:
        found = library.search(goal, 1) if goal.strip() else None
        if found is None or not found.good:
            raise GoalNotFound(f"nothing in the library is about {goal!r}")
        node = graph.node(f"{found.hits[0].kind}:{found.hits[0].id}")
    return graph.path(node.id, known)


def _named(graph: Graph, name: str) -> Node | None:
    try:
        node = graph.node(name)
    except NotInGraph:
        return None
    return node if node.kind in (*ABILITIES, *CONTENT) else None


def shown(path: LearningPath) -> dict[str, Any]:
    """A path as plain values."""
    return {
        "minutes": path.minutes,
        "steps": [
            {
                **_node(step.node),
                "needed_by": [_node(node) for node in step.needed_by],
                "items": [_node(node) for node in step.items],
            }
            for step in path.steps
        ],
    }


def _node(node: Node) -> dict[str, Any]:
    return {"id": node.id, "kind": node.kind, "title": node.title, "title_en": node.title_en, "minutes": node.minutes}
