"""Formulas against independent ways of working them out."""

from __future__ import annotations

import pytest

from coach.drill.figures import Formula, compute, sample_size_per_arm


def test_sample_size_against_values_worked_out_by_hand() -> None:
    # (1.959964 + 0.841621)^2 = 7.848879; p1(1-p1) + p2(1-p2) = 0.0384 + 0.045696 = 0.084096; / 0.008^2
    assert sample_size_per_arm(4.0, 4.8) == 10_314
    # 10 % against 12 %: 7.848879 * (0.09 + 0.1056) / 0.0004 = 3838.1
    assert sample_size_per_arm(10, 12) == 3839


def test_sample_size_reaches_its_power_in_simulation() -> None:
    import numpy as np

    n = int(sample_size_per_arm(10, 12))
    rng = np.random.default_rng(7)
    a, b = rng.binomial(n, 0.10, 20_000) / n, rng.binomial(n, 0.12, 20_000) / n
    z = (b - a) / np.sqrt(a * (1 - a) / n + b * (1 - b) / n)
    assert np.mean(np.abs(z) > 1.959964) == pytest.approx(0.80, abs=0.01)


def test_equal_rates_cannot_be_told_apart() -> None:
    with pytest.raises(ValueError, match="must differ"):
        sample_size_per_arm(4, 4)


def test_figures_build_on_earlier_ones() -> None:
    figures = compute({"stores": 12, "price": 3980, "total": Formula(formula="product", of=["stores", "price"])})
    assert figures["total"] == 47_760


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        (Formula(formula="guess", of=[1]), "no formula named 'guess'"),
        (Formula(formula="sum", of=["later"]), "not a figure before it"),
        (Formula(formula="quotient", of=[1, 0]), "figure f"),
        (Formula(formula="quotient", of=[1]), "figure f"),
    ],
)
def test_a_figure_that_cannot_be_computed_names_itself(formula: Formula, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        compute({"f": formula})
