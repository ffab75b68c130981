"""Scenarios on the command line: checking, playtesting, publishing, drafting from a case."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from coach.cli_library import on_the_command_line

_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)
_LEARNERS = click.option("--learners", type=_FILE, help="YAML of a good, a middling and a bad learner")
_JSON = click.option("--json", "as_json", is_flag=True, help="print one JSON document on standard output")


@click.group()
def scenario() -> None:
    """Write scenarios: check, playtest, publish, draft from a case."""


def _text(file: Path | None) -> str:
    try:
        return file.read_text(encoding="utf-8") if file else ""
    except (OSError, UnicodeDecodeError) as error:
        raise click.ClickException(f"{file}: cannot be read as UTF-8 text: {error}") from error


def _print(value: Any) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


@scenario.command()
@click.argument("file", type=_FILE)
@_JSON
def check(file: Path, as_json: bool) -> None:
    """Say what is wrong with a scenario before anybody plays it; exit 1 on errors."""
    from coach import authoring
    from coach.cli import open_coach

    try:
        told = authoring.check(open_coach().catalogue, _text(file))
    except authoring.AuthoringError as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        _print([{"severity": f.severity, "where": f.where, "message": f.message} for f in told.findings])
    else:
        for f in told.findings:
            click.echo(f"{f.severity:8} {f.where}: {f.message}")
        errors = sum(f.severity == "error" for f in told.findings)
        click.echo(f"{told.scenario.id}: {errors} errors, {len(told.findings) - errors} warnings")
    if not told.publishable:
        raise SystemExit(1)


@scenario.command()
@click.argument("file", type=_FILE)
@_LEARNERS
@_JSON
def playtest(file: Path, learners: Path | None, as_json: bool) -> None:
    """Play a scenario with good, middling, bad, silent, abusive, rubric-pasting and off-topic learners."""
    from coach import authoring
    from coach.cli import open_coach

    try:
        rows = [authoring.row(p) for p in authoring.try_out(open_coach(), _text(file), _text(learners))]
    except authoring.AuthoringError as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        _print(rows)
        return
    for r in rows:
        click.echo(
            f"{r['learner']:15} {r['turns']:3} turns  {r['ending'] or 'unfinished':24} {r['percent']:3} %  "
            f"{'passed' if r['passed'] else 'not passed':10}  facts {r['facts']}  blockers {r['blockers']}"
        )


@scenario.command()
@click.argument("file", type=_FILE)
@_LEARNERS
def publish(file: Path, learners: Path | None) -> None:
    """Let a scenario be practised; errors are refused."""
    from coach import authoring
    from coach.cli import open_coach

    try:
        name, version = authoring.publish(open_coach(), _text(file), on_the_command_line(), _text(learners))
    except authoring.AuthoringError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{name}: version {version}")


@scenario.command()
@click.argument("case")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="file to write; printed else")
def draft(case: str, output: Path | None) -> None:
    """A scenario to fill in from a case of the library (with a language model where one is configured)."""
    from coach import authoring
    from coach.cli import open_coach

    coach = open_coach()
    try:
        text = authoring.draft(coach, coach.build_library().get(case))
    except KeyError as error:
        raise click.ClickException(f"there is no item {case}") from error
    if output is None:
        click.echo(text, nl=False)
    else:
        output.write_text(text, encoding="utf-8")
        click.echo(str(output))


@scenario.command()
@click.argument("name")
@_JSON
def log(name: str, as_json: bool) -> None:
    """Versions of a scenario that trainers have published."""
    from coach.cli import open_coach
    from coach.store import authored

    found = authored.versions(open_coach().engine, "scenario", name)
    if as_json:
        _print([{"version": v.version, "who": v.who, "at": v.at.isoformat()} for v in found])
        return
    for v in found:
        click.echo(f"{v.version:4} {v.at:%Y-%m-%d %H:%M} {v.who}")
