"""Between which values a share lies that so many rows of so many had: by Clopper and Pearson, from the binomial."""

from __future__ import annotations

import math

TAIL = 0.025
"""What lies beyond either end."""
_HALVINGS = 60
_TINY = 1e-300


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
    if x > (a + 1) / (a + b + 2):
        return 1 - _beta(1 - x, b, a)
    front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    return math.exp(front) * _fraction(x, a, b) / a


def _fraction(x: float, a: float, b: float) -> float:
    """Return the continued fraction of the incomplete beta function, by the method of Lentz (DLMF 8.17.22)."""
    above, below = 1.0, 1 / _kept(1 - (a + b) * x / (a + 1))
    found = below
    for m in range(1, 100 + int(5 * math.sqrt(a + b))):
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            below = 1 / _kept(1 + term * below)
            above = _kept(1 + term / above)
            found *= below * above
        if abs(below * above - 1) < 1e-15:
            break
    return found


def _kept(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
