"""One request to an OpenAI-compatible chat endpoint: where it goes, its deadline, how it fails."""

from __future__ import annotations

import hashlib
import ipaddress
import os
import queue
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from pydantic import SecretStr

from coach.llm.tokens import Message

if TYPE_CHECKING:
    import httpx
    from langchain_openai import ChatOpenAI

# Conversations of learners leave for the endpoint the operator chose and for nowhere else. Set before
# LangChain is imported, over whatever the environment says.
for _name in ("LANGSMITH_TRACING_V2", "LANGCHAIN_TRACING_V2", "LANGSMITH_TRACING", "LANGCHAIN_TRACING"):
    os.environ[_name] = "false"

Reason = Literal["unreachable", "timeout", "rate_limited", "refused", "bad_response", "server_error"]


class GatewayError(Exception):
    """Why a model call gave no answer: `reason` for code, the message (never with the key) for people."""

    def __init__(self, reason: Reason, text: str, retry_after_s: float | None = None) -> None:
        super().__init__(text)
        self.reason = reason
        self.retry_after_s = retry_after_s


class RequestRefused(GatewayError):
    """The endpoint would not take the request as it is (400 or 422), as some do with a JSON schema."""


@dataclass(frozen=True)
class Endpoint:
    """Where a model is reached.

    Args:
        base_url: http or https address up to the version, as in `https://host/v1`.
        api_key: empty for servers that ask for none.
        model: the name the server knows the model by.
        timeout_s: total seconds a call may take, from request to last token, where the call does not say.
        weights_sha256: hash of the weights where they are known, as for the local model.

    Raises:
        ValueError: naming the field that cannot be used.
    """

    base_url: str
    api_key: SecretStr
    model: str
    timeout_s: float = 12.0
    weights_sha256: str | None = None

    def __post_init__(self) -> None:
        url = urlsplit(self.base_url)
        if url.scheme not in ("http", "https") or not url.hostname:
            raise ValueError("base_url: must be an http or https address, such as https://host/v1")
        if url.username or url.password:
            raise ValueError("base_url: must not hold a user name or password; the key goes in api_key")
        key = self.api_key.get_secret_value()
        if not key.isascii() or any(c.isspace() or not c.isprintable() for c in key):
            raise ValueError("api_key: must be printable ASCII without spaces")
        if not self.model.strip():
            raise ValueError("model: must not be empty")
        if self.timeout_s <= 0:
            raise ValueError("timeout_s: must be more than 0")

    @property
    def host(self) -> str:
        return urlsplit(self.base_url).hostname or ""

    @property
    def fingerprint(self) -> str:
        """What a score is pinned to: SHA-256 of the weights if known, else of the model's name and host."""
        named = f"{self.model}\n{self.host}".encode()
        return self.weights_sha256 or hashlib.sha256(named).hexdigest()


def chat_model(endpoint: Endpoint) -> ChatOpenAI:
    """The LangChain model of an endpoint, without retries; keeps its connections open between calls.

    Raises:
        GatewayError: "unreachable" when the proxy settings of this machine cannot be used.
    """
    import httpx
    from langchain_openai import ChatOpenAI

    # A proxy set for the outside world cannot reach a server on this machine.
    outside = not is_loopback(endpoint.host)
    try:
        client = httpx.Client(trust_env=outside, event_hooks={"response": [Call.seen]})
    except (ImportError, ValueError):
        # A SOCKS proxy, as a rule; what is wrong with it is not said, for its address may hold a password.
        wrong = "the proxy set in the environment cannot be used: it must be an http one"
        raise GatewayError("unreachable", wrong) from None
    return ChatOpenAI(
        base_url=endpoint.base_url,
        api_key=SecretStr(endpoint.api_key.get_secret_value() or "none"),
        model=endpoint.model,
        max_retries=0,
        use_responses_api=False,
        stream_usage=False,
        cache=False,
        http_client=client,
    )


class Call:
    """One request, run in a thread of its own: only so does a deadline hold against a name server that hangs
    or an endpoint that drips a byte a second, which no socket timeout catches."""

    _running = threading.local()

    def __init__(self, chat: ChatOpenAI, messages: Sequence[Message], options: dict[str, Any], seconds: float) -> None:
        self._ends_at = time.monotonic() + seconds
        self._seconds = seconds
        self._out: queue.SimpleQueue[str | Exception | None] = queue.SimpleQueue()
        self._cancelled = threading.Event()
        self._response: httpx.Response | None = None
        options = options | {"timeout": seconds}
        threading.Thread(target=self._run, args=(chat, list(messages), options), daemon=True).start()

    def pieces(self) -> Iterator[str]:
        while True:
            try:
                item = self._out.get(timeout=max(self._ends_at - time.monotonic(), 0.0))
            except queue.Empty:
                raise GatewayError("timeout", f"the model took longer than {self._seconds:g} s") from None
            if item is None:
                return
            if isinstance(item, Exception):
                raise item
            yield item

    @property
    def answering(self) -> bool:
        """Whether the endpoint has begun to answer."""
        return self._response is not None

    def cancel(self) -> None:
        """Break the request off, so that the thread ends and the server stops generating."""
        self._cancelled.set()
        if self._response is not None and not self._response.is_closed:
            with suppress(KeyError, OSError):
                connection = self._response.extensions["network_stream"].get_extra_info("socket")
                connection.shutdown(socket.SHUT_RDWR)

    @classmethod
    def seen(cls, response: httpx.Response) -> None:
        """httpx tells of a response, in the thread of its call."""
        call: Call | None = getattr(cls._running, "call", None)
        if call is not None:
            call._response = response
            if call._cancelled.is_set():
                call.cancel()

    def _run(self, chat: ChatOpenAI, messages: list[Message], options: dict[str, Any]) -> None:
        self._running.call = self
        try:
            finished = False
            for chunk in chat.stream(messages, **options):
                if self._cancelled.is_set():
                    return
                finished = finished or bool(chunk.response_metadata.get("finish_reason"))
                if text := str(chunk.text):
                    self._out.put(text)
            self._out.put(None if finished else GatewayError("bad_response", "the answer ended midway"))
        except Exception as error:
            self._out.put(error)


def translated(error: Exception, endpoint: Endpoint, answering: bool) -> GatewayError:
    """What a failure of LangChain, the openai client or httpx means to a caller.

    Args:
        answering: whether the endpoint had begun its answer when it failed.
    """
    import httpx
    import openai

    where = f"the model endpoint at {endpoint.host}"
    if isinstance(error, openai.APITimeoutError | httpx.TimeoutException):
        return GatewayError("timeout", f"{where} did not answer in time")
    if isinstance(error, openai.APIConnectionError | httpx.TransportError):
        if answering:
            return GatewayError("bad_response", f"{where} broke its answer off midway")
        return GatewayError("unreachable", f"{where} cannot be reached")
    if isinstance(error, openai.APIStatusError):
        status = error.status_code
        if status in (401, 403):
            return GatewayError("refused", f"{where} refused the key ({status})")
        if status == 429:
            pause = _seconds(error.response.headers.get("retry-after"))
            return GatewayError("rate_limited", f"{where} has had too many requests (429)", pause)
        if status >= 500:
            pause = _seconds(error.response.headers.get("retry-after"))
            return GatewayError("server_error", f"{where} failed ({status})", pause)
        said = error.message.replace(endpoint.api_key.get_secret_value() or "\0", "***")[:200]
        kind = RequestRefused if status in (400, 422) else GatewayError
        return kind("bad_response", f"{where} did not take the request ({status}): {said}")
    if isinstance(error, openai.APIError):
        return GatewayError("bad_response", f"{where} reported an error in its answer")
    return GatewayError("bad_response", f"{where} answered with something other than a chat completion")


def _seconds(retry_after: str | None) -> float | None:
    """Retry-After in seconds; its rarer form, a date, counts as not given."""
    return float(retry_after) if retry_after and retry_after.isdecimal() else None


def is_loopback(host: str) -> bool:
    """Whether `host` can be reached from this machine only."""
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"
