"""Strict practice: a standard script said step by step, compared word for word.

The customer's side of the script goes on whatever is said; each step is a check of its own, so that verdicts, quotes
and scorecard are the same as everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from rapidfuzz import fuzz

from coach.drill.director import Act, DrillOver, State
from coach.drill.playbook import Playbook
from coach.drill.scenario import Ending, Scenario, ScriptStep, When
from coach.drill.turned import Turned
from coach.scoring.check import Check, PatternDetector
from coach.scoring.evidence import normalise
from coach.scoring.rubric import Criterion, Rubric, WeightedCheck
from coach.scoring.verdict import Verdict
from knowledge.text import fold

DONE = "script-done"
CLOSE = 85.0
"""Similarity (rapidfuzz ratio of normalised text, 0 to 100) from which a step counts as said word for word."""


class NoScript(ValueError):
    """The scenario has no standard script to practise."""


def strict_book(book: Playbook) -> Playbook:
    """The playbook with the script's steps in place of rubric and checks.

    Raises:
        NoScript: the scenario has none.
    """
    script = book.scenario.script
    if not script:
        raise NoScript(f"{book.scenario.id} has no script to practise")
    checks = {_id(n): _check(n, step) for n, step in enumerate(script, 1)}
    criterion = Criterion(
        id="script",
        title="标准话术",
        title_en="Standard script",
        points=100,
        checks=[WeightedCheck(check=i) for i in checks],
    )
    rubric = Rubric(
        id="strict-script",
        title="标准话术：逐句说准",
        title_en="Standard script, word for word",
        pass_mark=80,
        criteria=[criterion],
    )
    done = Ending(
        id=DONE,
        kind="deferred",
        title="话术走完",
        title_en="Script said to the end",
        when=When(turn_min=40),
        keys=["."],
        lines=["好，就到这里。"],
    )
    scenario = book.scenario.model_copy(update={"endings": [*book.scenario.endings, done]})
    return book.changed(scenario=scenario, rubric=rubric, checks=checks, strict=True)


def open_script(scenario: Scenario) -> Act:
    """The customer's first line of the script."""
    return Act("line", _id(1), scenario.script[0].customer, "neutral")


def hear(book: Playbook, state: State, text: str, turn: int) -> Turned:
    """Compare one turn with its step; the customer goes on with the next.

    Args:
        turn: number of the learner's turn, from 1.

    Raises:
        DrillOver: the script has been said to the end.
    """
    script = book.scenario.script
    number = state.turn + 1
    if state.ending is not None:
        raise DrillOver("the script has been said to the end")
    step, check = script[number - 1], _id(number)
    note = difference(step, text)
    verdict = Verdict(
        check=check, polarity="do", met=not note, quote=text, turn=turn, confidence=1.0, note=note, judges={}
    )
    after = replace(state, turn=number, done=state.done | ({check} if not note else set()))
    if number == len(script):
        after = replace(after, ending=DONE)
        acts = (Act("end", DONE, "好，就到这里。", "neutral"),)
    else:
        acts = (Act("line", _id(number + 1), script[number].customer, "neutral"),)
    return Turned(text, {check: verdict}, acts, after)


def unsaid(book: Playbook, state: State) -> dict[str, Verdict]:
    """Verdicts on the steps that were not reached: a script broken off is not a script said."""
    return {
        _id(n): Verdict(check=_id(n), polarity="do", met=False, confidence=1.0)
        for n in range(state.turn + 1, len(book.scenario.script) + 1)
    }


def difference(step: ScriptStep, text: str) -> str:
    """In words, how a turn departs from its step; empty where it was said as it should be."""
    folded = fold(text)
    missing = [key for key in step.keys if not re.search(key, folded)]
    if missing:
        return f"漏了关键词：{'、'.join(missing)}"
    if not _in_order(step.keys, folded):
        return f"顺序不对，应当是：{' → '.join(step.keys)}"
    close = fuzz.ratio(normalise(text), normalise(step.say))
    return "" if close >= CLOSE else f"与标准话术相似 {close:.0f}%，应当是：{step.say}"


def _in_order(keys: Sequence[str], folded: str) -> bool:
    at = 0
    for key in keys:
        found = re.compile(key).search(folded, at)
        if found is None:
            return False
        at = found.end()
    return True


def _id(number: int) -> str:
    return f"step-{number}"


def _check(number: int, step: ScriptStep) -> Check:
    return Check(
        id=_id(number),
        skill="communication",
        family="conduct",
        title=f"第 {number} 句：{step.title}",
        title_en=f"Line {number}: {step.title}",
        definition=f"照标准话术说：{step.say}",
        pattern=PatternDetector(any=step.keys),
        say=step.say,
    )
