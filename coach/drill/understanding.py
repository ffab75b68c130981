"""Understanding: which checks one learner turn shows. The judges that score are the judges the customer reacts by."""

from __future__ import annotations

import re
from collections.abc import Sequence

from coach.drill.director import Observation
from coach.drill.playbook import Playbook
from coach.scoring.check import words_of
from coach.scoring.judges import Judge
from coach.scoring.verdict import CROWDED, Verdict, judge_turn
from knowledge.text import fold

_ASKS = re.compile(r"[?？]|[吗呢么](?:[。!！~\s]|$)|什么|怎么|多少|几个|哪|为何|为什么|是否|能不能|可不可以|有没有")


def understand(
    playbook: Playbook, judges: Sequence[Judge], text: str, *, turn: int, heard: Sequence[str]
) -> dict[str, Verdict]:
    """Verdicts on every check of the playbook for one learner turn.

    Args:
        heard: what the customer has said so far; repeating it shows nothing.
    """
    return judge_turn(
        judges,
        list(playbook.checks.values()),
        text,
        turn=turn,
        figures=playbook.figures,
        copied_from=[*words_of(playbook.checks.values()), *heard],
    )


def observation(text: str, verdicts: dict[str, Verdict]) -> Observation:
    """What the director is told of a turn."""
    return Observation(
        met=frozenset(v.check for v in verdicts.values() if v.met),
        slips=frozenset(v.check for v in verdicts.values() if not v.met and v.note and v.note != CROWDED),
        question=bool(_ASKS.search(fold(text))),
    )
