"""The guard: code that reads what a language model wrote for the customer before anyone hears it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from rapidfuzz import fuzz

from coach.scoring import meaning
from coach.scoring.evidence import normalise
from coach.scoring.quantity import find_quantities
from knowledge.text import fold, sentences

Refusal = Literal[
    "empty",
    "too_long",
    "not_chinese",
    "leak",
    "role_swap",
    "echo",
    "repeat",
    "yields",
    "invents_number",
    "no_act",
]

MOST_CHARACTERS = 130
STAFF_TALK = re.compile(
    r"(很高兴|乐意|随时)?为(您|你)服务|有什么(可以|能)(帮|为)(到|助)?(您|你)|感谢(您|你)的?(来电|咨询|支持|理解|反馈|耐心|信任)|"
    r"我们(公司|的产品|的系统|系统|这边|会尽快|可以(为|给|帮)(您|你)|(非常)?抱歉)|(给|帮|为)(您|你)(介绍|安排|申请|处理|演示|办理|推荐|登记|查询|优惠)|"
    r"(作为|我是)(一个|一名|您的|你的)?(ai|人工智能|语言模型|助手|助理|客服|销售|顾问)|(尊敬|亲爱)的|亲,|祝(您|你)"
)
_YIELDS = re.compile(
    r"成交|(就|可以|现在)(签|下单|定了|买了)|(我|咱们?)(签|买|定|接受|同意)(了|吧|这个)?(?!不|之前|字)|没(有)?(问题|意见)了|"
    r"那就这么(定|办|说定)|不(再)?追究|按(您|你)说的(办|来|做)|我(很)?满意"
)
_MARKUP = re.compile(
    r"^\s*(?:[#>*\-]|\d+\.|```)|\*\*|</?\w+>|^\s*(?:客户|顾客|销售|客服|assistant|customer)\s*[:：]", re.I
)
_SAME_MEANING = 0.3
"""Cosine similarity to the authored line from which a line is taken to say the same."""
_HAN = re.compile(r"[\u4e00-\u9fff]")


@dataclass(frozen=True)
class Rules:
    """What a customer's line may and must hold, worked out by code from the director's acts.

    Attributes:
        secrets: patterns of facts not yet revealed. required: one group an act; of each, one pattern must match.
        may_yield: the director has let the customer accept.
        authored: the lines the director chose; their numbers may be said.
        heard: what both have said so far, the learner's last turn at the end.
        said: the customer's own earlier lines.
    """

    secrets: tuple[str, ...]
    required: tuple[tuple[str, ...], ...]
    all_of: tuple[str, ...]
    may_yield: bool
    authored: str
    heard: tuple[str, ...]
    said: tuple[str, ...]


def unsafe(text: str, rules: Rules) -> Refusal | None:
    """Why this text, whole or the first part of a line, must not be heard; None when it may."""
    folded = fold(text)
    if not normalise(text):
        return "empty"
    if len(text) > MOST_CHARACTERS:
        return "too_long"
    if len(_HAN.findall(text)) < 0.5 * len(normalise(text)):
        return "not_chinese"
    if any(re.search(p, folded) for p in rules.secrets):
        return "leak"
    if STAFF_TALK.search(folded) or _MARKUP.search(text) or _gives_away_ones_own(folded, fold(rules.authored)):
        return "role_swap"
    if rules.heard and _echoes(text, rules.heard[-1], rules.authored):
        return "echo"
    if _repeats(text, rules):
        return "repeat"
    if not rules.may_yield and _YIELDS.search(folded) and not _YIELDS.search(fold(rules.authored)):
        return "yields"
    if _numbers(folded) - _numbers(fold(" ".join([rules.authored, *rules.heard]))):
        return "invents_number"
    return None


def incomplete(text: str, rules: Rules) -> Refusal | None:
    """Whether the whole line fails to do what the director chose."""
    folded = fold(text)
    if not all(re.search(p, folded) for p in rules.all_of):
        return "no_act"
    if not all(any(re.search(p, folded) for p in group) for group in rules.required):
        return "no_act"
    if meaning.similarity(text, rules.authored) < _SAME_MEANING:
        return "no_act"
    return None


def _repeats(text: str, rules: Rules) -> bool:
    """Whether a sentence was said before by the customer."""
    before = [normalise(s) for line in rules.said for s in [line, *sentences(line)]]
    for sentence in [text, *sentences(text)]:
        said = normalise(sentence)
        if len(said) >= 6 and any(fuzz.ratio(said, b) >= 85 for b in before):
            return True
    return False


def _numbers(folded: str) -> set[float]:
    """Values from ten up, in whatever digits: below ten, numerals are mostly just words (一下, 两句)."""
    return {v for q in find_quantities(folded) for v in (q.low, q.high) if v >= 10}


def _gives_away_ones_own(folded: str, authored: str) -> bool:
    """Whether something the authored line does not call the learner's is called so: 我们店长 told as 你们店长."""
    theirs = re.findall("[你您]们([\u4e00-\u9fff]{2})", folded)
    things = [t for t in theirs if t[0] not in "这那的就都也不是有还要得"]
    return any(thing in authored and not re.search(f"[你您]们{thing}", authored) for thing in things)


def _echoes(text: str, learner: str, authored: str) -> bool:
    """Whether a sentence is taken from the learner's mouth, other than words the authored line has too."""
    theirs = [normalise(s) for s in sentences(learner)]
    own = normalise(authored)
    for sentence in sentences(text):
        said = normalise(sentence)
        if len(said) < 8 or said in own:
            continue
        if any(fuzz.partial_ratio(said, t) >= 80 for t in theirs if len(t) >= len(said) * 0.6):
            return True
    return False
