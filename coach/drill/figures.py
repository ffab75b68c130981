"""Figures of a scenario: given ones, ones drawn by a seed, and ones computed from them by named, published formulas."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping
from statistics import NormalDist
from typing import Annotated

from pydantic import Field, FiniteFloat

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


def z_score(successes_a: float, visitors_a: float, successes_b: float, visitors_b: float) -> float:
    """z of the difference between two proportions, pooled variance, b minus a (Fleiss et al., ch. 3)."""
    pooled = (successes_a + successes_b) / (visitors_a + visitors_b)
    error = math.sqrt(pooled * (1 - pooled) * (1 / visitors_a + 1 / visitors_b))
    return (successes_b / visitors_b - successes_a / visitors_a) / error


def exponential_smoothing(alpha: float, *values: float) -> float:
    """Forecast for the next period by simple exponential smoothing, begun at the first value (Brown, 1959)."""
    level = values[0]
    for value in values[1:]:
        level = alpha * value + (1 - alpha) * level
    return level


FORMULAS: Mapping[str, Callable[..., float]] = {
    "sample_size_per_arm": sample_size_per_arm,
    "z_score": z_score,
    "p_value": lambda z: 2 * (1 - NormalDist().cdf(abs(z))),
    "exponential_smoothing": exponential_smoothing,
    "mean": lambda *values: math.fsum(values) / len(values),
    "sum": lambda *terms: math.fsum(terms),
    "difference": lambda a, b: a - b,
    "product": lambda *factors: math.prod(factors),
    "quotient": lambda a, b: a / b,
    "percent_of": lambda whole, percent: whole * percent / 100,
    "rate_percent": lambda part, whole: part / whole * 100,
    "growth_percent": lambda before, after: (after - before) / before * 100,
    "ceil": lambda a: float(math.ceil(a - 1e-9)),
    "floor": lambda a: float(math.floor(a + 1e-9)),
    "round": lambda a, digits=0: round(a, int(digits)),
}


class Draw(Model):
    """A figure that differs from seed to seed: one of low, low + step, ... up to high."""

    low: FiniteFloat
    high: FiniteFloat
    step: Annotated[FiniteFloat, Field(gt=0)]

    def value(self, name: str, seed: int) -> float:
        steps = round((self.high - self.low) / self.step) + 1
        if steps < 2:
            raise ValueError("a drawn figure needs a step that fits between low and high")
        digest = hashlib.sha256(f"{seed}/{name}".encode()).digest()
        return round(self.low + self.step * (int.from_bytes(digest[:4], "big") % steps), 6)


class Formula(Model):
    """A computed figure: the formula's name and, as arguments, numbers or names of earlier figures."""

    formula: str
    of: list[str | FiniteFloat]


def compute(figures: Mapping[str, float | Draw | Formula], seed: int = 0) -> dict[str, float]:
    """The value of every figure, in the order given; a formula may use only figures before it.

    Raises:
        ValueError: names the figure whose formula is unknown, uses an unknown figure, or cannot be computed.
    """
    values: dict[str, float] = {}
    for name, figure in figures.items():
        if isinstance(figure, Draw):
            values[name] = figure.value(name, seed)
            continue
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
        if not math.isfinite(values[name]):
            raise ValueError(f"figure {name}: is no finite number")
    return values
