"""The shipped catalogue, and what is refused in one."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
import yaml

from coach.catalogue import SHIPPED, Catalogue, LibraryError, NotInCatalogue, load
from coach.drill.playbook import Playbook
from coach.drill.scenario import Lines
from knowledge.text import fold


def every(lines: Lines) -> list[str]:
    return [x for group in lines.values() for x in group] if isinstance(lines, dict) else list(lines)


def playbooks() -> list[Playbook]:
    catalogue = load()
    return [catalogue.playbook(i) for i in catalogue.scenarios]


def test_one_drill_a_role(catalogue: Catalogue) -> None:
    assert {s.role for s in catalogue.scenarios.values()} >= {"sales", "support", "operations"}


@pytest.mark.parametrize("book", playbooks(), ids=lambda b: b.scenario.id)
class TestEveryScenario:
    def test_it_has_secrets_endings_and_room(self, book: Playbook) -> None:
        scenario = book.scenario
        assert len(scenario.facts) >= 3
        assert {"won", "deferred"} <= {e.kind for e in scenario.endings}
        assert {e.kind for e in scenario.endings} & {"walked_away", "escalated"}
        assert 8 <= scenario.max_turns <= 16

    def test_lines_carry_what_they_are_for(self, book: Playbook) -> None:
        wrong = []
        for fact in book.scenario.facts:
            wrong += [x for x in every(fact.lines) if not all(re.search(k, fold(x)) for k in fact.keys)]
        for objection in book.scenario.objections:
            for lines in (objection.raise_lines, objection.press):
                wrong += [x for x in every(lines) if not any(re.search(k, fold(x)) for k in objection.keys)]
        for ending in book.scenario.endings:
            wrong += [x for x in every(ending.lines) if not any(re.search(k, fold(x)) for k in ending.keys)]
        assert wrong == []

    def test_nothing_a_learner_reads_beforehand_gives_a_secret_away(self, book: Playbook) -> None:
        s = book.scenario
        told = fold("\n".join([s.title, s.summary, s.briefing, s.stance, *s.objectives, *s.opening]))
        leaked = [f.id for f in s.facts for p in f.secret_patterns() if re.search(p, told)]
        assert leaked == []

    def test_every_check_can_be_said(self, book: Playbook) -> None:
        assert all(c.say and c.title_en for c in book.checks.values())


def broken(tmp_path: Path, change: str, **fields: object) -> Path:
    """A copy of the shipped catalogue with fields of one file changed."""
    folder = tmp_path / "library"
    shutil.copytree(SHIPPED, folder)
    path = folder / change
    raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    path.write_text(yaml.safe_dump({**raw, **fields}, allow_unicode=True), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("file", "fields", "message"),
    [
        ("scenarios/sales-bakery-price.yaml", {"persona": "nobody"}, "no persona named nobody"),
        ("scenarios/sales-bakery-price.yaml", {"rubric": "none"}, "no rubric named none"),
        ("scenarios/sales-bakery-price.yaml", {"max_turns": 40}, "waiting lines for 40 turns"),
        ("scenarios/sales-bakery-price.yaml", {"surprise": 1}, "surprise: Extra inputs"),
        ("scenarios/sales-bakery-price.yaml", {"id": "other"}, "the file's name says"),
        ("rubrics/consultative-sales.yaml", {"blockers": ["asks-budget"]}, "is to be done"),
        ("rubrics/consultative-sales.yaml", {"required": ["nowhere"]}, "in no criterion: nowhere"),
        ("checks/asks-budget.yaml", {"pattern": {"any": ["("]}}, "not a regular expression"),
        ("checks/asks-budget.yaml", {"pattern": None, "examples": None}, "nothing could ever meet it"),
    ],
)
def test_what_is_wrong_names_the_file(tmp_path: Path, file: str, fields: dict[str, object], message: str) -> None:
    with pytest.raises(LibraryError) as caught:
        load(broken(tmp_path, file, **fields))
    assert Path(file).name in str(caught.value) or file in str(caught.value)
    assert message in str(caught.value)


def test_a_file_that_is_no_yaml(tmp_path: Path) -> None:
    folder = broken(tmp_path, "checks/asks-budget.yaml")
    (folder / "checks/asks-budget.yaml").write_text("a: [1", encoding="utf-8")
    with pytest.raises(LibraryError, match=r"asks-budget.yaml: not readable as YAML"):
        load(folder)


def test_what_is_not_there_says_what_is(catalogue: Catalogue) -> None:
    with pytest.raises(NotInCatalogue, match="sales-bakery-price"):
        catalogue.playbook("nope")
    with pytest.raises(NotInCatalogue, match="consultative-sales"):
        catalogue.rubric("nope")
