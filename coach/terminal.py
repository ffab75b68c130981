"""Drills in the terminal: by hand, or from a script."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from coach.compose import Whetstone
from coach.drill.drill import Drill, answer, finish, hear
from coach.drill.playbook import Playbook
from coach.drill.session import BadTurn, clean_turn
from coach.drill.voice import ModelVoice, Voice
from coach.scoring.render import markdown

_HELP = "直接输入要说的话。/score 结束并评分，/back 退回一轮，/sheet 看事实单，/quit 离开。"
_DEGRADED = {
    "unreachable": "连不上模型",
    "timeout": "模型超时",
    "rate_limited": "模型限流",
    "refused": "模型拒绝访问",
    "bad_response": "模型答非所问",
    "server_error": "模型服务出错",
}


class TerminalError(ValueError):
    """What was asked for in the terminal cannot be done; says why."""


@contextmanager
def voice(coach: Whetstone, name: str) -> Iterator[Voice]:
    """The voice of that name; the configured endpoint's model, or else the installed local one."""
    if name == "builtin" or coach.endpoint is not None:
        yield coach.voices[name]
        return
    from coach.llm import local
    from coach.llm.gateway import Gateway

    there = local.installed()
    if not there:
        raise TerminalError(
            "--voice llm: no model is configured (WHETSTONE_LLM_MODEL) and none is installed (make model)"
        )
    with local.serve(local.default_cache() / there[0].file) as server:
        gateway = Gateway(server.endpoint)
        gateway.warm()  # reading the weights takes longer than a reply may
        yield ModelVoice(gateway)


def read_script(path: Path) -> list[str]:
    """Learner turns from a UTF-8 file, one a line; blank lines are left out."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise TerminalError(f"--script {path}: cannot be read as UTF-8 text: {error}") from error
    turns = []
    for n, line in enumerate(lines, 1):
        if line.strip():
            try:
                turns.append(clean_turn(line))
            except BadTurn as error:
                raise TerminalError(f"--script {path} line {n}: {error}") from error
    if not turns:
        raise TerminalError(f"--script {path}: holds no turns")
    return turns


def play(
    coach: Whetstone,
    book: Playbook,
    chosen: Voice,
    *,
    seed: int,
    lines: Sequence[str] | None = None,
    as_json: bool = False,
) -> None:
    """Play a drill, from `lines` or from the keyboard, and print what was said and the scorecard."""
    drill = Drill(book, seed)
    if not as_json:
        click.echo(f"—— {book.scenario.title} ——\n\n{book.persona.name}：{drill.opening}\n")
    if lines is None:
        drill = _by_hand(coach, drill, chosen)
    else:
        for text in lines:
            if drill.ending is not None:
                break
            if not as_json:
                click.echo(f"我：{text}")
            drill = _say(coach, drill, chosen, text, quiet=as_json)
    card = coach.score(drill)
    if as_json:
        import json

        click.echo(
            json.dumps(as_document(drill, chosen.name, card.model_dump(mode="json")), ensure_ascii=False, indent=2)
        )
        return
    ending = drill.outcome.title if drill.outcome else "中途结束"
    click.echo("\n" + markdown(card, book.checks, ending))


def _say(coach: Whetstone, drill: Drill, chosen: Voice, text: str, *, quiet: bool) -> Drill:
    speaking = answer(drill, hear(drill, coach.judges, text), chosen)
    if quiet:
        return finish(speaking)
    click.echo(f"{drill.playbook.persona.name}：", nl=False)
    told = finish(speaking, lambda piece: click.echo(piece, nl=False))
    degraded = told.exchanges[-1].spoken.degraded
    click.echo(f"  （{_DEGRADED.get(degraded, degraded)}，本句用剧本台词）\n" if degraded else "\n")
    return told


def _by_hand(coach: Whetstone, drill: Drill, chosen: Voice) -> Drill:
    click.echo(_HELP + "\n")
    while drill.ending is None:
        text = click.prompt("我", prompt_suffix="：").strip()
        if text == "/score":
            break
        if text == "/quit":
            raise click.Abort
        if text == "/back":
            drill = drill.cut(max(0, len(drill.exchanges) - 1))
            click.echo(f"退回到：{drill.said()[-1][1]}\n")
        elif text == "/sheet":
            for entry in drill.playbook.scenario.fact_sheet:
                click.echo(f"- {entry.title}：{entry.text}")
        elif text.startswith("/"):
            click.echo(_HELP)
        else:
            try:
                drill = _say(coach, drill, chosen, clean_turn(text), quiet=False)
            except BadTurn as error:
                click.echo(f"（{error}）")
    return drill


def as_document(drill: Drill, voice_name: str, scorecard: dict[str, Any]) -> dict[str, Any]:
    """A played drill as one JSON document."""
    turns: list[dict[str, Any]] = [{"speaker": "customer", "text": drill.opening, "act": "open", "checks": []}]
    for exchange in drill.exchanges:
        met: Sequence[str] = sorted(v.check for v in exchange.verdicts.values() if v.met)
        turns.append({"speaker": "learner", "text": exchange.learner, "checks": met})
        turns.append(
            {
                "speaker": "customer",
                "text": exchange.spoken.text,
                "act": "+".join(act.kind for act in exchange.acts),
                "checks": [],
                "source": exchange.spoken.source,
                "refused": list(exchange.spoken.refused),
                "degraded": exchange.spoken.degraded,
            }
        )
    return {
        "scenario": drill.playbook.scenario.id,
        "seed": drill.seed,
        "voice": voice_name,
        "ending": drill.ending,
        "turns": turns,
        "scorecard": scorecard,
    }
