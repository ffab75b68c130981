"""Drills from a bare list of chat messages, for clients that keep the conversation themselves."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import replace

from coach.drill.drill import Drill, Exchange, hear
from coach.drill.playbook import Playbook
from coach.drill.session import clean_turn
from coach.drill.voice import Spoken
from coach.scoring.judges import Judge

COMMAND = re.compile(r"^\s*/(score|brief|help)\s*$", re.I)
_GREETING = re.compile(r"^\W*(?:/start|开始|你好|您好|喂|hi|hello|在吗|start)\W*$", re.I)


def learner_turns(messages: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """(what the learner said, what was answered) in order; the answer is empty for what waits for one.

    Commands, and a bare greeting at the start (answered by the customer's opening), are not turns.
    """
    turns: list[tuple[str, str]] = []
    spoken_to = False
    for role, text in messages:
        if role == "user":
            spoken_to = not COMMAND.match(text) and not (not turns and _GREETING.match(text))
            if spoken_to:
                turns.append((text, ""))
        elif role == "assistant" and spoken_to and turns:
            turns[-1] = (turns[-1][0], turns[-1][1] + text)
    return turns


def seed_of(playbook: Playbook, messages: Sequence[tuple[str, str]]) -> int:
    """A seed that stays the same while the conversation grows: from its first learner message."""
    first = next((text for role, text in messages if role == "user"), "")
    digest = hashlib.sha256(f"{playbook.scenario.id}\n{first}".encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1


def replay(
    playbook: Playbook, seed: int, judges: Sequence[Judge], turns: Sequence[tuple[str, str]]
) -> tuple[Drill, list[str]]:
    """The drill after every answered turn, and the learner's words that still wait for an answer.

    What the client says was answered is taken as said. Turns after the ending are left out.

    Raises:
        BadTurn: a learner message cannot be taken.
    """
    drill = Drill(playbook, seed)
    for i, (text, said) in enumerate(turns):
        if drill.ending is not None:
            break
        if not said and i == len(turns) - 1:
            return drill, [clean_turn(text)]
        turned = hear(drill, judges, clean_turn(text))
        words = said or "".join(act.line for act in turned.acts)
        exchange = Exchange(turned.learner, turned.verdicts, turned.acts, Spoken(words, "builtin"), turned.state)
        drill = replace(drill, exchanges=(*drill.exchanges, exchange))
    return drill, []
