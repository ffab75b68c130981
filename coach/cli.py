"""The command line. Everything heavy is imported where it is used, so that every command starts at once."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click
from pydantic import ValidationError

if TYPE_CHECKING:
    from coach.compose import Whetstone
    from coach.llm.call import Endpoint

_JSON = click.option("--json", "as_json", is_flag=True, help="print one JSON document on standard output")
_ROLE = click.Choice(["sales", "support", "operations", "common"])
_KIND = click.Choice(["case", "lesson", "regulation", "template"])


def main() -> None:
    """Entry point: errors the user can mend are one line on standard error and exit code 2."""
    try:
        cli.main(standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        _fail(error.format_message())
    except ValidationError as error:
        first = error.errors()[0]
        name = "_".join(["WHETSTONE", *(str(p).upper() for p in first["loc"])])
        _fail(f"{name}: {first['msg']}" if first["loc"] else first["msg"])
    except BrokenPipeError:
        sys.stderr.close()
    except OSError as error:
        _fail(f"{error.filename or 'system'}: {error.strerror or error}")
    except Exception as error:
        if not _is_the_users(error):
            raise
        _fail(str(error).splitlines()[0])


def _is_the_users(error: Exception) -> bool:
    """Whether the error is about what the user gave (files, addresses, models), not about a fault of ours."""
    from sqlalchemy.exc import OperationalError

    from coach.llm.local import LocalModelError
    from coach.store.database import DatabaseError
    from knowledge.library import LibraryError

    return isinstance(error, OperationalError | LibraryError | LocalModelError | DatabaseError)


def _fail(message: str) -> NoReturn:
    click.echo(f"whetstone: {' '.join(message.split())}", err=True)
    sys.exit(2)


def _coach(endpoint: Endpoint | None = None) -> Whetstone:
    from coach.compose import Whetstone
    from coach.settings import Settings

    try:
        return Whetstone(Settings(), endpoint)
    except ValidationError:
        raise
    except ValueError as error:
        raise click.ClickException(f"WHETSTONE_LLM_{str(error).upper().split(':')[0]}: {error}") from error


def _print_json(value: Any) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="whetstone", prog_name="whetstone")
def cli() -> None:
    """Whetstone 砺石: an AI practice coach for sales, customer-support and operations staff."""


@cli.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--demo", is_flag=True, help="with demo accounts; on a loopback address only")
@click.option("--llm", type=click.Choice(["local"]), help="run the local language model (see: whetstone model pull)")
def serve(host: str, port: int, demo: bool, llm: str | None) -> None:
    """Serve the pages, the API and the OpenAI-compatible endpoint."""
    from api.serve import ServeError, serve

    try:
        serve(_coach, host=host, port=port, demo=demo, local_model=llm == "local")
    except ServeError as error:
        raise click.ClickException(str(error)) from error


@cli.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--kind", type=_KIND, help="what the documents are; lesson when neither this nor the file says")
@_JSON
def ingest(paths: tuple[Path, ...], kind: Any, as_json: bool) -> None:
    """Add documents to the library. A file that cannot be read is named with its reason; the rest go on."""
    from knowledge.ingest import ingest_paths

    report = ingest_paths(_coach().build_index(), paths, kind)
    if as_json:
        _print_json(
            [
                {
                    "file": str(f.path),
                    "status": f.status,
                    "reason": f.reason,
                    "item": f.item_id,
                    "passages": f.passages,
                    "mended": f.mended,
                    "lost": f.lost,
                }
                for f in report.files
            ]
        )
    else:
        for f in report.files:
            detail = f.reason or f"{f.passages} passages, {f.mended} mended, {f.lost} characters lost for good"
            click.echo(f"{f.status:9} {f.path}: {detail}")
    if report.files and len(report.refused) == len(report.files):
        _fail("no file could be taken")


@cli.command()
@click.argument("query")
@click.option("-k", default=5, show_default=True, type=click.IntRange(1, 50))
@click.option("--role", type=_ROLE)
@click.option("--kind", type=_KIND)
@_JSON
def search(query: str, k: int, role: Any, kind: Any, as_json: bool) -> None:
    """Search the case library and course materials."""
    import time

    index = _coach().build_index()
    index.search("热身", k=1)  # the time told is that of a search, not of loading the model
    began = time.perf_counter()
    try:
        hits = index.search(query, k=k, role=role, kind=kind)
    except ValueError as error:
        raise click.ClickException(f"QUERY: {error}") from error
    took = round((time.perf_counter() - began) * 1000, 1)
    if as_json:
        _print_json(
            {
                "query": query,
                "took_ms": took,
                "hits": [
                    {
                        "id": h.id,
                        "title": h.title,
                        "kind": h.kind,
                        "role": h.role,
                        "score": round(h.score, 4),
                        "passage": h.passage,
                        "source": h.source,
                        "heading": list(h.heading),
                    }
                    for h in hits
                ],
            }
        )
        return
    for n, h in enumerate(hits, 1):
        click.echo(f"{n}. {h.title}  [{h.kind}, {h.role}]  {' › '.join(h.heading)}")
        click.echo(f"   {h.passage.strip()}\n   — {h.source}\n")


@cli.command()
@_JSON
def scenarios(as_json: bool) -> None:
    """List the scenarios."""
    from coach import catalogue

    found = catalogue.load().scenarios.values()
    if as_json:
        names = ("id", "role", "tier", "industry", "title", "title_en", "summary", "minutes", "max_turns", "rubric")
        _print_json([{n: getattr(s, n) for n in names} for s in found])
        return
    for s in found:
        click.echo(f"{s.id:28} {s.role:10} {s.tier:7} {s.title}")


@cli.command()
@click.argument("scenario")
@click.option("--voice", type=click.Choice(["builtin", "llm"]), default="builtin", show_default=True)
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), help="the same seed and words, the same drill")
@click.option("--script", type=click.Path(path_type=Path), help="a UTF-8 file, one learner turn a line")
@_JSON
def drill(scenario: str, voice: str, seed: int | None, script: Path | None, as_json: bool) -> None:
    """Practise a scenario in the terminal, or play a script through it."""
    from coach import terminal
    from coach.catalogue import NotInCatalogue
    from coach.drill.session import BadTurn

    if as_json and script is None:
        raise click.ClickException("--json needs --script")
    coach = _coach()
    try:
        book = coach.catalogue.playbook(scenario)
        with terminal.voice(coach, voice) as chosen:
            lines = terminal.read_script(script) if script else None
            terminal.play(coach, book, chosen, seed=seed, lines=lines, as_json=as_json)
    except (NotInCatalogue, BadTurn, terminal.TerminalError) as error:
        raise click.ClickException(str(error)) from error


@cli.command()
def demo() -> None:
    """Play a scripted sales drill and print its scorecard, with what to read."""
    from coach import terminal
    from evals import scripts

    coach = _coach()
    click.echo("正在准备案例库……", err=True)
    coach.build_index()
    book = coach.catalogue.playbook("sales-bakery-price")
    terminal.play(coach, book, coach.voices["builtin"], seed=1, lines=scripts.turns(book.scenario.id, "middling"))


@cli.command()
@click.argument("transcript", type=click.Path(path_type=Path))
@click.option("--rubric", required=True, help="id of the rubric to score by")
@_JSON
def score(transcript: Path, rubric: str, as_json: bool) -> None:
    """Score a transcript (.json), or many (.jsonl: a transcript a line in, a scorecard a line out)."""
    from coach import catalogue
    from coach.scoring.render import markdown
    from coach.transcript import TranscriptError, read

    coach = _coach()
    try:
        transcripts = read(transcript)
        chosen = coach.catalogue.rubric(rubric)
        cards = [coach.score_transcript(t, chosen) for t in transcripts]
    except (TranscriptError, catalogue.NotInCatalogue) as error:
        raise click.ClickException(str(error)) from error
    if transcript.suffix == ".jsonl":
        for card in cards:
            click.echo(card.model_dump_json())
    elif as_json:
        _print_json(cards[0].model_dump(mode="json"))
    else:
        click.echo(markdown(cards[0], coach.catalogue.checks))


@cli.command("eval")
@click.argument("suite", type=click.Choice(["scripts", "understanding", "retrieval"]))
@click.option("--data", type=click.Path(path_type=Path), help="folder of the suite's data, where it needs one")
@_JSON
def evaluate(suite: str, data: Path | None, as_json: bool) -> None:
    """Measure: scripts (the learner scripts), understanding (the checks' examples), retrieval (a search benchmark)."""
    import evals

    try:
        report = evals.run(suite, _coach(), data)
    except evals.EvalError as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        _print_json(report.as_json())
    else:
        click.echo(report.as_text())
    if report.failed:
        sys.exit(1)


@cli.group()
def model() -> None:
    """The local language model."""


@model.command("pull")
@click.argument("name", default="qwen2.5-coder-1.5b")
def model_pull(name: str) -> None:
    """Fetch a model's weights, verify them and keep them."""
    from tqdm import tqdm

    from coach.llm import local

    if name not in local.MODELS:
        raise click.ClickException(f"no local model is called {name!r}; there are {', '.join(local.MODELS)}")
    with tqdm(unit="B", unit_scale=True, file=sys.stderr) as bar:

        def progress(shards: int, all_shards: int, done: int, all_bytes: int) -> None:
            bar.total = all_bytes
            bar.set_description(f"part {shards}/{all_shards}")
            bar.update(done - bar.n)

        try:
            path = local.pull(name, progress=progress)
        except local.LocalModelError as error:
            raise click.ClickException(str(error)) from error
    click.echo(path)


@model.command("list")
@_JSON
def model_list(as_json: bool) -> None:
    """List the models there are and which are installed."""
    from coach.llm import local

    there = {m.name for m in local.installed()}
    rows: list[dict[str, Any]] = [
        {"name": m.name, "size": m.size, "licence": m.licence, "sha256": m.sha256, "installed": m.name in there}
        for m in local.MODELS.values()
    ]
    if as_json:
        _print_json(rows)
        return
    for row in rows:
        mark = "installed" if row["installed"] else "-"
        click.echo(f"{row['name']:24} {row['size']:>15,} B  {row['licence']:12} {mark}")


@model.command("verify")
@click.argument("name", default="qwen2.5-coder-1.5b")
def model_verify(name: str) -> None:
    """Check an installed model against its hash."""
    from coach.llm import local

    try:
        wrong = local.verify(name)
    except local.LocalModelError as error:
        raise click.ClickException(str(error)) from error
    if wrong:
        raise click.ClickException(wrong)
    click.echo(f"{name}: the SHA-256 is right")


@cli.command()
@_JSON
def doctor(as_json: bool) -> None:
    """What is installed, reachable and configured, a line each."""
    from coach.doctor import examine

    findings = examine(_coach())
    if as_json:
        _print_json([{"part": f.part, "ok": f.ok, "detail": f.detail} for f in findings])
    else:
        for f in findings:
            click.echo(f"{'ok  ' if f.ok else 'FAIL'} {f.part:12} {f.detail}")
    if not all(f.ok for f in findings):
        sys.exit(1)


@cli.group()
def user() -> None:
    """Accounts."""


@user.command("add")
@click.argument("name")
@click.option("--role", type=click.Choice(["learner", "trainer"]), default="learner", show_default=True)
def user_add(name: str, role: Any) -> None:
    """Make an account and print its key, once."""
    from coach.store import accounts

    engine = _coach().engine
    try:
        key = accounts.add(engine, name, role)
    except ValueError as error:
        raise click.ClickException(f"NAME: {error}") from error
    click.echo(f"{name} ({role}). The key to sign in with, shown this once:", err=True)
    click.echo(key)
