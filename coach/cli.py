"""The command line. Everything heavy is imported where it is used, so that every command starts at once."""

from __future__ import annotations

import json
import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click
from pydantic import ValidationError

if TYPE_CHECKING:
    from coach.compose import Whetstone
    from coach.llm.call import Endpoint
    from knowledge.ingest import FileReport
    from knowledge.search import Hit

_JSON = click.option("--json", "as_json", is_flag=True, help="print one JSON document on standard output")
_ROLE = click.Choice(["sales", "support", "operations", "common"])
_KIND = click.Choice(["case", "lesson", "regulation", "template"])
_TIER = click.Choice(["junior", "middle", "senior"])


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
    from knowledge.shipped import LibraryError

    return isinstance(error, OperationalError | LibraryError | LocalModelError | DatabaseError)


def _fail(message: str) -> NoReturn:
    click.echo(f"whetstone: {' '.join(message.split())}", err=True)
    sys.exit(2)


def open_coach(endpoint: Endpoint | None = None) -> Whetstone:
    """The coach of the settings; what is wrong with them is an error of the command line."""
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
        serve(open_coach, host=host, port=port, demo=demo, local_model=llm == "local")
    except ServeError as error:
        raise click.ClickException(str(error)) from error


@cli.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--kind", type=_KIND, help="what the documents are, where they do not say so themselves")
@click.option("--draft", is_flag=True, help="mask personal data for good and keep as drafts for review")
@click.option("--dry-run", is_flag=True, help="tell what would be done, and do nothing")
@_JSON
def ingest(paths: tuple[Path, ...], kind: Any, draft: bool, dry_run: bool, as_json: bool) -> None:
    """Add documents to the library: files, folders, patterns. What cannot be read is named; the rest goes on."""
    from tqdm import tqdm

    from coach.cli_library import on_the_command_line
    from knowledge.ingest import Ingest

    library = open_coach().build_library()
    with tqdm(file=sys.stderr, unit="file", disable=None, leave=False) as bar:

        def progress(path: Path, number: int, total: int) -> None:
            bar.total = total
            bar.set_description(path.name[-40:])
            bar.update(number - bar.n)

        report = Ingest(library, on_the_command_line(), kind, draft, dry_run).paths(paths, progress)
    if as_json:
        _print_json(
            [
                {
                    "file": click.format_filename(f.path),
                    "status": f.status,
                    "reason": f.reason,
                    "item": f.items[0] if f.items else "",
                    "items": list(f.items),
                    "passages": f.passages,
                    "mended": f.mended,
                    "lost": f.lost,
                    "removed": f.removed,
                    "personal": f.personal,
                }
                for f in report.files
            ]
        )
    else:
        for f in report.files:
            click.echo(f"{f.status:9} {click.format_filename(f.path)}: {_told(f)}")
        counts = ", ".join(f"{n} {status}" for status, n in report.counts().items())
        left_out = f"; {report.left_out} of other types left out" if report.left_out else ""
        click.echo(f"{'nothing done, as asked; would be: ' if dry_run else ''}{counts}{left_out}")
    if report.files and len(report.refused) == len(report.files):
        _fail("no file could be taken")


def _told(f: FileReport) -> str:
    """What became of a file, in a line."""
    if f.status == "refused":
        return f.reason
    parts = [f"{len(f.items)} items"] if len(f.items) > 1 else []
    if f.status != "unchanged":
        parts += [f"{f.passages} passages", f"{f.mended} mended", f"{f.lost} characters lost for good"]
    parts += [f"{f.removed} items taken out"] if f.removed else []
    parts += [f"{f.personal} pieces of personal data"] if f.personal else []
    return ", ".join(parts + ([f.reason] if f.reason else []))


@cli.command()
@click.argument("query")
@click.option("-k", default=5, show_default=True, type=click.IntRange(1, 50))
@click.option("--role", type=_ROLE)
@click.option("--kind", type=_KIND)
@click.option("--industry", help="an id of industries.yaml")
@click.option("--tier", type=_TIER)
@click.option("--skill", help="an id of skills.yaml")
@click.option("--year", type=int)
@_JSON
def search(query: str, k: int, as_json: bool, **wanted: Any) -> None:
    """Search the case library and course materials."""
    import time

    from knowledge.filters import Filter

    library = open_coach().build_library()
    library.search("热身", k=1)  # the time told is that of a search, not of loading the model
    began = time.perf_counter()
    try:
        found = library.search(query, k, Filter(**wanted))
    except ValueError as error:
        raise click.ClickException(f"QUERY: {error}") from error
    took = round((time.perf_counter() - began) * 1000, 1)
    if as_json:
        _print_json({"query": query, "took_ms": took, **found.as_json()})
        return
    if found.read_as:
        click.echo(f"searched for: {found.read_as}")
    if not found.good:
        click.echo("nothing good found; the nearest there is:" if found.hits else "nothing found")
    for n, h in enumerate(found.hits, 1):
        click.echo(f"{n}. {h.title}  [{h.kind}, {h.role}]  {' › '.join(h.heading)}")
        click.echo(f"   {_marked(h).strip()}\n   — {'; '.join([h.source, *(s.source for s in h.also)])}\n")


def _marked(hit: Hit) -> str:
    """The passage with its matching words in bold."""
    text, end = "", 0
    for start, stop in hit.marks:
        text += hit.passage[end:start] + click.style(hit.passage[start:stop], bold=True)
        end = stop
    return text + hit.passage[end:]


@cli.command()
@click.argument("question")
@click.option("--role", type=_ROLE)
@_JSON
def ask(question: str, role: Any, as_json: bool) -> None:
    """Answer a question from the library: cited sentences by the language model, or the best passages without one."""
    from coach.answer import answer
    from knowledge.filters import Filter

    coach = open_coach()
    try:
        found = coach.build_library().search(question, 5, Filter(role=role))
    except ValueError as error:
        raise click.ClickException(f"QUESTION: {error}") from error
    told = answer(question, found, coach.gateway)
    if as_json:
        _print_json(told.as_json())
        return
    if told.by == "nobody":
        click.echo("资料里没有找到能回答这个问题的内容。")
        return
    for sentence in told.sentences:
        click.echo(f"{sentence.text} {''.join(f'[{n}]' for n in sentence.cites)}")
    for n, h in enumerate(told.passages, 1):
        click.echo(f"[{n}] {h.title}  {' › '.join(h.heading)}\n    {_marked(h).strip()}\n")


@cli.command()
@_JSON
def scenarios(as_json: bool) -> None:
    """List the scenarios."""
    from coach import catalogue

    found = catalogue.load().told.values()
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
@click.option("--persona", help="id of who plays the customer; `any` draws one by the seed")
@click.option("--level", type=click.IntRange(1, 5), default=3, show_default=True, help="1 easy to 5 hard")
@click.option("--mode", type=click.Choice(["practice", "strict"]), default="practice", show_default=True)
@click.option("--script", type=click.Path(path_type=Path), help="a UTF-8 file, one learner turn a line")
@_JSON
def drill(
    scenario: str,
    voice: str,
    seed: int | None,
    persona: str | None,
    level: int,
    mode: str,
    script: Path | None,
    as_json: bool,
) -> None:
    """Practise a scenario in the terminal, or play a script through it."""
    from coach import terminal
    from coach.catalogue import NotInCatalogue
    from coach.drill.session import BadTurn
    from coach.drill.strict import NoScript, strict_book

    if as_json and script is None:
        raise click.ClickException("--json needs --script")
    coach = open_coach()
    seed = secrets.randbelow(2**31) if seed is None else seed
    try:
        book = coach.catalogue.playbook(scenario, persona=persona, level=level, seed=seed)
        if mode == "strict":
            book = strict_book(book)
        with terminal.voice(coach, voice) as chosen:
            lines = terminal.read_script(script) if script else None
            terminal.play(coach, book, chosen, seed=seed, lines=lines, as_json=as_json)
    except (NotInCatalogue, NoScript, BadTurn, terminal.TerminalError) as error:
        raise click.ClickException(str(error)) from error


@cli.command()
def demo() -> None:
    """Play a scripted sales drill and print its scorecard, with what to read."""
    from coach import terminal
    from evals import scripts

    coach = open_coach()
    click.echo("正在准备案例库……", err=True)
    coach.build_library()
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

    coach = open_coach()
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


_SUITES = ["scripts", "playtest", "customer", "understanding", "retrieval", "masking", "tagging"]


@cli.command("eval")
@click.argument(
    "suite", type=click.Choice(["scripts", "playtest", "customer", "understanding", "retrieval", "masking", "tagging"])
)
@click.option("--voice", type=click.Choice(["builtin", "llm"]), default="builtin", help="of the suite customer")
@click.option("--data", type=click.Path(path_type=Path), help="folder of the suite's data, where it needs one")
@_JSON
def evaluate(suite: str, voice: str, data: Path | None, as_json: bool) -> None:
    """Measure: scripts (each scenario's learners), playtest (learners of every sort), customer (hostile turns),
    understanding (labelled sentences), retrieval (search, on the library or on --data), masking, tagging."""
    import evals

    try:
        report = evals.run(suite, open_coach(), data, voice)
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

    findings = examine(open_coach())
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

    engine = open_coach().engine
    try:
        key = accounts.add(engine, name, role)
    except ValueError as error:
        raise click.ClickException(f"NAME: {error}") from error
    click.echo(f"{name} ({role}). The key to sign in with, shown this once:", err=True)
    click.echo(key)


from coach.cli_library import library  # noqa: E402
from coach.cli_scenario import scenario  # noqa: E402

cli.add_command(library)
cli.add_command(scenario)
