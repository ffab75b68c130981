"""Answering a question from the library: a few sentences by a language model, each one cited and held to its passage.

What no passage supports is not said. Without a model, or when nothing it wrote can be held, the best passages are the
answer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import prompts
from coach.llm.gateway import Gateway, GatewayError
from knowledge.numerals import parse_number
from knowledge.search import Hit, Results
from knowledge.text import fold, terms

MOST_PASSAGES = 5
_MOST_SENTENCES = 4
_DEADLINE_S = 40.0
_SHARED = 0.6  # of a sentence's terms that must stand in what it cites
_NUMBER = re.compile(r"\d")
# A lone Chinese digit is left alone by `terms`, as it is mostly part of a word (一般, 三包); before these it counts.
_COUNTED = re.compile(
    r"(?<![零〇一二两三四五六七八九十百千万亿点\d])"
    r"(?:[一二两三四五六七八九十](?:点[零〇一二三四五六七八九]{1,4})?(?=个?(?:工作日|小时|分钟|[天日年月周秒岁折成倍元]))"
    r"|[二两三四五六七八九十](?=[个次件条款项步种类位名人台家层轮句点份张套章节块]))"
)
_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "sentences": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "text": {"type": "string"},
                    "cites": {"type": "array", "items": {"type": "integer"}},
                },
                "required": ["text", "cites"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["sentences"],
    "additionalProperties": False,
}


@dataclass(frozen=True)
class Sentence:
    """One sentence of an answer; `cites` are positions in the answer's passages, from 1."""

    text: str
    cites: tuple[int, ...]


@dataclass(frozen=True)
class Answer:
    """An answer to a question.

    Attributes:
        by: who speaks: a model, the passages themselves, or nobody, as nothing good was found.
        reason: why there are no sentences, where a model was to write them. dropped: sentences no passage supported.
    """

    question: str
    by: Literal["llm", "passages", "nobody"]
    sentences: tuple[Sentence, ...]
    passages: Sequence[Hit]
    reason: str = ""
    dropped: int = 0

    def as_json(self) -> dict[str, Any]:
        """Plain values, as the command line and the API tell them."""
        return asdict(self)


def answer(question: str, results: Results, gateway: Gateway | None) -> Answer:
    """Answer `question` from what was found for it."""
    passages = results.hits[:MOST_PASSAGES]
    if not results.good:
        return Answer(question, "nobody", (), passages)
    if gateway is None:
        return Answer(question, "passages", (), passages)
    numbered = "\n\n".join(f"[{n}] {hit.title}\n{hit.passage}" for n, hit in enumerate(passages, 1))
    messages = prompts.load("answer").messages(question=question, passages=numbered)
    try:
        written = _written(gateway.structured(messages, _SCHEMA, deadline_s=_DEADLINE_S))
    except GatewayError as error:
        return Answer(question, "passages", (), passages, error.reason)
    held = tuple(one for one in written if supported(one, passages))
    dropped = len(written) - len(held)
    if not held:
        return Answer(question, "passages", (), passages, "unsupported" if written else "unanswered", dropped)
    return Answer(question, "llm", held, passages, "", dropped)


def supported(sentence: Sentence, passages: Sequence[Hit]) -> bool:
    """Whether what a sentence cites holds its words and every one of its numbers.

    This sees invented words, numbers and citations. It does not see a sentence that turns a passage's words around.
    """
    if not sentence.cites or not all(1 <= n <= len(passages) for n in sentence.cites):
        return False
    cited = {t for n in sentence.cites for t in _terms(f"{passages[n - 1].title}\n{passages[n - 1].passage}")}
    said = _terms(sentence.text)
    if not said or any(_NUMBER.search(term) and term not in cited for term in said):
        return False
    return sum(term in cited for term in said) >= _SHARED * len(said)


def _terms(text: str) -> list[str]:
    """The terms of a text, with every number it counts or measures by in digits: 三天 and 3天 are one, 15 % is 15%."""
    flat = re.sub(r"(?<=\d)\s+%", "%", fold(text))
    return terms(_COUNTED.sub(lambda match: f"{parse_number(match[0]):g}", flat))


def _written(answer: Mapping[str, Any]) -> list[Sentence]:
    found = []
    rows = answer.get("sentences")
    for row in rows if isinstance(rows, list) else []:
        text, cites = (row.get("text"), row.get("cites")) if isinstance(row, dict) else (None, None)
        if isinstance(text, str) and text.strip() and isinstance(cites, list):
            numbers = tuple(dict.fromkeys(n for n in cites if isinstance(n, int) and not isinstance(n, bool)))
            found.append(Sentence(re.sub(r"\s*[\[［]\d{1,2}[\]］]", "", text).strip(), numbers))
    return found[:_MOST_SENTENCES]
