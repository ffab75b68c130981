"""The library's part of the command line: what is in it, who changed what, what a trainer does with it."""

from __future__ import annotations

import difflib
import getpass
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from coach.compose import Whetstone
    from knowledge.item import Item
    from knowledge.ledger import Entry

_JSON = click.option("--json", "as_json", is_flag=True, help="print one JSON document on standard output")
_ROLE = click.Choice(["sales", "support", "operations", "common"])
_KIND = click.Choice(["case", "lesson", "regulation", "template"])
_TIER = click.Choice(["junior", "middle", "senior"])
_NUMBER = click.IntRange(1, 2**31 - 1)  # what every database takes


def on_the_command_line() -> str:
    """Who stands in the ledger for what is done here."""
    return f"{getpass.getuser()} (command line)"


def _coach() -> Whetstone:
    from coach.cli import open_coach

    return open_coach()


def _print_json(value: Any) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def _item(coach: Whetstone, item_id: str) -> Item:
    try:
        return coach.build_library().get(item_id)
    except KeyError as error:
        raise click.ClickException(f"there is no item {item_id}") from error


@click.group()
def library() -> None:
    """The case library and course materials: what is in it, who changed what, what a file must keep to."""


@library.command("check")
@click.argument("folder", required=False, type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.option("--only", multiple=True, help="beginning of the ids to report on")
@_JSON
def check(folder: Path | None, only: tuple[str, ...], as_json: bool) -> None:
    """Check the library's files: schema, structure, lengths, links, arithmetic, no two alike."""
    from knowledge import validate
    from knowledge.shipped import LIBRARY

    count, faults = validate.check(folder or LIBRARY, only)
    if as_json:
        _print_json({"items": count, "faults": [{"file": f.file, "problem": f.problem} for f in faults]})
    else:
        for fault in faults:
            click.echo(f"{fault.file}: {fault.problem}")
        click.echo(f"{count} items, {len(faults)} faults")
    if faults:
        sys.exit(1)


@library.command("list")
@click.option("--kind", type=_KIND)
@click.option("--role", type=_ROLE)
@click.option("--proposed", is_flag=True, help="only those with tags nobody has confirmed")
@click.option("--drafts", is_flag=True, help="only drafts")
@_JSON
def list_items(kind: str | None, role: str | None, proposed: bool, drafts: bool, as_json: bool) -> None:
    """List the items."""
    found = [
        item
        for item in _coach().build_library().index.items()
        if (kind is None or item.kind == kind)
        and (role is None or item.role == role)
        and (not proposed or item.proposed)
        and (not drafts or item.status == "draft")
    ]
    if as_json:
        _print_json([item.model_dump(mode="json", exclude={"body"}) for item in found])
        return
    for item in found:
        proposals = f"  [proposed: {', '.join(item.proposed)}]" if item.proposed else ""
        mark = "  [draft]" if item.status == "draft" else ""
        click.echo(f"{item.id:44} {item.kind:10} {item.role:10} {item.title}{proposals}{mark}")


@library.command("show")
@click.argument("item_id")
def show(item_id: str) -> None:
    """Print an item as a library file: edit it, and `whetstone ingest` it again."""
    from knowledge.shipped import as_markdown

    click.echo(as_markdown(_item(_coach(), item_id)), nl=False)


@library.command("remove")
@click.argument("item_ids", nargs=-1, required=True)
def remove(item_ids: tuple[str, ...]) -> None:
    """Take items out. The ledger keeps them: `rollback` brings them back."""
    try:
        _coach().build_library().remove(item_ids, on_the_command_line())
    except KeyError as error:
        raise click.ClickException(f"there is no item {error.args[0]}; nothing was taken out") from error
    click.echo(f"taken out: {', '.join(item_ids)}")


@library.command("confirm")
@click.argument("item_id")
@click.option("--kind", type=_KIND)
@click.option("--role", type=_ROLE)
@click.option("--industry")
@click.option("--tier", type=_TIER)
@click.option("--skill", "skills", multiple=True, help="a skill, repeated for more")
def confirm(item_id: str, **given: Any) -> None:
    """Confirm the tags proposed for an item, changed where given."""
    from coach import curation

    values = {tag: value for tag, value in given.items() if value}
    try:
        item = curation.confirm(_coach().build_library(), item_id, on_the_command_line(), values)
    except KeyError as error:
        raise click.ClickException(f"there is no item {item_id}") from error
    except curation.CurationError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{item.id}: {item.kind}, {item.role}, {item.industry}, {item.tier}, {', '.join(item.skills)}")


@library.command("publish")
@click.argument("item_id")
def publish(item_id: str) -> None:
    """Let a draft be found."""
    from coach import curation

    try:
        curation.publish(_coach().build_library(), item_id, on_the_command_line())
    except KeyError as error:
        raise click.ClickException(f"there is no item {item_id}") from error
    except curation.CurationError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"published: {item_id}")


@library.command("draft")
@click.argument("drill_id")
def draft(drill_id: str) -> None:
    """Make a draft case of a finished, scored drill, with personal data masked."""
    from coach import curation
    from coach.store.drills import NoSuchDrill

    coach = _coach()
    try:
        item = curation.draft_case(coach, drill_id, on_the_command_line())
    except NoSuchDrill as error:
        raise click.ClickException(f"there is no drill {drill_id}") from error
    except curation.CurationError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{item.id}: a draft; read it with `whetstone library show`, then publish it")


@library.command("log")
@click.argument("item_id", required=False)
@click.option("-n", "limit", default=20, show_default=True, type=click.IntRange(1, 10_000))
@_JSON
def log(item_id: str | None, limit: int, as_json: bool) -> None:
    """Who changed what, newest first."""
    entries = _coach().build_library().ledger.log(item_id, limit)
    if as_json:
        _print_json([{k: v for k, v in vars(entry).items() if k != "body"} for entry in entries])
        return
    for entry in entries:
        facts = (f"{entry.number:6}", entry.at, f"{entry.action:6}", entry.item_id, f"by {entry.who}", entry.note)
        click.echo("  ".join((*facts, entry.hash[:12])))


@library.command("diff")
@click.argument("number", type=_NUMBER)
@click.argument("other", type=_NUMBER, required=False)
def diff(number: int, other: int | None) -> None:
    """What entry NUMBER changed; with OTHER, what changed from after NUMBER to after OTHER."""
    from knowledge.ledger import LedgerError

    ledger = _coach().build_library().ledger
    try:
        if other is None:
            entry = ledger.get(number)
            pairs: list[tuple[Entry | None, Entry | None]] = [(ledger.last(entry.item_id, number - 1), entry)]
        else:
            ledger.get(number), ledger.get(other)
            before, after = ledger.state(number), ledger.state(other)
            pairs = [
                (ledger.last(name, number), ledger.last(name, other))
                for name in sorted({*before, *after})
                if before.get(name) != after.get(name)
            ]
    except LedgerError as error:
        raise click.ClickException(str(error)) from error
    for old, new in pairs:
        _print_diff(old, new)


def _print_diff(old: Entry | None, new: Entry | None) -> None:
    from knowledge.shipped import as_markdown

    def lines(entry: Entry | None) -> list[str]:
        return as_markdown(entry.item).splitlines() if entry and entry.item else []

    def name(entry: Entry | None) -> str:
        return f"{entry.item_id} (entry {entry.number})" if entry and entry.item else "/dev/null"

    for line in difflib.unified_diff(lines(old), lines(new), name(old), name(new), lineterm=""):
        click.echo(line)


@library.command("verify")
@click.option("--accept", is_flag=True, help="a ledger that ends before what was seen here is right: it was put back")
@_JSON
def verify(accept: bool, as_json: bool) -> None:
    """Prove the history: every entry against its hashes, every item against its last entry."""
    coach = _coach()
    if accept:
        coach.library.follow()
        coach.library.index.remember_lost(None)
    problems = coach.library.verify()
    head = coach.library.ledger.head()
    if as_json:
        _print_json({"entries": head.number, "head": head.hash, "problems": problems})
    else:
        for problem in problems:
            click.echo(problem)
        click.echo(f"{head.number} entries, {len(problems)} problems; the last entry's hash is {head.hash}")
    if problems:
        sys.exit(1)


@library.command("rollback")
@click.argument("number", type=_NUMBER)
@click.option("--item", "item_id", help="only this item")
def rollback(number: int, item_id: str | None) -> None:
    """Make the library, or one item, what it was after entry NUMBER. Nothing is erased: new entries say so."""
    from knowledge.ledger import LedgerError

    try:
        changes = _coach().build_library().roll_back(number, on_the_command_line(), item_id)
    except LedgerError as error:
        raise click.ClickException(str(error)) from error
    for change in changes:
        click.echo(f"{'put back ' if change.item else 'taken out'} {change.item_id}")
    click.echo(f"{len(changes)} items changed")


@library.command("related")
@click.argument("item_id")
@click.option("-k", default=8, show_default=True, type=click.IntRange(1, 50))
def related(item_id: str, k: int) -> None:
    """What goes with an item, and why."""
    from knowledge.graph import NotInGraph

    coach = _coach()
    item = _item(coach, item_id)
    try:
        found = coach.graph.related(f"{item.kind}:{item.id}", k)
    except NotInGraph as error:
        raise click.ClickException(f"{item_id} is a draft") from error
    for one in found:
        why = "linked" if one.linked else "、".join(node.title for node in one.via)
        click.echo(f"{one.score:6.2f}  {one.node.id}  {one.node.title}  ({why})")


@library.command("path")
@click.argument("goal")
@click.option("--known", multiple=True, help="a skill that needs no more learning")
@_JSON
def path(goal: str, known: tuple[str, ...], as_json: bool) -> None:
    """What to know before GOAL: a skill, a scenario, an item, or free words such as 大促活动策划."""
    from coach.learning_path import GoalNotFound, path_to, shown

    try:
        way = path_to(_coach(), goal, known)
    except GoalNotFound as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        _print_json(shown(way))
        return
    for n, step in enumerate(way.steps, 1):
        why = f"  （先于：{'、'.join(node.title for node in step.needed_by)}）" if step.needed_by else ""
        click.echo(f"{n}. {step.node.title}{why}")
        for node in step.items:
            click.echo(f"     {node.id}  {node.title}{f'  {node.minutes} 分钟' if node.minutes else ''}")
    click.echo(f"{way.minutes or 0} minutes of lessons")
