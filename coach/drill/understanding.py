"""Understanding: what one learner turn shows, states and promises. Who scores is who the customer reacts by."""

from __future__ import annotations

import re
from collections.abc import Sequence

from coach.drill.director import MISSTATES, Observation
from coach.drill.playbook import Playbook
from coach.drill.terms import Stated, stated
from coach.scoring.check import words_of
from coach.scoring.evidence import own_sentences
from coach.scoring.judges import Judge
from coach.scoring.quantity import find_quantities
from coach.scoring.verdict import CROWDED, Verdict, judge_turn
from knowledge.text import fold, sentences

_ASKS = re.compile(r"[?？]|[吗呢么](?:[。!！~\s]|$)|什么|怎么|多少|几个|哪|为何|为什么|是否|能不能|可不可以|有没有")


def understand(
    playbook: Playbook, judges: Sequence[Judge], text: str, *, turn: int, heard: Sequence[str]
) -> dict[str, Verdict]:
    """Verdicts on every check of the playbook for one learner turn.

    Args:
        heard: what the customer has said so far; repeating it shows nothing.
    """
    copied_from = [*words_of(playbook.checks.values()), *heard]
    verdicts = judge_turn(
        judges,
        [c for c in playbook.checks.values() if not c.terms],
        text,
        turn=turn,
        figures=playbook.figures,
        copied_from=copied_from,
    )
    if MISSTATES in playbook.checks:
        wrong = next((s for s in terms_in(playbook, text) if not s.right), None)
        verdicts[MISSTATES] = Verdict(
            check=MISSTATES,
            polarity="avoid",
            met=wrong is not None,
            quote=wrong.sentence if wrong else "",
            turn=turn if wrong else 0,
            confidence=0.9,
            note=next(t.truth for t in playbook.scenario.terms if t.id == wrong.term) if wrong else "",
        )
    return verdicts


def terms_in(playbook: Playbook, text: str) -> list[Stated]:
    """What a learner turn states about the terms of the case."""
    return stated(playbook.scenario.terms, playbook.figures, own_sentences(text, []))


_TIME = re.compile(
    r"(?:(?:今天|明天|后天|本周|这周|下周|周|星期|礼拜)[一二三四五六日天]?|\d{1,2}月\d{1,2}[日号]|\d{1,2}[日号])?"
    r"(?:早上|上午|中午|下午|晚上|傍晚)?(?:[\d一二两三四五六七八九十]{1,3}(?:点|:\d\d)(?:半|整|一刻)?)?(?:之?前|以前)?"
)
_SPAN = re.compile(
    r"[\d一二两三四五六七八九十百半]{1,4}个?(?:分钟|小时|钟头|工作日|自然日|天|周|星期|礼拜|个?月)(?:之?内|以内)"
)
_VAGUE = re.compile(
    r"尽快|尽早|马上就|很快|过几天|过段时间|改天|到时候|后续|回头|差不多|大概率|一般来说|一般情况|应该没问题|应该可以|"
    r"应该不会|争取|尽量|看情况|具体再看|视情况"
)
_NAME = re.compile(
    r"(?:我叫|我是[^,。!?]{0,10}?)(小(?!区|店)[\u4e00-\u9fff])(?=[,。!?\s呀啊哈]|$)|"
    r"我(?:免贵)?姓([\u4e00-\u9fff])(?=[,。!\s]|$)"
)


def _named(folded: str) -> str:
    times = [
        m[0] for m in _TIME.finditer(folded) if re.search(r"\d|[一二两三四五六七八九十](?=点|[日号])|前$|天.+", m[0])
    ]
    spans = [m[0] for m in _SPAN.finditer(folded)]
    return max([*times, *spans], key=len, default="")


def _vague(folded: str) -> str:
    for sentence in sentences(folded):
        found = _VAGUE.search(sentence)
        if found and not find_quantities(sentence) and not _named(sentence):
            return found[0]
    return ""


def _caller(folded: str) -> str:
    found = _NAME.search(folded)
    return "" if found is None else found[1] or f"小{found[2]}"


def observation(playbook: Playbook, text: str, verdicts: dict[str, Verdict]) -> Observation:
    """What the director is told of a turn."""
    folded = fold(text)
    promised = any(v.met and playbook.checks[i].family in ("commit", "number") for i, v in verdicts.items())
    return Observation(
        met=frozenset(v.check for v in verdicts.values() if v.met),
        slips=frozenset(
            v.check for v in verdicts.values() if not v.met and v.note and v.note != CROWDED and v.check != MISSTATES
        ),
        question=bool(_ASKS.search(folded)),
        stated=tuple(terms_in(playbook, text)),
        vague=_vague(folded),
        named=_named(folded) if promised else "",
        caller=_caller(folded),
        length=len(text),
    )
