"""The catalogue: scenarios, personas, rubrics and checks of the library, loaded and cross-checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import ValidationError

import knowledge
from coach.drill.director import OUT_OF_ROLE
from coach.drill.playbook import Playbook
from coach.drill.scenario import Persona, Scenario
from coach.scoring.check import Check, Model
from coach.scoring.rubric import Rubric
from knowledge.shipped import LibraryError

SHIPPED = Path(knowledge.__file__).parent / "library"
M = TypeVar("M", Check, Persona, Rubric, Scenario)


class NotInCatalogue(LookupError):
    """No scenario or rubric of that id; says which there are."""


@dataclass(frozen=True)
class Catalogue:
    scenarios: Mapping[str, Scenario]
    personas: Mapping[str, Persona]
    rubrics: Mapping[str, Rubric]
    checks: Mapping[str, Check]

    def playbook(self, scenario_id: str) -> Playbook:
        """Everything one drill needs.

        Raises:
            NotInCatalogue: there is no such scenario.
        """
        scenario = self.scenarios.get(scenario_id)
        if scenario is None:
            raise NotInCatalogue(f"no scenario {scenario_id!r}; there are {', '.join(sorted(self.scenarios))}")
        rubric = self.rubrics[scenario.rubric]
        ids = dict.fromkeys([*rubric.check_ids(), *sorted(scenario.check_ids()), OUT_OF_ROLE])
        return Playbook(
            scenario=scenario,
            persona=self.personas[scenario.persona],
            rubric=rubric,
            checks={i: self.checks[i] for i in ids},
        )

    def practised(self, scenario_id: str) -> tuple[str, ...]:
        """Ids of the behaviours to be shown in a scenario, in the rubric's order."""
        ids = self.rubrics[self.scenarios[scenario_id].rubric].check_ids()
        return tuple(dict.fromkeys(i for i in ids if self.checks[i].polarity == "do"))

    def rubric(self, rubric_id: str) -> Rubric:
        """The rubric of that id.

        Raises:
            NotInCatalogue: there is none.
        """
        if rubric_id not in self.rubrics:
            raise NotInCatalogue(f"no rubric {rubric_id!r}; there are {', '.join(sorted(self.rubrics))}")
        return self.rubrics[rubric_id]


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
    )
    _cross_check(catalogue)
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
        return model.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise LibraryError(f"{path.name}: not readable as YAML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "the whole file"
        raise LibraryError(f"{path.name}: {field}: {first['msg']}") from error


def _cross_check(catalogue: Catalogue) -> None:
    def need(where: str, ids: set[str], there: Mapping[str, Model], what: str) -> None:
        if missing := sorted(ids - set(there)):
            raise LibraryError(f"{where}: no {what} named {', '.join(missing)}")

    need("the library", {OUT_OF_ROLE}, catalogue.checks, "check")
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
        where = f"scenarios/{scenario.id}.yaml"
        need(where, {scenario.persona}, catalogue.personas, "persona")
        need(where, {scenario.rubric}, catalogue.rubrics, "rubric")
        need(where, scenario.check_ids(), catalogue.checks, "check")
        _check_playable(where, catalogue.playbook(scenario.id))


def _check_playable(where: str, playbook: Playbook) -> None:
    waiting = {line for lines in playbook.persona.wait.values() for line in lines}
    if len(waiting) < playbook.scenario.max_turns:
        raise LibraryError(
            f"{where}: {playbook.persona.id} has {len(waiting)} waiting lines for {playbook.scenario.max_turns} turns"
        )
    for check in playbook.checks.values():
        if check.number is None:
            continue
        names = {check.number.figure, *(m.figure for m in check.number.mistakes)}
        if missing := sorted(names - set(playbook.figures)):
            raise LibraryError(f"{where}: {check.id} needs figures {', '.join(missing)}")
