from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.numerals import in_digits, parse_number

DIGITS = "零一二三四五六七八九"
# Prose without figures, signs of number or what may stand inside a number.
PROSE = st.text("客户说太贵了先问清楚 abc：；（）", max_size=6)


def in_full(value: int) -> str:
    """A writer of Chinese numerals in full form, 0 to 999,999,999,999, made for these tests only."""
    for unit, sign in ((10**8, "亿"), (10**4, "万")):
        if value >= unit:
            rest = value % unit
            gap = "零" if 0 < rest < unit // 10 else ""
            return in_full(value // unit) + sign + gap + (in_full(rest) if rest else "")
    written = ""
    for place, sign in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = value // place % 10
        if digit:
            written += DIGITS[digit] + sign
        elif written and value % place and not written.endswith("零"):
            written += "零"
    return written or "零"


def in_arabic(value: int, form: int) -> str:
    """`value` as one of the ways people type it."""
    ways = [str(value), f"{value:,}"]
    for size, sign in ((10**4, "万"), (10**8, "亿"), (10**7, "千万"), (10**6, "百万"), (10**11, "千亿")):
        if value >= size:
            whole, rest = divmod(value, size)
            fraction = f"{rest:0{len(str(size)) - 1}}".rstrip("0")[:8]
            if Fraction(int(fraction or 0), 10 ** len(fraction)) * size == rest:
                ways.append(f"{whole}.{fraction}{sign}" if fraction else f"{whole}{sign}")
    high, low, rest = value // 10**8, value // 10**4 % 10**4, value % 10**4
    if high and low >= 10:
        ways.append(f"{high}亿{low}万" + (f"{rest:04}" if rest else ""))
    if not high and low and rest >= 10:
        ways.append(f"{low}万{rest:04}")
    return ways[form % len(ways)]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("１２", 12),
        ("3,842", 3842),
        ("1.2万", 12_000),
        ("1.2w", 12_000),
        ("2k", 2000),
        ("3千", 3000),
        ("18万7", 187_000),
        ("18万7千", 187_000),
        ("1万零300", 10_300),
        ("1.5万零3", 15_003),
        ("1万2345", 12_345),
        ("3百万", 3_000_000),
        ("5千万", 50_000_000),
        ("3.5千万", 35_000_000),
        ("1亿2000万", 120_000_000),
        ("3亿5千万", 350_000_000),
        ("3亿5", 350_000_000),
        ("一万二", 12_000),
        ("一万零二", 10_002),
        ("三千八", 3800),
        ("三千零八十", 3080),
        ("一百一", 110),
        ("十", 10),
        ("两千", 2000),
        ("二〇二五", 2025),
        ("零", 0),
        ("三点五", 3.5),
        ("三点五万", 35_000),
        ("一点二五亿", 125_000_000),
    ],
)
def test_a_number_is_read_however_it_is_written(text: str, value: float) -> None:
    assert parse_number(text) == value


@pytest.mark.parametrize(
    "text", ["", "点", "三点", "三点五点六", "三点五十", "-5", "1 2", "1.2.3", "abc", "5个", "亿元", "1" * 33]
)
def test_what_is_no_number_is_none(text: str) -> None:
    assert parse_number(text) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("提到百分之十五。", "提到15%。"),
        ("百分之三点五", "3.5%"),
        ("百分之12.5", "12.5%"),
        ("百分之百", "100%"),
        ("1.2万元和12,000元", "12000元和12000元"),
        ("预算 12 万", "预算 120000"),
        ("营收1亿2000万元", "营收120000000元"),
        ("融了3亿5千万", "融了350000000"),
        ("赔了5百万", "赔了5000000"),
        ("三点五万人", "35000人"),
        ("十二万三千四百五十六", "123456"),
        ("二零二五年", "2025年"),
        ("十二点五", "12.5"),
        ("十二点三十分", "12点30分"),
        ("一般三包", "一般三包"),
        ("2024,100,200", "2024,100,200"),
        ("1,0000", "1,0000"),
        ("v1.2.3万", "v1.2.3万"),
        ("没有数字", "没有数字"),
        ("", ""),
    ],
)
def test_larger_numbers_are_told_in_plain_digits(text: str, expected: str) -> None:
    assert in_digits(text) == expected


@given(st.integers(0, 999_999_999_999))
def test_a_numeral_in_full_keeps_its_value(value: int) -> None:
    assert parse_number(in_full(value)) == value


@given(st.integers(0, 999_999_999_999), st.integers(0, 99))
def test_a_typed_number_keeps_its_value(value: int, form: int) -> None:
    assert parse_number(in_arabic(value, form)) == pytest.approx(value, rel=1e-12)


@given(st.integers(10, 99_999_999_999), st.integers(0, 99), PROSE, PROSE)
def test_within_prose_every_way_of_writing_becomes_the_same(value: int, form: int, before: str, after: str) -> None:
    expected = f"{before}{value}{after}"
    assert in_digits(f"{before}{in_arabic(value, form)}{after}") == expected
    assert in_digits(f"{before}{in_full(value)}{after}") == expected


@given(st.lists(st.tuples(PROSE, st.integers(0, 99_999_999_999), st.integers(0, 99)), max_size=4), PROSE)
def test_a_text_in_plain_digits_stays_as_it_is(parts: list[tuple[str, int, int]], end: str) -> None:
    text = "".join(
        f"{before}，{in_arabic(value, form) if form % 2 else in_full(value)}" for before, value, form in parts
    )
    once = in_digits(text + end)
    assert in_digits(once) == once


@given(st.text("零一二两三十百千万亿点〇分之0123456789,.% 元wk", max_size=40))
def test_nothing_written_makes_it_fail(text: str) -> None:
    in_digits(text)
    parse_number(text)
