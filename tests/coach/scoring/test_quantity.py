"""Numbers as people type them; expected values worked out by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coach.scoring.quantity import find_quantities, parse_number


@pytest.mark.parametrize(
    ("text", "low", "high", "unit"),
    [
        ("每组3,842人", 3842, 3842, "count"),
        ("每组３８４２人", 3842, 3842, "count"),
        ("三千八百四十二人", 3842, 3842, "count"),
        ("1.2万元", 12000, 12000, "yuan"),
        ("1.2W块", 12000, 12000, "yuan"),
        ("预算是8到10万", 80000, 100000, "none"),
        ("百分之十五", 15, 15, "percent"),
        ("１５％", 15, 15, "percent"),
        ("打八五折", 85, 85, "percent"),
        ("打8折", 80, 80, "percent"),
        ("降了三成", 30, 30, "percent"),
        ("3-5天", 3, 5, "day"),
        ("两个工作日", 2, 2, "day"),
        ("两周", 14, 14, "day"),
        ("一万二", 12000, 12000, "none"),
        ("三千八", 3800, 3800, "none"),
        ("一千零五十", 1050, 1050, "none"),
        ("十五个人", 15, 15, "count"),
        ("¥3999", 3999, 3999, "yuan"),
        ("2.5:1", 2.5, 2.5, "ratio"),
        ("一亿两千万", 120_000_000, 120_000_000, "none"),
        ("三点五万元", 35000, 35000, "yuan"),
        ("18万7", 187000, 187000, "none"),
        ("18万7千块", 187000, 187000, "yuan"),
        ("1万零300人", 10300, 10300, "count"),
        ("三成九", 39, 39, "percent"),
        ("7个自然日", 7, 7, "day"),
    ],
)
def test_one_quantity(text: str, low: float, high: float, unit: str) -> None:
    (found,) = find_quantities(text)
    assert (found.low, found.high, found.unit) == (pytest.approx(low), pytest.approx(high), unit)


@pytest.mark.parametrize("text", ["第一次", "第 3 章", "没有数字", "", "成功了"])
def test_what_is_no_quantity(text: str) -> None:
    assert find_quantities(text) == []


def test_several_in_order() -> None:
    found = find_quantities("点击率从4%提到4.8%，每组要10,300人")
    assert [(q.low, q.unit) for q in found] == [(4, "percent"), (4.8, "percent"), (10300, "count")]


@given(st.integers(0, 99_999_999))
def test_arabic_numbers_with_separators_come_back(value: int) -> None:
    assert parse_number(f"{value:,}") == value


@given(st.integers(1, 99_999_999))
def test_chinese_numerals_come_back(value: int) -> None:
    assert parse_number(_han(value)) == value


def _han(value: int) -> str:
    """An independent writer of Chinese numerals, in full form."""

    def below_10000(n: int) -> str:
        text, zero = "", False
        for power, unit in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
            digit, n = divmod(n, power)
            if digit:
                text += ("零" if zero and text else "") + "零一二三四五六七八九"[digit] + unit
                zero = False
            else:
                zero = True
        return text

    high, low = divmod(value, 10_000)
    if not high:
        return below_10000(low)
    joint = "零" if 0 < low < 1000 else ""
    return below_10000(high) + "万" + joint + below_10000(low)


def test_near_is_relative_and_holds_for_both_ends() -> None:
    (stated,) = find_quantities("每组10,100人")
    assert stated.near(10_300, 0.02)
    assert not stated.near(10_310, 0.02)
    (wide,) = find_quantities("每组5,000到15,000人")
    assert not wide.near(10_000, 0.02)
