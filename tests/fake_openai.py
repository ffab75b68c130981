"""An OpenAI-compatible chat server for tests: on loopback, in a thread, well-behaved or broken at will."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, Self

Mode = Literal[
    "good",
    "slow_first",  # accepts the request and says nothing
    "drip",  # a keep-alive comment for ever, never a word
    "drip_text",  # a word for ever
    "rate_limited",
    "server_error",
    "refused",
    "not_found",
    "html",
    "bad_json",
    "error_event",
    "cut",  # half an answer, then the connection is closed
    "cut_politely",  # half an answer, then the stream ends as if nothing were missing
    "empty",
    "no_schema",  # 400 when asked for a JSON schema, else good
]
Reply = Callable[[list[dict[str, str]]], str]
STATUS = {"rate_limited": 429, "server_error": 500, "refused": 401, "not_found": 404}


class FakeOpenAI:
    """Answers `/v1/chat/completions`, streamed or whole, with `reply(messages)`.

    `mode` may be changed between requests; `requests` holds the JSON bodies received, `headers` their headers
    (names in lower case), oldest first. Slow modes wait on an event set by `close`, so no test waits.
    """

    def __init__(self, reply: Reply | str = "好的。", mode: Mode = "good") -> None:
        self.reply: Reply = reply if callable(reply) else lambda _: reply
        self.mode: Mode = mode
        self.retry_after: str | None = None
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.hung_up = threading.Event()
        """Set when a client broke off a drip."""
        self.released = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._server.block_on_close = False
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def close(self) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _handler(fake: FakeOpenAI) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            return None

        def do_GET(self) -> None:
            self._send(200, json.dumps({"object": "list", "data": [{"id": "fake", "object": "model"}]}))

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            fake.requests.append(body)
            fake.headers.append({name.lower(): value for name, value in self.headers.items()})
            try:
                self._answer(body)
            except OSError:
                fake.hung_up.set()

        def _answer(self, body: dict[str, Any]) -> None:
            mode = fake.mode
            if mode in STATUS:
                # A careless server: it repeats the key it was given.
                self._send(STATUS[mode], _error(f"wrong: {self.headers.get('Authorization')}"))
            elif mode == "no_schema" and "response_format" in body:
                self._send(400, _error("response_format is not supported"))
            elif mode == "slow_first":
                fake.released.wait()
            elif mode == "html":
                self._send(200, "<html><body>登录</body></html>", "text/html")
            elif not body.get("stream"):
                self._send(200, json.dumps(_completion(fake.reply(body["messages"]))))
            else:
                self._stream(mode, body)

        def _stream(self, mode: Mode, body: dict[str, Any]) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            if mode == "bad_json":
                self._event("{this is not json")
                return self._end()
            if mode == "error_event":
                self._event(_error("out of memory"))
                return self._end()
            while mode in ("drip", "drip_text") and not fake.released.wait(0.02):
                if mode == "drip":
                    self._raw(b": still here\n\n")
                else:
                    self._event(json.dumps(_chunk({"content": "嗯"})))
            text = "" if mode == "empty" else fake.reply(body["messages"])
            self._event(json.dumps(_chunk({"role": "assistant", "content": ""})))
            half = len(text) // 2 if mode in ("cut", "cut_politely") else len(text)
            for character in text[:half]:
                self._event(json.dumps(_chunk({"content": character})))
            if mode == "cut":
                self.close_connection = True
                return None
            if mode != "cut_politely":
                self._event(json.dumps(_chunk({}, "stop")))
            self._event("[DONE]")
            return self._end()

        def _event(self, data: str) -> None:
            self._raw(f"data: {data}\n\n".encode())

        def _raw(self, data: bytes) -> None:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
            self.wfile.flush()

        def _end(self) -> None:
            self.wfile.write(b"0\r\n\r\n")
            self.wfile.flush()

        def _send(self, status: int, text: str, kind: str = "application/json") -> None:
            data = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            if fake.retry_after is not None:
                self.send_header("Retry-After", fake.retry_after)
            self.end_headers()
            self.wfile.write(data)

    return Handler


def _error(text: str) -> str:
    return json.dumps({"error": {"message": text, "type": "fake", "code": None}})


def _chunk(delta: dict[str, str], finish: str | None = None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "c", "object": "chat.completion.chunk", "created": 0, "model": "fake", "choices": [choice]}


def _completion(text: str) -> dict[str, Any]:
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return {"id": "c", "object": "chat.completion", "created": 0, "model": "fake", "choices": [choice]}
