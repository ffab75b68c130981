"""The catalogue: scenarios, personas, rubrics and checks of the library, loaded and cross-checked."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

import knowledge
from coach.drill.casting import USUAL_LEVEL, cast, fits
from coach.drill.director import ALWAYS
from coach.drill.learners import QUALITIES, Learners
from coach.drill.persona import Persona
from coach.drill.playbook import Playbook
from coach.drill.scenario import Scenario
from coach.scoring.check import Check, Model
from coach.scoring.rubric import Rubric, without
from knowledge.shipped import LibraryError

SHIPPED = Path(knowledge.__file__).parent / "library"
ANYBODY = "any"
# The safe loader in C reads the catalogue ten times faster, where it was built.
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
M = TypeVar("M", Check, Learners, Persona, Rubric, Scenario)


class NotInCatalogue(LookupError):
    """No scenario or rubric of that id; says which there are."""


@dataclass(frozen=True)
class Catalogue:
    scenarios: Mapping[str, Scenario]
    personas: Mapping[str, Persona]
    rubrics: Mapping[str, Rubric]
    checks: Mapping[str, Check]
    learners: Mapping[str, Learners]

    def playbook(
        self, scenario_id: str, *, persona: str | None = None, level: int = USUAL_LEVEL, seed: int = 0
    ) -> Playbook:
        """Everything one drill needs: the scenario cast with one persona, at one level, with the figures of one seed.

        Args:
            persona: id of one who fits the scenario, or `any` to draw one by the seed; the scenario's own when None.

        Raises:
            NotInCatalogue: there is no such scenario, or no such persona who fits it.
            ValueError: the level is none.
        """
        scenario = self._scenario(scenario_id)
        if persona == ANYBODY:
            pool = self.cast(scenario_id)
            persona = pool[seed % len(pool)]
        somebody = self.personas.get(persona or scenario.persona)
        if somebody is None or not fits(scenario, somebody):
            fitting = ", ".join(self.cast(scenario_id))
            raise NotInCatalogue(f"persona: {persona!r} cannot play {scenario_id}; these can: {fitting}")
        return compose(scenario, somebody, self.rubrics[scenario.rubric], self.checks, level=level, seed=seed)

    @functools.cached_property
    def told(self) -> Mapping[str, Scenario]:
        """Scenarios as people read of them: with the usual persona's name, and figures of one seed."""
        return {i: self.playbook(i).scenario for i in self.scenarios}

    def cast(self, scenario_id: str) -> list[str]:
        """Ids of everybody who can play the customer of a scenario, its own persona first."""
        scenario = self._scenario(scenario_id)
        others = [p.id for p in self.personas.values() if fits(scenario, p) and p.id != scenario.persona]
        return [scenario.persona, *others]

    def _scenario(self, scenario_id: str) -> Scenario:
        scenario = self.scenarios.get(scenario_id)
        if scenario is None:
            raise NotInCatalogue(f"no scenario {scenario_id!r}; there are {', '.join(sorted(self.scenarios))}")
        return scenario

    def practised(self, scenario_id: str) -> tuple[str, ...]:
        """Ids of the behaviours to be shown in a scenario, in the rubric's order."""
        scenario = self.scenarios[scenario_id]
        ids = without(self.rubrics[scenario.rubric], scenario.waives).check_ids()
        return tuple(dict.fromkeys(i for i in ids if self.checks[i].polarity == "do"))

    def rubric(self, rubric_id: str) -> Rubric:
        """The rubric of that id.

        Raises:
            NotInCatalogue: there is none.
        """
        if rubric_id not in self.rubrics:
            raise NotInCatalogue(f"no rubric {rubric_id!r}; there are {', '.join(sorted(self.rubrics))}")
        return self.rubrics[rubric_id]


def compose(
    scenario: Scenario,
    persona: Persona,
    rubric: Rubric,
    checks: Mapping[str, Check],
    *,
    level: int = USUAL_LEVEL,
    seed: int = 0,
) -> Playbook:
    """A playbook from its parts."""
    played, somebody = cast(scenario, persona, level=level, seed=seed)
    counted = without(rubric, scenario.waives)
    ids = dict.fromkeys([*counted.check_ids(), *sorted(scenario.check_ids()), *ALWAYS])
    return Playbook(scenario=played, persona=somebody, rubric=counted, level=level, checks={i: checks[i] for i in ids})


def load(folder: Path = SHIPPED) -> Catalogue:
    """Read and cross-check the catalogue under `folder`.

    Raises:
        LibraryError: names the first file that is malformed and the field that is wrong.
    """
    catalogue = Catalogue(
        scenarios=_read(folder / "scenarios", Scenario),
        personas=_read(folder / "personas", Persona),
        rubrics=_read(folder / "rubrics", Rubric),
        checks=_read(folder / "checks", Check),
        learners=_read(folder / "learners", Learners),
    )
    cross_check(catalogue)
    return catalogue


def overlaid(shipped: Catalogue, authored: Iterable[tuple[str, str]]) -> Catalogue:
    """A catalogue with what trainers have published in place of what ships.

    Args:
        authored: (kind, YAML), kind `scenario` or `learners`.

    Raises:
        LibraryError: something published does not fit.
    """
    written = list(authored)
    scenarios = {s.id: s for s in (read(text, Scenario, "scenario") for kind, text in written if kind == "scenario")}
    learners = {
        one.id: one for one in (read(text, Learners, "learners") for kind, text in written if kind == "learners")
    }
    catalogue = replace(
        shipped, scenarios={**shipped.scenarios, **scenarios}, learners={**shipped.learners, **learners}
    )
    cross_check(catalogue, only={*scenarios, *learners})
    return catalogue


def _read(folder: Path, model: type[M]) -> dict[str, M]:
    items: dict[str, M] = {}
    for path in sorted(folder.glob("*.yaml")):
        item = parse(path, model)
        if item.id != path.stem:
            raise LibraryError(f"{path.name}: id is {item.id!r}, the file's name says {path.stem!r}")
        items[item.id] = item
    return items


def parse(path: Path, model: type[M]) -> M:
    """One item from a YAML file.

    Raises:
        LibraryError: the file is no YAML or does not fit `model`; names the field.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise LibraryError(f"{path.name}: not readable as YAML: {error}") from error
    return read(text, model, path.name)


def read(text: str, model: type[M], name: str) -> M:
    """One item from YAML; `name` is what to call it in an error.

    Raises:
        LibraryError: it is no YAML or does not fit `model`; names the field.
    """
    try:
        return model.model_validate(yaml.load(text, Loader=LOADER))  # noqa: S506
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "the whole file"
        raise LibraryError(f"{name}: {field}: {first['msg']}") from error
    except (yaml.YAMLError, ValueError, ArithmeticError, RecursionError) as error:
        raise LibraryError(f"{name}: not readable as YAML: {error}") from error


def cross_check(catalogue: Catalogue, only: Collection[str] | None = None) -> None:
    """Whether everything that is named is there, and every scenario can be played.

    Args:
        only: ids of the scenarios to look at, with their learners; all when None.

    Raises:
        LibraryError: says where something is missing.
    """

    def need(where: str, ids: set[str], there: Mapping[str, Model], what: str) -> None:
        if missing := sorted(ids - set(there)):
            raise LibraryError(f"{where}: no {what} named {', '.join(missing)}")

    need("the library", set(ALWAYS), catalogue.checks, "check")
    for rubric in catalogue.rubrics.values():
        where = f"rubrics/{rubric.id}.yaml"
        need(where, set(rubric.check_ids()), catalogue.checks, "check")
        for criterion in rubric.criteria:
            for weighted in criterion.checks:
                if catalogue.checks[weighted.check].polarity == "avoid":
                    raise LibraryError(f"{where}: {weighted.check} is to be avoided; it cannot earn points")
        for costly in [*(p.check for p in rubric.penalties), *rubric.blockers]:
            if catalogue.checks[costly].polarity == "do":
                raise LibraryError(f"{where}: {costly} is to be done; it can be neither penalty nor blocker")
    for check in catalogue.checks.values():
        need(f"checks/{check.id}.yaml", {check.before} if check.before else set(), catalogue.checks, "check")
    for scenario in catalogue.scenarios.values():
        if only is not None and scenario.id not in only:
            continue
        where = f"scenarios/{scenario.id}.yaml"
        need(where, {scenario.persona}, catalogue.personas, "persona")
        need(where, {scenario.rubric}, catalogue.rubrics, "rubric")
        need(where, scenario.check_ids(), catalogue.checks, "check")
        try:
            _check_playable(where, catalogue.playbook(scenario.id))
        except ValueError as error:
            raise LibraryError(str(error) if isinstance(error, LibraryError) else f"{where}: {error}") from error
    for learners in catalogue.learners.values():
        if only is not None and learners.id not in only:
            continue
        where = f"learners/{learners.id}.yaml"
        need(where, {learners.id}, catalogue.scenarios, "scenario")
        for quality in QUALITIES:
            need(where, learners.of(quality).shown(), catalogue.checks, "check")


def _check_playable(where: str, playbook: Playbook) -> None:
    waiting = {line for lines in playbook.persona.wait.values() for line in lines}
    if len(waiting) < playbook.scenario.max_turns:
        raise LibraryError(
            f"{where}: {playbook.persona.id} has {len(waiting)} waiting lines for {playbook.scenario.max_turns} turns"
        )
    for i in playbook.scenario.check_ids():
        number, pattern = playbook.checks[i].number, playbook.checks[i].pattern
        if number is not None and pattern is None and number.figure not in playbook.figures:
            raise LibraryError(f"{where}: {i} needs the figure {number.figure}")
