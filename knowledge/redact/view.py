"""The form in which a text is searched: as long as the text, so that places found in it are places in the text."""

from __future__ import annotations

from functools import lru_cache

from knowledge.text import fold

_SPACES = dict.fromkeys(map(ord, "\t\u00a0\u200b\u200c\u200d\u2060\u3000\ufeff"), " ")
_SIGNS = dict.fromkeys(map(ord, "‐‑‒–—―−"), "-") | {ord("➕"): "+"}
_NUMERALS = str.maketrans("〇零○一壹幺二贰三叁四肆五伍六陆七柒八捌九玖", "0001112233445566778899")


def view(text: str) -> str:
    """`text` half-width, lower-case and in Simplified characters, each character where it was."""
    flat = text.translate(_SPACES | _SIGNS)
    odd = {char for char in flat if char >= "\x80" or "A" <= char <= "Z"}
    return flat.translate({ord(char): _plain(char) for char in odd})


def numerals(flat: str) -> str:
    """A view with Chinese numerals as digits: 一三八 as 138."""
    return flat.translate(_NUMERALS)


@lru_cache(maxsize=20_000)
def _plain(char: str) -> str:
    plain = fold(char)
    # What grows when folded (㎡) would shift every place after it; ① before a number is no digit of it.
    return plain if len(plain) == 1 and not (plain.isdecimal() and not char.isdecimal()) else char
