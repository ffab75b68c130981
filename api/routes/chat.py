"""The OpenAI-compatible endpoint: every scenario is a model, and the messages alone are the drill.

Nothing is kept: the drill is folded anew from the messages of each request, so any chat client will do.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Depends
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field, field_validator

from api.auth import Coach, principal
from api.problems import Problem
from coach.compose import Whetstone
from coach.drill.drill import answer, hear
from coach.drill.messages import COMMAND, learner_turns, replay, seed_of
from coach.drill.playbook import Playbook
from coach.llm import tokens
from coach.scoring.render import markdown

router = APIRouter(prefix="/v1", tags=["openai"], dependencies=[Depends(principal)])
_MOST_MESSAGES = 200


class TextPart(BaseModel):
    type: Literal["text"]
    text: str


class Message(BaseModel):
    model_config = ConfigDict(extra="ignore")

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[TextPart] | None = None

    @field_validator("content")
    @classmethod
    def _whole_characters(cls, content: str | list[TextPart] | None) -> str | list[TextPart] | None:
        parts = content if isinstance(content, list) else [TextPart(type="text", text=content or "")]
        if any(0xD800 <= ord(c) <= 0xDFFF for part in parts for c in part.text):
            raise ValueError("holds half a character (a lone surrogate)")
        return content

    def text(self) -> str:
        if isinstance(self.content, list):
            return "".join(part.text for part in self.content)
        return self.content or ""


class ChatRequest(BaseModel):
    """The part of OpenAI's request that means something here; the rest is accepted and ignored."""

    model_config = ConfigDict(extra="ignore")

    model: str = Field(max_length=64, description="id of a scenario")
    messages: list[Message] = Field(min_length=1, max_length=_MOST_MESSAGES)
    stream: bool = False
    seed: int | None = None


_EXAMPLE = {"model": "sales-bakery-price", "messages": [{"role": "user", "content": "周总您好，方便聊几分钟吗？"}]}


@router.get("/models")
def models(coach: Coach) -> dict[str, Any]:
    """Scenarios, as models."""
    data = [
        {"id": s.id, "object": "model", "created": 0, "owned_by": "whetstone", "name": s.title}
        for s in coach.catalogue.scenarios.values()
    ]
    return {"object": "list", "data": data}


@router.post("/chat/completions", response_model=None)
def complete(
    body: Annotated[ChatRequest, Body(openapi_examples={"drill": {"value": _EXAMPLE}})],
    coach: Coach,
) -> JSONResponse | StreamingResponse:
    """The customer's answer to the messages so far. `/score` returns the scorecard, `/brief` the briefing."""
    book = coach.catalogue.playbook(body.model)
    messages: list[tuple[str, str]] = [(m.role, m.text()) for m in body.messages]
    if messages[-1][0] != "user":
        raise Problem(400, "messages: the last message must be the user's")
    pieces = _reply(coach, book, messages, body.seed)
    made = {"id": f"chatcmpl-{uuid.uuid4().hex}", "created": int(time.time()), "model": body.model}
    if body.stream:
        return StreamingResponse(
            _chunks(made, pieces), media_type="text/event-stream", headers={"Cache-Control": "no-store"}
        )
    text = "".join(pieces)
    asked, said = sum(tokens.count(t) for _, t in messages), tokens.count(text)
    return JSONResponse(
        {
            **made,
            "object": "chat.completion",
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": text, "refusal": None},
                    "logprobs": None,
                    "finish_reason": "stop",
                }
            ],
            "usage": {"prompt_tokens": asked, "completion_tokens": said, "total_tokens": asked + said},
        }
    )


def _reply(coach: Whetstone, book: Playbook, messages: list[tuple[str, str]], seed: int | None) -> Iterator[str]:
    """The answer in pieces. What can be refused is refused here, before the first piece."""
    seed = seed_of(book, messages) if seed is None else abs(seed) % 2**31
    command = COMMAND.match(messages[-1][1])
    turns = learner_turns(messages)
    drill, waiting = replay(book, seed, coach.judges, turns)
    if command and command[1].lower() == "score":
        ending = drill.outcome.title if drill.outcome else None
        return iter([markdown(coach.score(drill), book.checks, ending)])
    if command:
        return iter([_briefing(book)])
    if not turns:
        return iter([drill.opening])
    if not waiting:
        return iter(["（这场对话已经结束。输入 /score 看评分单，或新开一个会话再练一次。）"])
    opened = any(role == "assistant" and drill.opening in text for role, text in messages)
    first = [] if opened or len(turns) > 1 else [drill.opening + "\n\n"]
    speaking = answer(drill, hear(drill, coach.judges, waiting[0]), coach.voices[coach.default_voice])

    def pieces() -> Iterator[str]:
        yield from first
        drill = yield from speaking
        if drill.ending is not None:
            yield "\n\n（对话结束。输入 /score 看评分单。）"

    return pieces()


def _briefing(book: Playbook) -> str:
    scenario = book.scenario
    sheet = "\n".join(f"- **{e.title}**：{e.text}" for e in scenario.fact_sheet)
    aims = "\n".join(f"- {o}" for o in scenario.objectives)
    return f"# {scenario.title}\n\n{scenario.briefing}\n## 目标\n\n{aims}\n\n## 你可以用的事实\n\n{sheet}"


def _chunks(made: dict[str, Any], pieces: Iterator[str]) -> Iterator[str]:
    def chunk(delta: dict[str, str], finish: str | None = None) -> str:
        body = {
            **made,
            "object": "chat.completion.chunk",
            "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}],
        }
        return f"data: {json.dumps(body, ensure_ascii=False)}\n\n"

    yield chunk({"role": "assistant", "content": ""})
    for piece in pieces:
        yield chunk({"content": piece})
    yield chunk({}, "stop")
    yield "data: [DONE]\n\n"
