"""Checking the sums written in a text: `800,000 × 2.5% = 20,000` in inline code, every one right."""

import math
import re
from collections.abc import Iterator

_SPAN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_LOOSE = re.compile(
    r"[=≈]\s*[¥￥]?\d|\d[\d,.]*[%万亿]?[个元人单件天]?\s*[×÷]\s*[¥￥]?\d+(?![\d.]*\s*(?:厘米|毫米|米|cm|mm|m|px|英寸))"
)
_EQUALS = re.compile(r"([=≈])")
_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_TOKEN = re.compile(rf"(?P<number>{_NUMBER})|(?P<sign>[+\-×÷()√^])")
# Words after a number are its unit. A stroke in them (元/件) divides nothing.
_UNIT = re.compile(r"[^\d+\-×÷()√^%/.,\s]+(?:/[^\d+\-×÷()√^%/.,\s]+)*")
_SAME = {"−": "-", "–": "-", "—": "-", "*": "×", "（": "(", "）": ")", "，": ",", "％": "%"}
_CLOSE = 1e-9


class NotASum(ValueError):
    """What stands there is no sum that can be checked."""


def mistakes(markdown: str) -> list[str]:
    """What is wrong with the arithmetic in a text, in words; empty when every sum is marked and right."""
    found = []
    for span in _SPAN.findall(markdown):
        if not _EQUALS.search(span):
            found.append(f"`{span}`: inline code is for arithmetic only")
            continue
        try:
            found += [f"`{span}`: {problem}" for problem in _wrong(span)]
        except (NotASum, ZeroDivisionError, OverflowError, RecursionError) as error:
            found.append(f"`{span}`: cannot be checked ({error})")
    bare = _SPAN.sub("", markdown)
    found += [f"{_around(bare, m)}: arithmetic outside inline code" for m in _LOOSE.finditer(bare)]
    return found


def _around(text: str, match: re.Match[str]) -> str:
    return text[max(0, match.start() - 8) : match.end() + 8].replace("\n", " ").strip()


def _wrong(span: str) -> Iterator[str]:
    """What does not hold in one chain such as `a × b = c ≈ d`."""
    for there, here in _SAME.items():
        span = span.replace(there, here)
    first, *rest = _EQUALS.split(span)
    before = first
    for relation, after in zip(rest[::2], rest[1::2], strict=True):
        # A side without figures is a name: 毛利 = 12 × 3 = 36.
        if any(map(str.isdigit, before)) and any(map(str.isdigit, after)):
            value, shown = value_of(before), value_of(after)
            slack = _half_digit(after) if relation == "≈" else 0.0
            if abs(value - shown) > slack + _CLOSE * max(1.0, abs(value)):
                yield f"{before.strip()} is {value:.10g}, not {shown:.10g}"
        before = after


def _half_digit(side: str) -> float:
    """Half of the last digit shown, in the unit it is shown in: 0.005 for 1.23, 0.0005 for 12.3%, 500 for 1.2万."""
    shown = re.findall(rf"({_NUMBER})(.{{0,4}})", side)
    if not shown:
        return 0.0
    number, unit = shown[-1]
    return 0.5 * 10.0 ** -len(number.partition(".")[2]) * _scale(unit.strip())


def _scale(unit: str) -> float:
    if unit.startswith(("%", "个百分点")):
        return 0.01
    return {"万": 1e4, "亿": 1e8}.get(unit[:1], 1.0)


def value_of(side: str) -> float:
    """The value of one side; raises NotASum when it is no expression."""
    tokens: list[str | float] = []
    place = 0
    side = re.sub(r"[¥￥]", "", side)
    # A name before the first figure: 毛利 12 × 3.
    side = re.sub(r"^[^\d(\-√]+", "", side)
    while place < len(side):
        match = _TOKEN.match(side, place)
        if match and match["number"]:
            rest = side[match.end() :].lstrip()
            tokens.append(float(match["number"].replace(",", "")) * _scale(rest))
            place = match.end()
        elif match:
            tokens.append(match["sign"])
            place = match.end()
        elif side[place] == "/" and not _UNIT.match(side, place + 1):
            tokens.append("÷")
            place += 1
        elif side[place] in "% /,." or side[place].isspace():
            place += 1
        elif unit := _UNIT.match(side, place):
            place = unit.end()
        else:
            raise NotASum(f"{side[place]!r} is not understood")
    value, left = _sum(tokens)
    if left:
        raise NotASum(f"{left[0]} is out of place")
    return value


def _sum(tokens: list[str | float]) -> tuple[float, list[str | float]]:
    value, tokens = _product(tokens)
    while tokens and tokens[0] in ("+", "-"):
        sign = tokens[0]
        term, tokens = _product(tokens[1:])
        value = value + term if sign == "+" else value - term
    return value, tokens


def _product(tokens: list[str | float]) -> tuple[float, list[str | float]]:
    value, tokens = _power(tokens)
    while tokens and tokens[0] in ("×", "÷"):
        sign = tokens[0]
        factor, tokens = _power(tokens[1:])
        value = value * factor if sign == "×" else value / factor
    return value, tokens


def _power(tokens: list[str | float]) -> tuple[float, list[str | float]]:
    value, tokens = _atom(tokens)
    if tokens and tokens[0] == "^":
        exponent, tokens = _power(tokens[1:])
        if abs(exponent) > 64:
            raise NotASum("an exponent above 64")
        if value < 0 and exponent % 1:
            raise NotASum("a root of a negative number")
        value = value**exponent
    return value, tokens


def _atom(tokens: list[str | float]) -> tuple[float, list[str | float]]:
    if not tokens:
        raise NotASum("it ends too early")
    first, rest = tokens[0], tokens[1:]
    if isinstance(first, float):
        return first, rest
    if first == "-":
        value, rest = _power(rest)
        return -value, rest
    if first == "√":
        value, rest = _atom(rest)
        if value < 0:
            raise NotASum("a root of a negative number")
        return math.sqrt(value), rest
    if first == "(":
        value, rest = _sum(rest)
        if not rest or rest[0] != ")":
            raise NotASum("a bracket is not closed")
        return value, rest[1:]
    raise NotASum(f"{first} is out of place")
