"""Numbers as people write them in Chinese: 3,842 人, 三千八百四十二, 1.2万, 百分之十五, 3-5天, 八五折."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

from knowledge.numerals import MIXED, parse_number

Unit = Literal["count", "percent", "yuan", "day", "ratio", "none"]

_TENTHS = {c: i for i, c in enumerate("零一二三四五六七八九")}

_ARABIC = r"\d{1,3}(?:,\d{3}){1,5}(?:\.\d{1,8})?|\d{1,15}(?:\.\d{1,8})?"
_HAN = r"[零〇一二两三四五六七八九十百千万亿]{1,16}(?:点[零〇一二三四五六七八九]{1,8})?"
_NUMBER = rf"{MIXED}|(?:{_ARABIC})\s*(?:万|亿|[wk](?![a-z])|千|百)?|{_HAN}"
_UNITS: list[tuple[str, Unit, float]] = [
    (r"%|个点(?!位)|个百分点", "percent", 1.0),
    (r"万元|万块", "yuan", 10_000.0),
    (r"元|块钱?|rmb", "yuan", 1.0),
    (r"倍|:1", "ratio", 1.0),
    (r"个?(?:工作|自然)日|天|日(?!活|均|常|期)", "day", 1.0),
    (r"周|个?星期|个?礼拜", "day", 7.0),
    (r"个月", "day", 30.0),
    (r"人|个|单|件|台|位|名|次|份|户|家|张|笔|条|套", "count", 1.0),
]
_UNIT = "|".join(f"(?P<u{i}>{pattern})" for i, (pattern, _, _) in enumerate(_UNITS))
_QUANTITY = re.compile(
    rf"(?P<currency>[¥￥$])?(?P<percent>百分之)?(?P<low>{_NUMBER})\s*(?:{_UNIT})?"
    rf"(?:\s*(?:-|~|到|至)\s*(?P<high>{_NUMBER})\s*(?P<highunit>{'|'.join(p for p, _, _ in _UNITS)})?)?"
    rf"(?P<cut>成(?P<tenth>[一二三四五六七八九])?(?![功为本绩交员立熟果分长])|折)?"
)
_ORDINAL = re.compile(r"第\s*$")


@dataclass(frozen=True)
class Quantity:
    """A number, or a range of numbers, found in a text.

    Attributes:
        low, high: the value in base units (yuan, days, per cent, heads); equal unless a range was given.
        unit: its dimension; `none` when no unit was written.
        start, end: where it stands in the NFKC-normalised text.
    """

    low: float
    high: float
    unit: Unit
    start: int
    end: int

    def near(self, value: float, tolerance: float) -> bool:
        """Whether `value` is met within the relative `tolerance`; a range must not be wider than that either."""
        slack = abs(value) * tolerance + 1e-9
        return abs(self.low - value) <= slack and abs(self.high - value) <= slack


def find_quantities(text: str) -> list[Quantity]:
    """Every quantity in `text`, in order. 折 and 成 become per cent: 八五折 is 85 %, 三成 is 30 %."""
    text = unicodedata.normalize("NFKC", text).lower()
    found = []
    for match in _QUANTITY.finditer(text):
        low = parse_number(match["low"])
        if low is None or _ORDINAL.search(text[: match.start()]):
            continue
        unit, scale = _unit(match)
        high = parse_number(match["high"]) if match["high"] else None
        if high is not None and high >= 10_000 > low and match["high"][-1] in "万w" and unit == "none":
            low *= 10_000  # 8-10万: the 万 is said once for both ends
        if match["highunit"] and unit == "none":
            unit, scale = next((u, s) for p, u, s in _UNITS if re.fullmatch(p, match["highunit"]))
        if match["currency"] and unit == "none":
            unit = "yuan"
        if match["percent"]:
            unit, scale = "percent", 1.0
        if match["cut"] and unit == "none":
            unit, scale = "percent", 10.0
            if match["tenth"]:
                low += _TENTHS[match["tenth"]] / 10
            if match["cut"] == "折" and low > 10:
                scale = 1.0
        ends = sorted((low * scale, (low if high is None else high) * scale))
        found.append(Quantity(ends[0], ends[1], unit, match.start(), match.end()))
    return found


def _unit(match: re.Match[str]) -> tuple[Unit, float]:
    for i, (_, unit, scale) in enumerate(_UNITS):
        if match[f"u{i}"]:
            return unit, scale
    return "none", 1.0
