"""Proposing an item's tags by a language model; what it answers counts only where it names what there is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

import structlog

import prompts
from coach.llm.gateway import Gateway, GatewayError
from knowledge.item import Item, Role, Tag, Tier
from knowledge.library import Tagger
from knowledge.skills import industries, skills

log = structlog.get_logger()
_LONGEST = 2000  # characters of the text that are shown to the model
_DEADLINE_S = 30.0
_MOST_SKILLS = 3
_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "role": {"type": "string"},
        "tier": {"type": "string"},
        "industry": {"type": "string"},
        "skills": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["role", "tier", "industry", "skills"],
    "additionalProperties": False,
}


def tagger(gateway: Gateway) -> Tagger:
    """Proposes role, tier, industry and skills where an item's `proposed` names them; nothing when the model fails."""

    def propose(item: Item) -> Mapping[str, object]:
        prompt = prompts.load("tags")
        messages = prompt.messages(
            title=item.title,
            text=item.body[:_LONGEST],
            roles="、".join(get_args(Role)),
            tiers="、".join(get_args(Tier)),
            industries="、".join(f"{one.id}（{one.title}）" for one in industries().values()),
            skills="、".join(f"{one.id}（{one.title}）" for one in skills().values()),
        )
        try:
            answer = gateway.structured(messages, _SCHEMA, deadline_s=_DEADLINE_S)
        except GatewayError as error:
            log.warning("tags", reason=error.reason)
            return {}
        return {tag: value for tag, value in _known(answer).items() if tag in item.proposed}

    return propose


def _known(answer: Mapping[str, Any]) -> dict[Tag, object]:
    """Of an answer, what names something there is."""
    found: dict[Tag, object] = {}
    if answer.get("role") in get_args(Role):
        found["role"] = answer["role"]
    if answer.get("tier") in get_args(Tier):
        found["tier"] = answer["tier"]
    industry, named = answer.get("industry"), answer.get("skills")
    if isinstance(industry, str) and industry in industries():
        found["industry"] = industry
    rows = named if isinstance(named, list) else []
    chosen = [skill for skill in rows if isinstance(skill, str) and skill in skills()]
    if chosen:
        found["skills"] = tuple(dict.fromkeys(chosen))[:_MOST_SKILLS]
    return found
