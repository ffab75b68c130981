"""Personal data does not leave the machine: masked in what goes to a model elsewhere, put back in what it answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from coach.llm.tokens import Message
from knowledge.redact import mask, unmask

_PART = "\n\x1e\n"  # between messages, so that all of a call share one set of placeholders
_OPEN, _CLOSE = "〔", "〕"
_LONGEST = 24  # characters of a placeholder


def masked(messages: Sequence[Message]) -> tuple[list[Message], Mapping[str, str]]:
    """The messages without personal data, and what each placeholder in them stands for."""
    texts = [text.replace("\x1e", " ") for _, text in messages]
    hidden = mask(_PART.join(texts))
    parts = hidden.text.split(_PART)
    return [(role, part) for (role, _), part in zip(messages, parts, strict=True)], hidden.originals


def restored(pieces: Iterable[str], originals: Mapping[str, str]) -> Iterator[str]:
    """The pieces of an answer with placeholders replaced; one that is cut in two is held until its end comes."""
    held = ""
    for piece in pieces:
        held += piece
        opened = held.rfind(_OPEN)
        whole = opened < 0 or _CLOSE in held[opened:] or len(held) - opened > _LONGEST
        ready, held = (held, "") if whole else (held[:opened], held[opened:])
        if ready:
            yield unmask(ready, originals)
    if held:
        yield unmask(held, originals)
