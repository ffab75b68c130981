from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from coach.llm.gateway import Endpoint, Gateway, GatewayError, first_object
from tests.fake_openai import FakeOpenAI

KEY = "sk-not-to-be-seen-4711"
ASK = [("system", "你是顾客。"), ("user", "您好")]
SCHEMA = {"type": "object", "properties": {"met": {"type": "boolean"}}, "required": ["met"]}


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def fake() -> Iterator[FakeOpenAI]:
    with FakeOpenAI("价格能不能再低一点？") as server:
        yield server


def gateway(fake: FakeOpenAI, clock: Clock | None = None) -> Gateway:
    made = Gateway(Endpoint(fake.base_url, SecretStr(KEY), "fake"), clock=clock or Clock())
    made.warm()
    return made


def failure(gate: Gateway, deadline_s: float = 5.0) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        gate.complete(ASK, deadline_s=deadline_s)
    return caught.value


def test_streams_the_answer_in_pieces(fake: FakeOpenAI) -> None:
    pieces = list(gateway(fake).stream(ASK, max_tokens=40, temperature=0.3, seed=7, stop=["\n"]))
    assert "".join(pieces) == "价格能不能再低一点？"
    assert len(pieces) == 10
    sent = fake.requests[0]
    assert sent["messages"] == [
        {"role": "system", "content": "你是顾客。"},
        {"role": "user", "content": "您好"},
    ]
    expected = {
        "model": "fake",
        "stream": True,
        "max_tokens": 40,
        "temperature": 0.3,
        "seed": 7,
        "stop": ["\n"],
    }
    assert {name: sent[name] for name in expected} == expected
    assert fake.headers[0]["authorization"] == f"Bearer {KEY}"


def test_what_is_not_asked_for_is_not_sent(fake: FakeOpenAI) -> None:
    gateway(fake).complete(ASK)
    assert not {"temperature", "seed", "stop", "response_format"} & fake.requests[0].keys()


def test_counts_calls_tokens_and_failures(fake: FakeOpenAI) -> None:
    gate = gateway(fake)
    gate.complete(ASK)
    fake.mode = "refused"
    failure(gate)
    counters = gate.counters
    assert (counters.calls, counters.stopped, dict(counters.failures)) == (2, 0, {"refused": 1})
    assert counters.tokens_in > 0
    assert counters.tokens_out > 0
    assert counters.seconds > 0


@pytest.mark.parametrize(
    ("mode", "reason"),
    [
        ("rate_limited", "rate_limited"),
        ("server_error", "server_error"),
        ("refused", "refused"),
        ("not_found", "bad_response"),
        ("html", "bad_response"),
        ("bad_json", "bad_response"),
        ("error_event", "bad_response"),
        ("cut", "bad_response"),
        ("cut_politely", "bad_response"),
        ("empty", "bad_response"),
    ],
)
def test_every_failure_has_its_reason_and_hides_the_key(fake: FakeOpenAI, mode: str, reason: str) -> None:
    fake.mode = mode  # type: ignore[assignment]
    error = failure(gateway(fake))
    assert error.reason == reason
    assert KEY not in str(error)
    assert error.__suppress_context__ or error.__context__ is None
    assert len(fake.requests) == 1, "a failed call must not be repeated behind the caller's back"


@pytest.mark.parametrize("mode", ["slow_first", "drip", "drip_text"])
def test_the_deadline_holds_against_a_slow_endpoint(fake: FakeOpenAI, mode: str) -> None:
    fake.mode = mode  # type: ignore[assignment]
    gate = gateway(fake)
    started = time.monotonic()
    assert failure(gate, deadline_s=0.3).reason == "timeout"
    assert 0.3 <= time.monotonic() - started < 1.5


def test_a_timed_out_request_is_broken_off(fake: FakeOpenAI) -> None:
    fake.mode = "drip"
    failure(gateway(fake), deadline_s=0.2)
    assert fake.hung_up.wait(5)


def test_closing_the_stream_breaks_the_request_off(fake: FakeOpenAI) -> None:
    fake.mode = "drip_text"
    stream = gateway(fake).stream(ASK)
    assert next(stream) == "嗯"
    stream.close()  # type: ignore[attr-defined]
    assert fake.hung_up.wait(5)


def test_pieces_before_a_cut_are_delivered(fake: FakeOpenAI) -> None:
    fake.mode = "cut"
    stream = gateway(fake).stream(ASK)
    assert "".join(next(stream) for _ in range(5)) == "价格能不能"
    with pytest.raises(GatewayError) as caught:
        next(stream)
    assert caught.value.reason == "bad_response"


def test_a_refused_connection_is_unreachable() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
        assert failure(Gateway(Endpoint(url, SecretStr(KEY), "fake"))).reason == "unreachable"


def test_a_name_that_does_not_resolve_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_such_name(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    gate = Gateway(Endpoint("http://model.invalid/v1", SecretStr(KEY), "fake"))
    gate.warm()
    monkeypatch.setattr(socket, "getaddrinfo", no_such_name)
    assert failure(gate).reason == "unreachable"


def test_the_deadline_holds_against_a_name_server_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()

    def hanging(*_: object, **__: object) -> None:
        release.wait()
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    gate = Gateway(Endpoint("http://model.invalid/v1", SecretStr(KEY), "fake"))
    gate.warm()
    monkeypatch.setattr(socket, "getaddrinfo", hanging)
    started = time.monotonic()
    assert failure(gate, deadline_s=0.3).reason == "timeout"
    assert time.monotonic() - started < 1.5
    release.set()


def test_a_proxy_in_the_environment_does_not_stand_before_this_machine(
    fake: FakeOpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert gateway(fake).complete(ASK) == "价格能不能再低一点？"


def test_an_unusable_proxy_is_a_gateway_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "gopher://me:secret@127.0.0.1:9")
    error = failure(Gateway(Endpoint("http://model.invalid/v1", SecretStr(KEY), "fake")))
    assert error.reason == "unreachable"
    assert "secret" not in str(error)


def test_the_breaker_stops_calls_for_20_seconds(fake: FakeOpenAI) -> None:
    clock = Clock()
    gate = gateway(fake, clock)
    fake.mode = "server_error"
    failure(gate)
    fake.mode = "good"
    clock.now += 19.9
    assert failure(gate).reason == "server_error"
    assert len(fake.requests) == 1
    assert gate.counters.stopped == 1
    clock.now += 0.2
    assert gate.complete(ASK) == "价格能不能再低一点？"
    assert len(fake.requests) == 2


@pytest.mark.parametrize(("asked", "pause"), [("45", 45.0), ("3600", 60.0), ("soon", 20.0), ("1", 1.0)])
def test_the_breaker_honours_retry_after_up_to_a_minute(fake: FakeOpenAI, asked: str, pause: float) -> None:
    clock = Clock()
    gate = gateway(fake, clock)
    fake.mode, fake.retry_after = "rate_limited", asked
    failure(gate)
    fake.mode = "good"
    clock.now += pause - 0.1
    assert failure(gate).reason == "rate_limited"
    clock.now += 0.2
    assert gate.complete(ASK)


@pytest.mark.parametrize("mode", ["refused", "empty", "html", "not_found"])
def test_failures_that_waiting_does_not_cure_leave_the_breaker_alone(fake: FakeOpenAI, mode: str) -> None:
    gate = gateway(fake)
    fake.mode = mode  # type: ignore[assignment]
    failure(gate)
    fake.mode = "good"
    assert gate.complete(ASK)


def test_structured_asks_for_the_schema(fake: FakeOpenAI) -> None:
    fake.reply = lambda _: '{"met": true}'
    assert gateway(fake).structured(ASK, SCHEMA) == {"met": True}
    asked = fake.requests[0]["response_format"]
    assert asked["type"] == "json_schema"
    assert asked["json_schema"]["schema"] == SCHEMA


def test_structured_says_the_schema_in_words_where_it_is_not_taken(fake: FakeOpenAI) -> None:
    fake.mode = "no_schema"
    fake.reply = lambda _: '当然：\n```json\n{"met": false}\n```'
    gate = gateway(fake)
    assert gate.structured(ASK, SCHEMA) == {"met": False}
    assert json.dumps(SCHEMA) in fake.requests[1]["messages"][-1]["content"]
    assert [m["role"] for m in fake.requests[1]["messages"]] == ["system", "user"]
    gate.structured(ASK, SCHEMA)
    assert len(fake.requests) == 3, "the second question must not try the schema again"


def test_a_structured_answer_without_an_object_is_a_bad_response(fake: FakeOpenAI) -> None:
    fake.reply = lambda _: "都达到了。"
    with pytest.raises(GatewayError) as caught:
        gateway(fake).structured(ASK, SCHEMA)
    assert caught.value.reason == "bad_response"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"a": {"b": 1}}', {"a": {"b": 1}}),
        ('前言 {不是} 然后 {"a": 1} 后记 {"b": 2}', {"a": 1}),
        ('[1, {"a": 1}]', {"a": 1}),
        ('{"a": NaN}', None),
        ('{"a": 1', None),
        ("{" * 5000, None),
        ("", None),
    ],
)
def test_first_object(text: str, found: dict[str, object] | None) -> None:
    assert first_object(text) == found


def test_check_tells_whether_the_endpoint_is_usable(fake: FakeOpenAI) -> None:
    assert gateway(fake).check() is None
    fake.mode = "refused"
    told = gateway(fake).check()
    assert told is not None
    assert told.startswith("refused: ")
    assert KEY not in told


def test_the_key_is_in_no_representation(fake: FakeOpenAI) -> None:
    gate = gateway(fake)
    assert KEY not in repr(gate.endpoint)
    assert KEY not in str(gate.endpoint)
    assert KEY not in repr(vars(gate))


def test_the_fingerprint_names_model_and_host_or_the_weights() -> None:
    def of(url: str, key: str, model: str, weights: str | None = None) -> str:
        return Endpoint(url, SecretStr(key), model, weights_sha256=weights).fingerprint

    one = of("https://a.example/v1", "k1", "m")
    assert one == of("https://a.example/compatible/v1", "k2", "m")
    assert one != of("https://b.example/v1", "k1", "m")
    assert one != of("https://a.example/v1", "k1", "n")
    assert of("http://127.0.0.1:1/v1", "", "m", "abc") == "abc"


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("base_url", ("ftp://a.example", KEY, "m")),
        ("base_url", ("https://me:pw@a.example/v1", KEY, "m")),
        ("base_url", ("https:///v1", KEY, "m")),
        ("api_key", ("https://a.example/v1", f"{KEY}\n", "m")),
        ("api_key", ("https://a.example/v1", "密钥", "m")),
        ("model", ("https://a.example/v1", KEY, " ")),
    ],
)
def test_an_unusable_endpoint_names_its_field(field: str, values: tuple[str, str, str]) -> None:
    url, key, model = values
    with pytest.raises(ValueError, match=f"^{field}: ") as caught:
        Endpoint(url, SecretStr(key), model)
    assert KEY not in str(caught.value)


def test_telemetry_is_off() -> None:
    from langsmith.utils import tracing_is_enabled

    assert os.environ["LANGCHAIN_TRACING_V2"] == "false"
    assert not tracing_is_enabled()
