"""Figures of a scenario: given ones and ones computed from them by named, published formulas."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from statistics import NormalDist

from coach.scoring.check import Model


def sample_size_per_arm(base: float, target: float, alpha: float = 0.05, power: float = 0.8) -> float:
    """People needed in each arm of an A/B test to tell two conversion rates apart.

    Two-sided test of two proportions, equal arms, unpooled variance:
    n = (z_(1-alpha/2) + z_power)^2 * (p1(1-p1) + p2(1-p2)) / (p1-p2)^2, rounded up
    (Fleiss, Levin & Paik, Statistical Methods for Rates and Proportions, 3rd ed., ch. 4, no continuity correction).

    Args:
        base, target: conversion rates in per cent, different from each other.
        alpha: two-sided significance level. power: 1 - the accepted chance of missing the difference.
    """
    p1, p2 = base / 100, target / 100
    if p1 == p2:
        raise ValueError("base and target must differ: no sample tells equal rates apart")
    z = NormalDist()
    reach = z.inv_cdf(1 - alpha / 2) + z.inv_cdf(power)
    return math.ceil(reach**2 * (p1 * (1 - p1) + p2 * (1 - p2)) / (p1 - p2) ** 2)


FORMULAS: Mapping[str, Callable[..., float]] = {
    "sample_size_per_arm": sample_size_per_arm,
    "sum": lambda *terms: math.fsum(terms),
    "difference": lambda a, b: a - b,
    "product": lambda *factors: math.prod(factors),
    "quotient": lambda a, b: a / b,
    "percent_of": lambda whole, percent: whole * percent / 100,
    "rate_percent": lambda part, whole: part / whole * 100,
    "ceil": lambda a: float(math.ceil(a)),
}


class Formula(Model):
    """A computed figure: the formula's name and, as arguments, numbers or names of earlier figures."""

    formula: str
    of: list[str | float]


def compute(figures: Mapping[str, float | Formula]) -> dict[str, float]:
    """The value of every figure, in the order given; a formula may use only figures before it.

    Raises:
        ValueError: names the figure whose formula is unknown, uses an unknown figure, or cannot be computed.
    """
    values: dict[str, float] = {}
    for name, figure in figures.items():
        if not isinstance(figure, Formula):
            values[name] = float(figure)
            continue
        if figure.formula not in FORMULAS:
            raise ValueError(f"figure {name}: no formula named {figure.formula!r}")
        try:
            values[name] = float(FORMULAS[figure.formula](*[values[a] if isinstance(a, str) else a for a in figure.of]))
        except KeyError as error:
            raise ValueError(f"figure {name}: {error} is not a figure before it") from error
        except (TypeError, ValueError, ArithmeticError) as error:
            raise ValueError(f"figure {name}: {error}") from error
    return values
