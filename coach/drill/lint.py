"""The linter: what is wrong with a scenario before anybody plays it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from coach.drill.casting import PERSON, cast, places
from coach.drill.persona import Persona
from coach.drill.scenario import Ending, Fact, Lines, Objection, Scenario, When
from coach.scoring.check import Check
from coach.scoring.rubric import Rubric
from knowledge.text import fold

FEWEST_FACTS, FEWEST_OBJECTIONS, FEWEST_ENDINGS, FEWEST_TO_WIN = 4, 3, 4, 4
FEWEST_EXAMPLES = 6
_SEEDS = 20
_UNWRITTEN = "待写"
"""What a draft says where somebody has to write."""
_SHE = re.compile(r"\b(he|she|his|her|him)\b", re.I)


@dataclass(frozen=True)
class Finding:
    """Something to mend; an error keeps the scenario from being published, a warning does not.

    Attributes:
        where: the place in the scenario, as a path like `facts.waste.lines`.
    """

    severity: Literal["error", "warning"]
    where: str
    message: str


def lint(scenario: Scenario, persona: Persona, rubric: Rubric, checks: dict[str, Check]) -> list[Finding]:
    """Everything wrong with a scenario; errors first."""
    findings = [*_references(scenario, rubric, checks), *_places(scenario)]
    if not any(f.severity == "error" for f in findings):
        try:
            played = [cast(scenario, persona, seed=seed)[0] for seed in range(_SEEDS if _drawn(scenario) else 1)]
        except ValueError as error:
            return [*findings, Finding("error", "figures", str(error))]
        findings += [*_reachable(played[0], checks), *_enough(played[0], persona), *_examples(played[0], checks)]
        findings += dict.fromkeys(f for one in played for f in _lines(one))
        findings += dict.fromkeys(f for one in played for f in _mistakes(one, rubric, checks))
    return sorted(findings, key=lambda f: (f.severity != "error", f.where))


def to_win(scenario: Scenario, ending: Ending) -> set[str]:
    """The fewest checks that have to be shown for this ending, as far as its conditions name them."""
    needed: set[str] = set()
    groups: list[frozenset[str]] = []
    seen: set[str] = set()

    def need(when: When) -> None:
        needed.update(when.all)
        groups.extend(frozenset(group) for group in (when.does, when.any) if group)
        for fact in scenario.facts:
            if fact.id in when.facts and fact.id not in seen:
                seen.add(fact.id)
                need(fact.when)
        for objection in scenario.objections:
            if objection.id in when.settled and objection.id not in seen:
                seen.add(objection.id)
                need(objection.settled)

    assert ending.when is not None
    for objection in scenario.objections:
        if objection.must:
            seen.add(objection.id)
            need(objection.settled)
    need(ending.when)
    return needed | _smallest(frozenset(needed), tuple(dict.fromkeys(groups)))


def _smallest(have: frozenset[str], groups: tuple[frozenset[str], ...]) -> frozenset[str]:
    """A smallest set with one of every group, given what is there already."""
    open_groups = [g for g in groups if not g & have]
    if not open_groups:
        return have
    narrowest = min(open_groups, key=lambda g: (len(g), sorted(g)))
    return min((_smallest(have | {one}, tuple(open_groups)) for one in sorted(narrowest)), key=len)


def _drawn(scenario: Scenario) -> bool:
    from coach.drill.figures import Draw

    return any(isinstance(f, Draw) for f in scenario.figures.values())


def _conditions(scenario: Scenario) -> Iterator[tuple[str, When]]:
    for fact in scenario.facts:
        yield f"facts.{fact.id}.when", fact.when
    for objection in scenario.objections:
        yield f"objections.{objection.id}.raised", objection.raised
        yield f"objections.{objection.id}.settled", objection.settled
    for ending in scenario.endings:
        if ending.when is not None:
            yield f"endings.{ending.id}.when", ending.when


def _references(scenario: Scenario, rubric: Rubric, checks: dict[str, Check]) -> Iterator[Finding]:
    for where, when in _conditions(scenario):
        if unknown := sorted(when.check_ids() - set(checks)):
            yield Finding("error", where, f"there is no check named {', '.join(unknown)}")
        if (when.trust_min or 0) > 100 or (when.turn_min or 0) > scenario.max_turns:
            yield Finding("error", where, "can never hold: the bound is out of reach")
    for reaction in scenario.reactions:
        if reaction.check not in checks:
            yield Finding("error", f"reactions.{reaction.check}", "there is no check of that name")
    earning = {c.check for criterion in rubric.criteria for c in criterion.checks}
    for waived in scenario.waives:
        if waived not in earning:
            yield Finding("error", f"waives.{waived}", "the rubric does not count this check")
    for override in scenario.overrides:
        if override not in checks:
            yield Finding("error", f"overrides.{override}", "there is no check of that name")
        elif override not in rubric.check_ids():
            yield Finding(
                "warning", f"overrides.{override}", "the rubric does not count this check: nobody will see it"
            )
    speaks_of = {i for _, when in _conditions(scenario) for i in when.check_ids()}
    for i in sorted(earning - set(scenario.waives)):
        check = checks.get(i)
        figureless = check is not None and check.number is not None and check.number.figure not in scenario.figures
        if (
            check is not None
            and not figureless
            and i not in speaks_of
            and i not in {r.check for r in scenario.reactions}
        ):
            yield Finding("warning", f"rubric.{i}", "earns points but nothing in the scenario answers to it: waive it?")
    for i in sorted(speaks_of & set(scenario.waives)):
        yield Finding("error", f"waives.{i}", "a condition speaks of this check: it cannot be waived")


def _places(scenario: Scenario) -> Iterator[Finding]:
    known = PERSON | set(scenario.figures)
    for where, text in _texts(scenario.model_dump(mode="json"), ""):
        if unknown := sorted(places(text) - known):
            yield Finding("error", where, f"nothing is called {', '.join(unknown)}")
        if _UNWRITTEN in text:
            yield Finding("error", where, f"still says {_UNWRITTEN}")
        if where.endswith("_en") and _SHE.search(text):
            yield Finding("warning", where, "says he or she: the customer may be played by anybody")


def _texts(value: object, where: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _texts(item, f"{where}.{key}".lstrip("."))
    elif isinstance(value, list):
        for i, item in enumerate(value):
            name = item.get("id", i) if isinstance(item, dict) else i
            yield from _texts(item, f"{where}.{name}")
    elif isinstance(value, str):
        yield where, value


def _reachable(scenario: Scenario, checks: dict[str, Check]) -> Iterator[Finding]:
    for fact in scenario.facts:
        if not fact.when.does and not fact.when.any and not fact.when.all and not fact.when.slips:
            yield Finding("error", f"facts.{fact.id}", "nothing has to be done to earn it")
        if _wanted(fact.when, checks) is False:
            yield Finding("error", f"facts.{fact.id}", "only bad behaviour brings it out")
    for objection in scenario.objections:
        if objection.settled == When():
            yield Finding("error", f"objections.{objection.id}", "nothing settles it: it settles itself")
        elif _wanted(objection.settled, checks) is False:
            yield Finding("error", f"objections.{objection.id}", "only bad behaviour settles it")
    for where, when in _conditions(scenario):
        if when.trust_min is not None and when.trust_max is not None and when.trust_min > when.trust_max:
            yield Finding("error", where, "can never hold: trust_min is above trust_max")
    for name, stuck in _stuck(scenario):
        yield Finding("error", name, f"can never come about: it waits for {stuck}, which waits for it")
    for i, ending in enumerate(scenario.endings):
        for earlier in scenario.endings[:i]:
            if ending.when and earlier.when and earlier.kind != "won" and _weaker(earlier.when, ending.when):
                yield Finding("error", f"endings.{ending.id}", f"never reached: {earlier.id} is always taken before it")
        if ending.kind == "won" and ending.when is not None:
            needed = {i for i in to_win(scenario, ending) if i in checks and checks[i].polarity == "do"}
            if len(needed) < FEWEST_TO_WIN:
                yield Finding(
                    "error",
                    f"endings.{ending.id}",
                    f"can be won with {len(needed)} behaviours: {', '.join(sorted(needed))}; ask for more",
                )


def _wanted(when: When, checks: dict[str, Check]) -> bool | None:
    """Whether good behaviour brings it about; None when no behaviour is asked for."""
    ids = when.check_ids() - set(when.slips)
    if not ids:
        return None
    return any(checks[i].polarity == "do" for i in ids if i in checks)


def _stuck(scenario: Scenario) -> Iterator[tuple[str, str]]:
    waits: dict[str, set[str]] = {f.id: {*f.when.facts, *f.when.settled} for f in scenario.facts}
    waits |= {o.id: {*o.settled.facts, *o.settled.settled, *o.raised.facts} for o in scenario.objections}
    free: set[str] = set()
    while fresh := {i for i, on in waits.items() if i not in free and on <= free}:
        free |= fresh
    for i in waits:
        if i not in free:
            yield i, ", ".join(sorted(waits[i] - free))


def _weaker(earlier: When, later: When) -> bool:
    """Whether `earlier` holds whenever `later` does."""
    return (
        (not earlier.does or (bool(later.does) and set(later.does) <= set(earlier.does)))
        and (not earlier.slips or (bool(later.slips) and set(later.slips) <= set(earlier.slips)))
        and (not earlier.any or bool(set(earlier.any) & set(later.all)))
        and set(earlier.all) <= set(later.all)
        and set(earlier.facts) <= set(later.facts)
        and set(earlier.settled) <= set(later.settled)
        and (not earlier.all_settled or later.all_settled)
        and (earlier.trust_min is None or (later.trust_min is not None and earlier.trust_min <= later.trust_min))
        and (earlier.trust_max is None or (later.trust_max is not None and earlier.trust_max >= later.trust_max))
        and (
            earlier.patience_max is None
            or (later.patience_max is not None and earlier.patience_max >= later.patience_max)
        )
        and (earlier.turn_min is None or (later.turn_min is not None and earlier.turn_min <= later.turn_min))
    )


def _enough(scenario: Scenario, persona: Persona) -> Iterator[Finding]:
    for what, there, fewest in (
        ("facts", scenario.facts, FEWEST_FACTS),
        ("objections", scenario.objections, FEWEST_OBJECTIONS),
        ("endings", scenario.endings, FEWEST_ENDINGS),
    ):
        if len(there) < fewest:
            yield Finding("warning", what, f"{len(there)} are few; {fewest} make a conversation")
    kinds = {e.kind for e in scenario.endings}
    if "won" not in kinds:
        yield Finding("error", "endings", "nobody can do well: no ending is won")
    if "walked_away" not in kinds:
        yield Finding("error", "endings", "the customer can never walk away")
    if sum(len(lines) for lines in persona.wait.values()) < scenario.max_turns:
        yield Finding("error", "persona", "has fewer waiting lines than the drill has turns")
    if not scenario.terms:
        yield Finding("warning", "terms", "nothing the learner states is held against the fact sheet")


def _examples(scenario: Scenario, checks: dict[str, Check]) -> Iterator[Finding]:
    for i in sorted(scenario.check_ids()):
        check = checks[i]
        if check.number or check.terms:
            continue
        if check.examples is None or min(len(check.examples.met), len(check.examples.near)) < FEWEST_EXAMPLES:
            yield Finding("error", f"checks.{i}", f"has fewer than {FEWEST_EXAMPLES} examples and near misses")


def _spoken(lines: Lines) -> list[str]:
    return [line for group in lines.values() for line in group] if isinstance(lines, dict) else list(lines)


def _lines(scenario: Scenario) -> Iterator[Finding]:
    """Lines must do what they are for, give nothing away early, and be different from each other."""

    def carries(where: str, lines: list[str], holds: Callable[[str], bool], keys: list[str]) -> Iterator[Finding]:
        for line in lines:
            if not holds(fold(line)):
                yield Finding("error", where, f"“{line}” has none of what its keys ask for: {' '.join(keys)}")

    def every(of: Fact) -> Callable[[str], bool]:
        return lambda line: all(re.search(k, line) for k in of.keys)

    def one(of: Objection | Ending) -> Callable[[str], bool]:
        return lambda line: any(re.search(k, line) for k in of.keys)

    said: list[tuple[str, str]] = [("opening", line) for line in scenario.opening]
    for fact in scenario.facts:
        yield from carries(f"facts.{fact.id}.lines", _spoken(fact.lines), every(fact), fact.keys)
        said += [(f"facts.{fact.id}", line) for line in [*_spoken(fact.lines), *fact.again]]
        if len(_spoken(fact.lines)) < 2:
            yield Finding("warning", f"facts.{fact.id}.lines", "one line only: every drill will sound the same")
    for objection in scenario.objections:
        for name in ("raise_lines", "press"):
            lines = _spoken(getattr(objection, name))
            yield from carries(f"objections.{objection.id}.{name}", lines, one(objection), objection.keys)
        said += [
            (f"objections.{objection.id}", line)
            for lines in (objection.raise_lines, objection.press, objection.settle)
            for line in _spoken(lines)
        ]
        if len(_spoken(objection.press)) < 3:
            yield Finding("warning", f"objections.{objection.id}.press", "fewer than three: it will fall silent")
    for ending in scenario.endings:
        yield from carries(f"endings.{ending.id}.lines", _spoken(ending.lines), one(ending), ending.keys)
        said += [(f"endings.{ending.id}", line) for line in _spoken(ending.lines)]
    for reaction in scenario.reactions:
        said += [(f"reactions.{reaction.check}", line) for line in _spoken(reaction.lines)]

    texts = [line for _, line in said]
    for line in sorted({t for t in texts if texts.count(t) > 1}):
        yield Finding("error", "lines", f"“{line}” stands there more than once")
    told = [(f"fact_sheet.{e.title}", e.text) for e in scenario.fact_sheet]
    told += [("briefing", scenario.briefing), ("stance", scenario.stance), ("summary", scenario.summary)]
    for fact in scenario.facts:
        for secret in fact.secret_patterns():
            for where, text in [*said, *told]:
                # An ending or a doubt may speak of a fact only where it comes after it.
                later = where.split(".")[0] == "facts" and where.split(".")[1] == fact.id
                if not later and re.search(secret, fold(text)) and not _after(scenario, where, fact):
                    yield Finding("error", where, f"gives {fact.id} away ({secret}): “{text[:40]}”")


def _after(scenario: Scenario, where: str, fact: Fact) -> bool:
    kind, _, name = where.partition(".")
    if kind == "facts":
        return any(f.id == name and fact.id in f.when.facts for f in scenario.facts)
    if kind == "objections":
        return any(o.id == name and fact.id in o.raised.facts for o in scenario.objections)
    if kind == "endings":
        return any(e.id == name and e.when is not None and fact.id in e.when.facts for e in scenario.endings)
    return False


def _mistakes(scenario: Scenario, rubric: Rubric, checks: dict[str, Check]) -> Iterator[Finding]:
    """A usual mistake that comes to the right value by chance would be praised or the right value blamed."""
    for i in {*rubric.check_ids(), *scenario.check_ids()}:
        number = checks[i].number if i in checks else None
        if number is None or number.figure not in scenario.figures:
            continue
        value = scenario.figures[number.figure]
        assert isinstance(value, float)
        for mistake in number.mistakes:
            wrong = scenario.figures.get(mistake.figure)
            if isinstance(wrong, float) and abs(wrong - value) <= abs(value) * number.tolerance:
                yield Finding("error", f"figures.{mistake.figure}", f"for some seed it equals {number.figure}")
