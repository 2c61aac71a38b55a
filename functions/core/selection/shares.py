"""Between which values a share lies that so many rows of so many had: by Clopper and Pearson, from the binomial."""

from __future__ import annotations

import math

from functions.core.runtime.beta_integral import log_integral_below

TAIL = 0.025
"""What lies beyond either end."""
_HALVINGS = 60


def interval(having: float, rows: float) -> tuple[float, float]:
    """Return the interval of a share, of which 95 in 100 hold what is true, at least; of no rows all that may be.

    Of rows that weigh, numbers are those that they count as.
    """
    if not rows:
        return 0.0, 1.0
    lower = _quantile(TAIL, having, rows - having + 1) if having else 0.0
    upper = _quantile(1 - TAIL, having + 1, rows - having) if having < rows else 1.0
    return lower, upper


def least(rows: float) -> float:
    """Return the lower end of a share that all of so many rows have: with 8 rows 0.63, with 100 0.964."""
    return TAIL ** (1 / rows) if rows else 0.0


def _quantile(probability: float, a: float, b: float) -> float:
    """Return the quantile of the beta distribution, by halving: its distribution only rises."""
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if _beta(middle, a, b) < probability else (low, middle)
    return (low + high) / 2


def _beta(x: float, a: float, b: float) -> float:
    """Return the regularised incomplete beta function."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    return math.exp(log_integral_below(a - 1, b - 1, x) - math.lgamma(a) - math.lgamma(b) + math.lgamma(a + b))
