"""Writing scenarios: checking, playtesting and publishing them, and drafting one from a case of the library."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import yaml

import prompts
from coach import catalogue
from coach.catalogue import Catalogue
from coach.drill.learners import Learners
from coach.drill.lint import Finding, lint
from coach.drill.playtest import Played, playtest
from coach.drill.scenario import Scenario
from coach.llm.gateway import GatewayError
from coach.store import authored
from knowledge.item import Item
from knowledge.shipped import LibraryError

if TYPE_CHECKING:
    from coach.compose import Whetstone

LONGEST = 200_000
"""Characters of a scenario's YAML; more is refused."""


class AuthoringError(ValueError):
    """It cannot be done; says why."""


@dataclass(frozen=True)
class Checked:
    """A scenario read from YAML, with everything the linter has to say."""

    scenario: Scenario
    findings: Sequence[Finding]

    @property
    def publishable(self) -> bool:
        return all(f.severity != "error" for f in self.findings)


def check(known: Catalogue, text: str) -> Checked:
    """Read and lint a scenario.

    Raises:
        AuthoringError: it is no YAML, does not fit, or names a persona or rubric there is not.
    """
    scenario = _read(text, Scenario)
    for what, name, there in (
        ("persona", scenario.persona, known.personas),
        ("rubric", scenario.rubric, known.rubrics),
    ):
        if name not in there:
            raise AuthoringError(f"{what}: there is no {what} named {name}")
    found = lint(scenario, known.personas[scenario.persona], known.rubrics[scenario.rubric], dict(known.checks))
    return Checked(scenario, found)


def try_out(coach: Whetstone, text: str, learners: str = "") -> list[Played]:
    """Play a scenario with learners of every sort, published or not.

    Raises:
        AuthoringError: it has errors, or the learners cannot be read.
    """
    checked = check(coach.catalogue, text)
    if not checked.publishable:
        raise AuthoringError("mend the errors first")
    scenario = checked.scenario
    known = coach.catalogue
    written = _read(learners, Learners) if learners.strip() else known.learners.get(scenario.id)
    book = catalogue.compose(
        scenario, known.personas[scenario.persona], known.rubrics[scenario.rubric], known.checks, seed=1
    )
    try:
        return list(playtest(book, written, coach.judges, coach.score))
    except ValueError as error:
        raise AuthoringError(f"learners: {error}") from error


def row(played: Played) -> dict[str, Any]:
    """A line of the playtest's table."""
    drill, card = played.drill, played.card
    return {
        "learner": played.learner,
        "turns": len(drill.exchanges),
        "ending": drill.ending,
        "kind": drill.outcome.kind if drill.outcome else None,
        "percent": card.percent,
        "passed": card.passed,
        "blockers": len(card.blockers),
        "facts": f"{len(drill.state.revealed)}/{len(drill.playbook.scenario.facts)}",
    }


def publish(coach: Whetstone, text: str, who: str, learners: str = "") -> tuple[str, int]:
    """Let a scenario be practised; one of the same id is replaced from now on. Running drills keep theirs.

    Returns:
        (id, version).

    Raises:
        AuthoringError: it has errors.
    """
    checked = check(coach.catalogue, text)
    if not checked.publishable:
        first = next(f for f in checked.findings if f.severity == "error")
        raise AuthoringError(f"{first.where}: {first.message}")
    name = checked.scenario.id
    known = coach.catalogue
    written = _read(learners, Learners) if learners.strip() else None
    if written is not None and written.id != name:
        raise AuthoringError(f"learners: they are for {written.id}, the scenario is {name}")
    try:
        catalogue.cross_check(
            replace(
                known,
                scenarios={**known.scenarios, name: checked.scenario},
                learners={**known.learners, **({name: written} if written else {})},
            ),
            only={name},
        )
    except LibraryError as error:
        raise AuthoringError(str(error)) from error
    if written is not None:
        authored.add(coach.engine, "learners", name, learners, who)
    version = authored.add(coach.engine, "scenario", name, text, who)
    coach.look_again()
    return name, version


M = TypeVar("M", Scenario, Learners)


def _read(text: str, model: type[M]) -> M:
    if len(text) > LONGEST:
        raise AuthoringError(f"{len(text)} characters; {LONGEST} are the most")
    _harmless(text)
    try:
        return catalogue.read(text, model, model.__name__.lower())
    except LibraryError as error:
        raise AuthoringError(str(error)) from error


_DEEPEST = 40


def _harmless(text: str) -> None:
    """Refuse what reading would choke on: aliases of aliases grow to billions of nodes, deep nesting ends all."""
    depth = 0
    try:
        for event in yaml.parse(text, Loader=catalogue.LOADER):
            if isinstance(event, yaml.AliasEvent):
                raise AuthoringError("aliases (*name) are not read: write it out")
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > _DEEPEST:
                raise AuthoringError(f"nested more than {_DEEPEST} deep")
    except (yaml.YAMLError, ValueError) as error:
        if isinstance(error, AuthoringError):
            raise
        raise AuthoringError(f"not readable as YAML: {error}") from error


_DIALOGUE = re.compile(r"^[-*>\s]*\*{0,2}([^：:\n]{1,12})\*{0,2}[：:]\s*(.+)$", re.M)
_STAFF = re.compile(r"销售|客服|顾问|运营|坐席|店长|我方|学员|小[\u4e00-\u9fff]$")
_PLACEHOLDER = "待写"
_HOLDS_ANYWHERE = ("trust_min", "trust_max", "patience_max", "turn_min", "all_settled")


def draft(coach: Whetstone, item: Item) -> str:
    """A scenario to fill in, as YAML, from a case of the library.

    What the case says is put where it belongs; with a language model, briefing, stance and opening are written from it.
    What nobody can know is marked 待写, so that the linter and a reader see it.
    """
    told = _told_by_model(coach, item) if coach.gateway is not None else {}
    pattern = next(
        (s for s in coach.catalogue.scenarios.values() if s.role == item.role and s.tier == item.tier),
        next(s for s in coach.catalogue.scenarios.values() if s.role in (item.role, "sales")),
    )
    cast = pattern.cast.model_dump(mode="json", exclude_defaults=True) if pattern.cast else {"kinds": ["consumer"]}
    customer = [words for who, words in _DIALOGUE.findall(item.body) if not _STAFF.search(who)]
    shown = [c for c in item.checks if c in coach.catalogue.checks]
    asks = [c for c in shown if coach.catalogue.checks[c].family == "ask"] or ["asks-what-matters"]
    body: dict[str, Any] = {
        "id": re.sub(r"^case-", "", item.id) + "-drill",
        "role": pattern.role,
        "tier": item.tier,
        "industry": item.industry,
        "title": item.title,
        "title_en": item.title,
        "summary": told.get("summary", _first(item.body)),
        "summary_en": _PLACEHOLDER,
        "persona": pattern.persona,
        "cast": cast,
        "seat": _PLACEHOLDER,
        "rubric": pattern.rubric,
        "max_turns": pattern.max_turns,
        "minutes": pattern.minutes,
        "briefing": told.get("briefing", f"{_first(item.body)}\n\n{_PLACEHOLDER}：学员这次要做到什么。"),
        "stance": told.get("stance", f"{_PLACEHOLDER}：客户是谁、为什么来、要什么（不写隐藏事实）。"),
        "objectives": told.get("objectives") or [f"{_PLACEHOLDER}：目标"],
        "fact_sheet": [{"title": _PLACEHOLDER, "text": f"{_PLACEHOLDER}：学员可以告诉客户的事实和权限"}],
        "opening": (told.get("opening") or customer[:3] or [f"{_PLACEHOLDER}一", f"{_PLACEHOLDER}二"])[:3],
        "facts": [
            {
                "id": f"fact-{n}",
                "title": _PLACEHOLDER,
                "when": {"does": [asks[n % len(asks)]]},
                "keys": [f"{_PLACEHOLDER}关键词{n}"],
                "lines": [f"{_PLACEHOLDER}关键词{n}，第一种说法", f"{_PLACEHOLDER}关键词{n}，第二种说法"],
                "again": [f"{_PLACEHOLDER}关键词{n}，说过了"],
            }
            for n in range(1, 5)
        ],
        "objections": [
            {
                "id": f"doubt-{n}",
                "title": _PLACEHOLDER,
                "raised": {"turn_min": 2 * n - 1},
                "settled": {"any": [shown[n % len(shown)] if shown else "offers-options"]},
                "keys": [f"{_PLACEHOLDER}顾虑{n}"],
                "raise_lines": [f"{_PLACEHOLDER}顾虑{n}，提出来"],
                "press": [f"{_PLACEHOLDER}顾虑{n}，追问{i}" for i in range(1, 4)],
                "settle": [f"{_PLACEHOLDER}，放下第 {n} 个顾虑"],
            }
            for n in range(1, 4)
        ],
        "reactions": [
            {"check": c, "trust": 6, "patience": 6, "lines": [f"{_PLACEHOLDER}：对“{c}”的反应"]} for c in shown
        ],
        "endings": [e.model_dump(mode="json", exclude_defaults=True) for e in pattern.endings],
    }
    # The pattern's endings speak of its own facts and checks; only what holds anywhere is kept of their conditions.
    for ending in body["endings"]:
        when = ending.get("when")
        if when is not None:
            kept = {
                k: v
                for k, v in when.items()
                if k in ("trust_min", "trust_max", "patience_max", "turn_min", "all_settled")
            }
            ending["when"] = kept or {"all": shown[:1] or ["proposes-next-step"], "trust_min": 60}
    head = f"# 草稿：取自案例 {item.id}《{item.title}》。把所有“{_PLACEHOLDER}”写完，再检查、试玩、发布。\n"
    return head + yaml.safe_dump(body, allow_unicode=True, sort_keys=False, width=110)


def _told_by_model(coach: Whetstone, item: Item) -> dict[str, Any]:
    assert coach.gateway is not None
    prompt = prompts.load("scenario_draft")
    try:
        answer = coach.gateway.complete(prompt.messages(title=item.title, text=item.body[:4000]), max_tokens=900)
        found = json.loads(answer[answer.index("{") : answer.rindex("}") + 1])
    except (GatewayError, ValueError):
        return {}
    texts = {
        k: found[k] for k in ("summary", "briefing", "stance") if isinstance(found.get(k), str) and found[k].strip()
    }
    lists = {
        k: [line for line in found[k] if isinstance(line, str) and line.strip()]
        for k in ("objectives", "opening")
        if isinstance(found.get(k), list)
    }
    return texts | {k: v for k, v in lists.items() if len(v) >= (2 if k == "opening" else 1)}


def _first(text: str) -> str:
    """The first paragraph that is no heading."""
    for block in text.split("\n\n"):
        line = " ".join(block.split())
        if line and not line.startswith(("#", ">", "-", "|")):
            return line[:200]
    return _PLACEHOLDER
