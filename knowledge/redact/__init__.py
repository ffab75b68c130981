"""Masking of personal data in Chinese text: what is personal is found by rule, replaced, and put back.

Nothing here guesses with a model, so the same text is always masked the same way, at once and on this machine. Found
are mobile and fixed numbers, identity and bank cards, e-mail addresses, WeChat and QQ handles, postal addresses (see
`address`), number plates, and names where they are marked (see `names`). 400 and 800 numbers count as fixed numbers:
whose they are cannot be told from the number, and a hotline masked in vain comes back on unmasking. A mobile number
that is called a WeChat stays a mobile number. Not covered: passports and permits, numbers of other countries and of
Hong Kong, Macao and Taiwan, plates of the army and the armed police, names without a mark, cards of 15 digits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from knowledge.redact import address, handles, names, structured
from knowledge.redact.view import view

Kind = Literal["mobile", "landline", "id_card", "bank_card", "email", "wechat", "qq", "address", "plate", "name"]
Place = tuple[int, int]

LABELS: Mapping[Kind, str] = {
    "mobile": "手机号",
    "landline": "电话",
    "id_card": "身份证",
    "bank_card": "银行卡",
    "email": "邮箱",
    "wechat": "微信号",
    "qq": "QQ号",
    "address": "地址",
    "plate": "车牌",
    "name": "姓名",
}
_PLACEHOLDER = re.compile(rf"〔(?:{'|'.join(LABELS.values())})[0-9]+〕")


@dataclass(frozen=True)
class Span:
    """Personal data in a text: `text[start:end]`, as it is written there."""

    start: int
    end: int
    kind: Kind
    text: str


@dataclass(frozen=True)
class Masked:
    """A text with placeholders, and what each placeholder stands for."""

    text: str
    originals: Mapping[str, str]


def find(text: str) -> list[Span]:
    """The personal data in `text`, in order and not overlapping; offsets count characters of `text` as given."""
    flat = view(text)
    taken = bytearray(len(flat))
    found: list[Span] = []
    for kind, (start, end) in _candidates(flat, found):
        if start < end and not any(taken[start:end]):
            taken[start:end] = b"\1" * (end - start)
            found.append(Span(start, end, kind, text[start:end]))
    return sorted(found, key=lambda span: span.start)


def mask(text: str) -> Masked:
    """`text` with each value replaced by a placeholder such as 〔手机号1〕.

    The same characters get the same placeholder; a number written in two ways gets two, so that unmasking restores each
    as it was. Numbers whose placeholder the text already contains are passed over.
    """
    reserved = set(_PLACEHOLDER.findall(text))
    placeholders: dict[tuple[Kind, str], str] = {}
    counts: dict[Kind, int] = {}
    pieces: list[str] = []
    done = 0
    for span in find(text):
        key = (span.kind, span.text)
        while key not in placeholders:
            counts[span.kind] = counts.get(span.kind, 0) + 1
            placeholder = f"〔{LABELS[span.kind]}{counts[span.kind]}〕"
            if placeholder not in reserved:
                placeholders[key] = placeholder
        pieces += [text[done : span.start], placeholders[key]]
        done = span.end
    return Masked("".join([*pieces, text[done:]]), {where: value for (_, value), where in placeholders.items()})


def unmask(text: str, originals: Mapping[str, str]) -> str:
    """`text` with the placeholders of `originals` replaced by what they stand for; others stay.

    `unmask(m.text, m.originals) == text` for `m = mask(text)`, whatever the text.
    """
    return _PLACEHOLDER.sub(lambda match: originals.get(match.group(), match.group()), text)


def _candidates(flat: str, found: list[Span]) -> Iterator[tuple[Kind, Place]]:
    """What may be personal, the surest first; `found` is what has been accepted so far."""
    for place in structured.emails(flat):
        yield "email", place
    for place in structured.id_cards(flat):
        yield "id_card", place
    for place in structured.bank_cards(flat):
        yield "bank_card", place
    for place in structured.mobiles(flat):
        yield "mobile", place
    for place in handles.qqs(flat):
        yield "qq", place
    for place in handles.wechats(flat):
        yield "wechat", place
    for place in structured.landlines(flat):
        yield "landline", place
    for place in structured.plates(flat):
        yield "plate", place
    for place in address.addresses(flat):
        yield "address", place
    numbers = [(span.start, span.end) for span in found if span.kind in ("mobile", "id_card")]
    homes = [(span.start, span.end) for span in found if span.kind == "address"]
    for place in names.names(flat, numbers, homes):
        yield "name", place
