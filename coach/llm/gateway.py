"""The one path to a language model: any OpenAI-compatible chat endpoint, through LangChain's `ChatOpenAI`.

Whatever goes wrong on that path comes out as one `GatewayError`, within the caller's deadline. Messages are
(role, text) pairs with the roles "system", "user" and "assistant". What goes to another machine goes without personal
data; see `coach.llm.privacy`.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from coach.llm import tokens
from coach.llm.call import Call, Endpoint, GatewayError, Reason, RequestRefused, chat_model, is_loopback, translated
from coach.llm.privacy import masked, restored
from coach.llm.tokens import Message

if TYPE_CHECKING:
    from langchain_openai import ChatOpenAI

__all__ = ["Counters", "Endpoint", "Gateway", "GatewayError", "Reason", "first_object"]

OPENS_BREAKER: frozenset[Reason] = frozenset({"unreachable", "timeout", "rate_limited", "server_error"})
PAUSE_S = 20.0
LONGEST_PAUSE_S = 60.0


@dataclass
class Counters:
    """What a gateway has done since it was made. Tokens are estimates by `tokens.count`."""

    calls: int = 0
    """Calls that went out; those the breaker stopped are not among them."""
    stopped: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    tokens_in: int = 0
    tokens_out: int = 0
    seconds: float = 0.0


class Gateway:
    """Calls to one endpoint, safe to share between threads.

    After a failure that a moment may cure (unreachable, timeout, rate_limited, server_error) calls fail at
    once with the same reason for 20 s, or for as long as the endpoint's Retry-After asks, 60 s at most.
    """

    def __init__(self, endpoint: Endpoint, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.endpoint = endpoint
        self.counters = Counters()
        self._clock = clock
        self._lock = threading.Lock()
        self._closed_again_at = 0.0
        self._last_error: GatewayError | None = None
        self._takes_schema = True

    @property
    def fingerprint(self) -> str:
        return self.endpoint.fingerprint

    def warm(self) -> None:
        """Do now what takes about 2 s once in a process (imports, tables), rather than on the first call."""
        with self._lock:
            _ = self._chat
            tokens.count("")

    def stream(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int = 512,
        temperature: float | None = None,
        seed: int | None = None,
        stop: Sequence[str] | None = None,
        deadline_s: float | None = None,
    ) -> Iterator[str]:
        """Yield the answer piece by piece. Nothing is sent before the first piece is asked for, and closing
        the iterator breaks the request off.

        Args:
            deadline_s: seconds from request to last token; the endpoint's `timeout_s` when None.

        Raises:
            GatewayError: also after pieces were yielded, when the rest does not come.
        """
        answered = False
        for piece in self._pieces(messages, max_tokens, temperature, seed, stop, deadline_s, {}):
            answered = answered or bool(piece.strip())
            yield piece
        if not answered:
            raise self._failed(GatewayError("bad_response", "the model gave an empty answer"))

    def complete(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int = 512,
        temperature: float | None = None,
        seed: int | None = None,
        stop: Sequence[str] | None = None,
        deadline_s: float | None = None,
    ) -> str:
        """The whole answer. Arguments and errors as for `stream`."""
        pieces = self.stream(
            messages,
            max_tokens=max_tokens,
            temperature=temperature,
            seed=seed,
            stop=stop,
            deadline_s=deadline_s,
        )
        return "".join(pieces)

    def structured(
        self,
        messages: Sequence[Message],
        json_schema: dict[str, Any],
        *,
        max_tokens: int = 1024,
        temperature: float | None = 0.0,
        seed: int | None = None,
        deadline_s: float | None = None,
    ) -> dict[str, Any]:
        """A JSON object that the endpoint was asked to shape by `json_schema`.

        Endpoints that do not take a schema are given it in words. Either way the shape is a wish: the caller
        validates.

        Raises:
            GatewayError: as for `stream`; "bad_response" when the answer holds no JSON object.
        """
        seconds = self.endpoint.timeout_s if deadline_s is None else deadline_s
        ends_at = time.monotonic() + seconds

        def ask(messages: Sequence[Message], extra: dict[str, Any]) -> str:
            left = max(ends_at - time.monotonic(), 0.01)
            return "".join(self._pieces(messages, max_tokens, temperature, seed, None, left, extra))

        if self._takes_schema:
            wanted = {"type": "json_schema", "json_schema": {"name": "answer", "schema": json_schema}}
            try:
                return self._object(ask(messages, {"response_format": wanted}))
            except RequestRefused:
                # The schema may be what it would not take; only an answer without it can tell.
                pass
        schema = json.dumps(json_schema, ensure_ascii=False)
        role, text = messages[-1]
        in_words = f"{text}\n\n只输出一个符合下面 JSON Schema 的 JSON 对象，不要输出任何其他文字：\n{schema}"
        answer = self._object(ask([*messages[:-1], (role, in_words)], {}))
        self._takes_schema = False
        return answer

    def check(self) -> str | None:
        """None when the endpoint answers a tiny request, else "reason: what is wrong"."""
        try:
            for _ in self._pieces([("user", "你好")], 8, None, None, None, None, {}):
                pass
        except GatewayError as error:
            return f"{error.reason}: {error}"
        return None

    def _pieces(
        self,
        messages: Sequence[Message],
        max_tokens: int,
        temperature: float | None,
        seed: int | None,
        stop: Sequence[str] | None,
        deadline_s: float | None,
        extra: dict[str, Any],
    ) -> Iterator[str]:
        self._ask_breaker()
        try:
            self.warm()
        except GatewayError as error:
            raise self._failed(error) from None
        # ChatOpenAI renames max_tokens for OpenAI's newest models; the other servers know the old name only.
        name = "max_completion_tokens" if self.endpoint.host == "api.openai.com" else "max_tokens"
        options: dict[str, Any] = {"extra_body": {name: max_tokens, **extra}}
        options |= {k: v for k, v in (("temperature", temperature), ("seed", seed)) if v is not None}
        if stop:
            options["stop"] = list(stop)
        seconds = self.endpoint.timeout_s if deadline_s is None else deadline_s
        originals: Mapping[str, str] = {}
        if not is_loopback(self.endpoint.host):
            messages, originals = masked(messages)
        call = Call(self._chat, messages, options, seconds)
        started = time.monotonic()
        said: list[str] = []
        try:
            for piece in restored(call.pieces(), originals) if originals else call.pieces():
                said.append(piece)
                yield piece
            self._succeeded()
        except GatewayError as error:
            raise self._failed(error) from None
        except Exception as error:
            raise self._failed(translated(error, self.endpoint, call.answering)) from None
        finally:
            call.cancel()
            with self._lock:
                self.counters.calls += 1
                self.counters.seconds += time.monotonic() - started
                self.counters.tokens_in += tokens.cost(messages)
                self.counters.tokens_out += tokens.count("".join(said))

    def _ask_breaker(self) -> None:
        with self._lock:
            error, wait = self._last_error, self._closed_again_at - self._clock()
            if error is None or wait <= 0:
                return
            self.counters.stopped += 1
        raise GatewayError(error.reason, f"{error}; not tried again for another {wait:.0f} s", wait)

    def _succeeded(self) -> None:
        with self._lock:
            self._last_error = None

    def _failed(self, error: GatewayError) -> GatewayError:
        with self._lock:
            self.counters.failures[error.reason] += 1
            if error.reason in OPENS_BREAKER:
                pause = PAUSE_S if error.retry_after_s is None else min(error.retry_after_s, LONGEST_PAUSE_S)
                self._closed_again_at = self._clock() + pause
                self._last_error = error
        return error

    def _object(self, text: str) -> dict[str, Any]:
        found = first_object(text)
        if found is None:
            raise self._failed(GatewayError("bad_response", "the model's answer holds no JSON object"))
        return found

    @cached_property
    def _chat(self) -> ChatOpenAI:
        return chat_model(self.endpoint)


def first_object(text: str) -> dict[str, Any] | None:
    """The first JSON object in a text, whatever stands around it (code fences, remarks), or None."""
    decoder = json.JSONDecoder(parse_constant=_no_constant)
    start = text.find("{")
    while start >= 0:
        with suppress(ValueError, RecursionError):
            found, _ = decoder.raw_decode(text, start)
            if isinstance(found, dict):
                return found
        start = text.find("{", start + 1)
    return None


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")
