from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from knowledge.arithmetic import NotASum, mistakes, value_of

# An expression as it is written, its value in fractions, and how it binds: 0 a sum, 1 a product, 2 a number.
Written = tuple[str, Fraction, int]


def _number(parts: tuple[int, int, tuple[str, int], bool]) -> Written:
    digits, places, (unit, scale), grouped = parts
    whole = digits // 10**places
    text = (f"{whole:,}" if grouped else str(whole)) + (f".{digits % 10**places:0{places}}" if places else "")
    return f"{text}{unit}", Fraction(digits, 10**places) * scale / 100, 2


def _within(written: Written, least: int) -> str:
    return written[0] if written[2] >= least else f"({written[0]})"


def _join(parts: tuple[Written, str, Written]) -> Written | None:
    left, sign, right = parts
    if sign in "+-":
        value = left[1] + right[1] if sign == "+" else left[1] - right[1]
        return f"{left[0]} {sign} {_within(right, 1)}", value, 0
    if sign == "÷" and not right[1]:
        return None
    value = left[1] * right[1] if sign == "×" else left[1] / right[1]
    return f"{_within(left, 1)} {sign} {_within(right, 2)}", value, 1


# What stands behind a number, and hundredths of what it counts.
UNITS = st.sampled_from([("", 100), (" 元", 100), ("元/件", 100), ("个", 100), ("%", 1), (" 万元", 1_000_000)])
NUMBERS = st.tuples(st.integers(0, 99_999), st.integers(0, 3), UNITS, st.booleans()).map(_number)
SUMS = st.recursive(
    NUMBERS,
    lambda inner: st.tuples(inner, st.sampled_from("+-×÷"), inner).map(_join).filter(lambda one: one is not None),
    max_leaves=6,
)


@given(SUMS)
def test_a_sum_is_worked_out_as_fractions_say(written: Written) -> None:
    text, value, _ = written
    assume(abs(value) < 10**15)
    assert value_of(text) == pytest.approx(float(value), rel=1e-9, abs=1e-3)


@given(SUMS, st.integers(0, 4))
def test_a_rounded_result_is_right_and_one_that_is_further_off_is_not(written: Written, places: int) -> None:
    text, value, _ = written
    assume(0 <= value < 10**8)
    rounded = round(value, places)
    assert mistakes(f"得 `{text} ≈ {float(rounded):.{places}f}`。") == []
    off = rounded + Fraction(2, 10**places) + value / 10**8  # a billionth part is let pass
    (problem,) = mistakes(f"得 `{text} ≈ {float(off):,.{places}f}`。")
    assert ", not " in problem


@given(st.integers(0, 10**8), st.integers(0, 10**8), st.integers(1, 10**8))
def test_equals_forgives_nothing(one: int, other: int, off: int) -> None:
    assert mistakes(f"`{one:,} + {other} = {one + other:,}`") == []
    assert len(mistakes(f"`{one:,} + {other} = {one + other + off:,}`")) == 1


@pytest.mark.parametrize(
    "text",
    [
        "`800,000 × 2.5% = 20,000`",
        "`¥800,000 × 2.5％ = 20,000 元`",
        "`毛利 = 12 × 3 = 36 元`",
        "`(1 + 2) × 3 = 9`",
        "`（1 + 2）* 3 = 9`",
        "`1 − 0.2 = 0.8`",
        "`1 ÷ 3 ≈ 33.3%`",
        "`1 ÷ 3 ≈ 0.33 ≈ 0.3`",
        "`12,345 ≈ 1.2万`",
        "`3.4% − 2.9% = 0.5 个百分点`",
        "`2^3^2 = 512`",
        "`-2^2 + 5 = 1`",
        "`2^-1 = 0.5`",
        "`√(9 + 16) = 5`",
        "`3 × -2 = -6`",
        "`100 / 4 = 25`",
        "`120 元/件 × 5 件 = 600 元`",
        "`1.5亿 = 15,000 万`",
        "没有算式，只有 30×40 厘米的纸箱。",
        "",
    ],
)
def test_what_is_right_is_passed(text: str) -> None:
    assert mistakes(text) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("`800,000 × 2.5% = 2,000`", "`800,000 × 2.5% = 2,000`: 800,000 × 2.5% is 20000, not 2000"),
        ("`2 + 2 = 5 = 5`", "`2 + 2 = 5 = 5`: 2 + 2 is 4, not 5"),
        ("`1 ÷ 3 = 0.33`", "`1 ÷ 3 = 0.33`: 1 ÷ 3 is 0.3333333333, not 0.33"),
        ("`1 ÷ 3 ≈ 0.34`", "`1 ÷ 3 ≈ 0.34`: 1 ÷ 3 is 0.3333333333, not 0.34"),
        ("`price_id`", "`price_id`: inline code is for arithmetic only"),
        ("`1 ÷ 0 = 1`", "`1 ÷ 0 = 1`: cannot be checked (float division by zero)"),
        ("`(1 + 2 = 3`", "`(1 + 2 = 3`: cannot be checked (a bracket is not closed)"),
        ("`1 + = 2`", "`1 + = 2`: cannot be checked (it ends too early)"),
        ("`3 4 = 12`", "`3 4 = 12`: cannot be checked (4.0 is out of place)"),
        ("`√(0 - 1) = 1`", "`√(0 - 1) = 1`: cannot be checked (a root of a negative number)"),
        ("`(0 - 8)^0.5 = 2`", "`(0 - 8)^0.5 = 2`: cannot be checked (a root of a negative number)"),
        ("`2^65 = 1`", "`2^65 = 1`: cannot be checked (an exponent above 64)"),
        ("共 3 × 4 件。", "共 3 × 4 件。: arithmetic outside inline code"),
        ("合计 = 12 元", "合计 = 12 元: arithmetic outside inline code"),
        ("大约 ≈ ¥5", "大约 ≈ ¥5: arithmetic outside inline code"),
    ],
)
def test_what_is_wrong_is_told(text: str, problem: str) -> None:
    assert mistakes(text) == [problem]


def test_every_mistake_is_told_in_order() -> None:
    found = mistakes("`1 + 1 = 3`，`1 + 2 = 3`，`2 × 2 = 5`，还有 6 ÷ 2。")
    assert [problem.rpartition(":")[2] for problem in found] == [
        " 1 + 1 is 2, not 3",
        " 2 × 2 is 4, not 5",
        " arithmetic outside inline code",
    ]


def test_brackets_without_end_are_no_crash() -> None:
    (problem,) = mistakes(f"`{'(' * 2000}1{')' * 2000} = 1`")
    assert "cannot be checked" in problem


def test_a_side_that_is_no_expression_is_told() -> None:
    with pytest.raises(NotASum, match="a bracket is not closed"):
        value_of("(1 + 2")


@given(st.text("0123456789.,%+-×÷()√^ 元万亿/=≈`a", max_size=30))
def test_nothing_written_makes_it_fail(text: str) -> None:
    mistakes(f"`{text}`")
