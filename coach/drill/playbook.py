"""Playbook: a scenario as it is played, with its persona, rubric and checks, as one value pinned by its content hash.

A drill keeps the playbook it was started with, so that replaying, scoring and auditing it later read the same words
whatever has been edited in the library since.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from pydantic import Field

from coach.drill.figures import compute
from coach.drill.persona import Persona
from coach.drill.scenario import Scenario
from coach.scoring.check import Check, Model, content_hash
from coach.scoring.rubric import Rubric, pin


class Playbook(Model):
    scenario: Scenario
    persona: Persona
    rubric: Rubric
    level: int = 3
    strict: bool = False
    checks: dict[str, Check] = Field(description="every check the scenario or the rubric speaks of, by id")

    def changed(self, **values: Any) -> Playbook:
        """A playbook with some values replaced. (`model_copy` would take the hash along.)"""
        return Playbook(**({name: getattr(self, name) for name in Playbook.model_fields} | values))

    @functools.cached_property
    def hash(self) -> str:
        return content_hash(self.model_dump(mode="json"))

    @functools.cached_property
    def figures(self) -> Mapping[str, float]:
        return compute(self.scenario.figures)

    @functools.cached_property
    def rubric_hash(self) -> str:
        return pin(self.rubric, self.checks)
