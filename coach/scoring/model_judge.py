"""The language-model judge: one structured call for a transcript, every claim held to its quote.

It sees the transcript and the checks, and nothing of who the learner is. It has not been measured against people, so it
has no vote: where it disagrees, with a quote that stands up, a person is asked to look.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

import prompts
from coach.llm import tokens
from coach.llm.gateway import Gateway, GatewayError
from coach.scoring.check import Check
from coach.scoring.evidence import locate
from coach.scoring.verdict import Opinion, Verdict

_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "verdicts": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "check": {"type": "string"},
                    "met": {"type": "boolean"},
                    "quote": {"type": "string"},
                },
                "required": ["check", "met", "quote"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["verdicts"],
    "additionalProperties": False,
}
_TRANSCRIPT_TOKENS = 2400
_CHECKS_A_CALL = 8
_DEADLINE_S = 60.0


class _Claim(BaseModel):
    check: str
    met: bool
    quote: str = ""


class ModelJudge:
    name = "llm"

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._prompt = prompts.load("judge")

    @property
    def pins(self) -> dict[str, str]:
        return {"judge_prompt": self._prompt.hash, "judge_model": self._gateway.fingerprint}

    def read(self, checks: Sequence[Check], said: Sequence[tuple[str, str]]) -> tuple[dict[str, Opinion], str]:
        """Its opinion on each check, and why it could not give one (empty when it could).

        Args:
            said: (speaker, text) of the whole conversation. A long one is cut to its newest part.
        """
        learner = "\n".join(text for speaker, text in said if speaker == "learner")
        opinions: dict[str, Opinion] = {}
        for start in range(0, len(checks), _CHECKS_A_CALL):
            some = checks[start : start + _CHECKS_A_CALL]
            try:
                answer = self._gateway.structured(self._messages(some, said), _SCHEMA, deadline_s=_DEADLINE_S)
            except GatewayError as error:
                return opinions, error.reason
            opinions.update(_verified(answer, {c.id for c in some}, learner))
        return opinions, ""

    def _messages(self, checks: Sequence[Check], said: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
        lines = [f"{'学员' if who == 'learner' else '客户'}：{text}" for who, text in said]
        while len(lines) > 2 and tokens.count("\n".join(lines)) > _TRANSCRIPT_TOKENS:
            lines.pop(0)
        listed = "\n".join(f"- {c.id}：{c.definition}" for c in checks)
        return self._prompt.messages(checks=listed, transcript="\n".join(lines))


def _verified(answer: Mapping[str, Any], asked: set[str], learner: str) -> dict[str, Opinion]:
    opinions = {}
    claims = answer.get("verdicts")
    for raw in claims if isinstance(claims, list) else []:
        try:
            claim = _Claim.model_validate(raw)
        except ValidationError:
            continue
        if claim.check in asked:
            met = claim.met and locate(claim.quote, learner) is not None
            opinions[claim.check] = Opinion(met=met, confidence=0.5, counts=False)
    return opinions


def second_opinion(verdicts: Mapping[str, Verdict], opinions: Mapping[str, Opinion]) -> dict[str, Verdict]:
    """The verdicts with the model's opinion beside; those it disagrees with are put up for review."""
    return {
        i: v.model_copy(
            update={
                "judges": {**v.judges, ModelJudge.name: opinions[i]},
                "doubtful": v.doubtful or (opinions[i].met and not v.met and not v.note),
            }
        )
        if i in opinions
        else v
        for i, v in verdicts.items()
    }
