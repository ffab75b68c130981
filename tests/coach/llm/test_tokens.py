from __future__ import annotations

import socket

import pytest

from coach.llm import tokens


def test_counts_cl100k_tokens_without_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_network(*_: object) -> None:
        raise AssertionError("a download was tried")

    monkeypatch.setattr(socket.socket, "connect", no_network)
    tokens._encoder.cache_clear()
    # Known cl100k encodings: "hello world" is [15339, 1917], "tiktoken is great!" has 6 tokens.
    assert tokens.count("hello world") == 2
    assert tokens.count("tiktoken is great!") == 6
    assert tokens.count("") == 0


def test_special_marks_in_a_text_are_plain_text() -> None:
    assert tokens.count("<|endoftext|>") > 1


def test_a_message_costs_its_text_and_four() -> None:
    assert tokens.cost([("user", "hello world"), ("assistant", "")]) == 2 + 4 + 0 + 4


# Each turn below costs 2 + 4 = 6 tokens, the system message 6 too.
SYSTEM = ("system", "hello world")
TURNS = [("user", "hello world"), ("assistant", "hello world"), ("user", "hello world")]


@pytest.mark.parametrize(("budget", "kept"), [(24, 3), (23, 2), (18, 2), (17, 1), (12, 1), (0, 1)])
def test_trim_keeps_the_system_message_and_the_newest_turns(budget: int, kept: int) -> None:
    assert tokens.trim([SYSTEM, *TURNS], budget) == [SYSTEM, *TURNS[-kept:]]


def test_trim_leaves_what_fits_alone() -> None:
    assert tokens.trim(TURNS, 1000) == TURNS
    assert tokens.trim([], 10) == []
