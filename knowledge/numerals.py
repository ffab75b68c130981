"""Numbers written in Chinese or Arabic digits: their value, and one way of writing them for search."""

import re
import unicodedata

_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"两": 2, "〇": 0}
_SMALL = {"十": 10, "百": 100, "千": 1000}
_LARGE = {"万": 10_000, "w": 10_000, "k": 1_000, "千": 1_000, "百": 100, "亿": 100_000_000}
_PART = r"\d+(?:\.\d+)?[十百千]?"
_REST = r"零?\d{1,4}[千百]?(?![\d.%万亿])"
# 18万7, 18万7千, 1万零300, 1亿2000万, 3亿5千万, 5百万: digits and signs mixed.
MIXED = rf"{_PART}亿零?{_PART}万(?:{_REST})?|{_PART}[万亿]{_REST}|\d+(?:\.\d+)?[十百千][万亿]"
_MIXED_PARTS = re.compile(rf"(?:({_PART})亿)?零?(?:({_PART})万)?(?:(零?)(\d{{1,4}})([千百]?))?")
_HAN = r"[零〇一二两三四五六七八九十百千万亿]"
_FRACTION = "点[零〇一二三四五六七八九]{1,8}"
_CLOSE = 1e-12  # parts added up in floating point: 2亿5998万5715 is whole
_WRITTEN = re.compile(
    rf"(?P<percent>百分之)(?P<of>{_HAN}{{1,32}}(?:{_FRACTION})?|\d+(?:\.\d+)?)"
    rf"|(?<![\d.])(?P<mixed>{MIXED})"
    r"|(?<![\d.])(?P<arabic>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d{1,15}(?:\.\d{1,8})?)\s?(?P<unit>[万亿])"
    # 2024,100,200 are three numbers.
    r"|(?<![\d.,])(?P<commas>\d{1,3}(?:,\d{3})+(?:\.\d+)?)(?!,?\d)"
    rf"|(?P<han>{_HAN}{{1,32}}{_FRACTION}[万亿]|{_HAN}{{2,32}}(?:{_FRACTION}(?![十百千]))?)"
)
_DECIMAL = re.compile(rf"({_HAN}+)点([零〇一二三四五六七八九]+)([万亿]?)")


def parse_number(text: str) -> float | None:
    """The value of one number in Arabic or Chinese digits, with 万, 亿, w or k behind it; None if it is none."""
    text = unicodedata.normalize("NFKC", text).lower().replace(",", "").strip()
    if len(text) > 32:
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(万|亿|w|k|千|百)?", text)
    if match:
        return float(match[1]) * _LARGE.get(match[2] or "", 1)
    mixed = _MIXED_PARTS.fullmatch(text)
    if mixed and (mixed[1] or mixed[2]):
        return _mixed(*mixed.groups(default=""))
    if decimal := _DECIMAL.fullmatch(text):
        fraction = "".join(str(_DIGITS[c]) for c in decimal[2])
        return (_han_integer(decimal[1]) + float(f"0.{fraction}")) * _LARGE.get(decimal[3], 1)
    return _han_integer(text) if re.fullmatch(f"{_HAN}+", text) else None


def in_digits(folded: str) -> str:
    """A folded text with its larger numbers in plain digits: 百分之十五 is 15%, 1.2万 and 12,000 are 12000.

    A single Chinese digit stays, as it is more often part of a word (一般, 三包).
    """
    return _WRITTEN.sub(_plain, folded)


def _plain(match: re.Match[str]) -> str:
    written = match["of"] or match["mixed"] or match["commas"] or match["han"] or match["arabic"] + match["unit"]
    value = parse_number(written)
    if value is None:
        return match.group()
    whole = round(value)
    plain = str(whole) if abs(value - whole) <= _CLOSE * value else f"{value:.6f}".rstrip("0").rstrip(".")
    return f"{plain}%" if match["percent"] else plain


def _mixed(high: str, low: str, zero: str, rest: str, unit: str) -> float:
    """亿, 万, and what follows them: a bare last digit counts in tenths of the unit before it, as in 18万7."""
    last = 10_000 if low else 100_000_000
    value = _part(high) * 100_000_000 + _part(low) * 10_000
    if unit or zero or len(rest) != 1:
        return value + float(rest or 0) * _LARGE.get(unit, 1)
    return value + _bare(int(rest), last)


def _part(written: str) -> float:
    return float(written.rstrip("十百千") or 0) * _SMALL.get(written[-1:], 1)


def _han_integer(text: str) -> float:
    if all(c in _DIGITS for c in text):
        return float("".join(str(_DIGITS[c]) for c in text))
    for sign in ("亿", "万"):
        high, found, low = text.rpartition(sign)
        if found:
            return _han_integer(high or "一") * _LARGE[sign] + _rest(low, _LARGE[sign])
    total = digit = last = 0
    for char in text:
        if char in _DIGITS:
            digit = _DIGITS[char]
            last = 0 if char in "零〇" else last
        else:
            total += (digit or 1) * _SMALL[char]
            digit, last = 0, _SMALL[char]
    return total + _bare(digit, last)


def _rest(low: str, unit: int) -> float:
    """What follows 万 or 亿: 一万二 is 12,000, 一万零二 is 10,002."""
    if len(low) == 1 and low in _DIGITS:
        return _bare(_DIGITS[low], unit)
    return _han_integer(low) if low else 0.0


def _bare(digit: int, unit: int) -> float:
    """A bare last digit counts in tenths of the unit before it: 三千八 is 3,800."""
    return float(digit * (unit // 10 if unit >= 100 else 1))
