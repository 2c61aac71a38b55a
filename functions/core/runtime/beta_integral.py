"""The integral of p^k (1-p)^m over a part of 0 to 1, as a logarithm: no count of requests is too large for it."""

from __future__ import annotations

import math
from functools import lru_cache

_TINY = 1e-300
_EPSILON = 1e-15
_MOST_TERMS = 200_000
"""A fraction needs about the root of the exponents: 1,000 terms for a million requests."""


@lru_cache(maxsize=4096)
def log_integral_below(k: float, m: float, bound: float) -> float:
    """Return the logarithm of the integral of p^k (1-p)^m from 0 to `bound`, which is above 0 and below 1."""
    return _log_integral(k + 1, m + 1, bound, 1 - bound)


@lru_cache(maxsize=4096)
def log_integral_above(k: float, m: float, bound: float) -> float:
    """Return the logarithm of the integral of p^k (1-p)^m from `bound` to 1."""
    return _log_integral(m + 1, k + 1, 1 - bound, bound)


def _log_integral(a: float, b: float, x: float, y: float) -> float:
    """Return the logarithm of the incomplete beta function of `a` and `b` at `x`; `y` is 1 - `x`."""
    if x <= (a + 1) / (a + b + 2):
        return _left_of_mean(a, b, x, y)
    whole = math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
    return whole + math.log1p(-math.exp(_left_of_mean(b, a, y, x) - whole))


def _left_of_mean(a: float, b: float, x: float, y: float) -> float:
    return a * math.log(x) + b * math.log(y) - math.log(a) + math.log(_fraction(a, b, x))


def _fraction(a: float, b: float, x: float) -> float:
    """Return the continued fraction of the incomplete beta function (Lentz's method): quick left of its mean."""
    c, d = 1.0, 1 / _not_zero(1 - (a + b) * x / (a + 1))
    product = d
    for term in range(1, _MOST_TERMS):
        even = term * (b - term) * x / ((a + 2 * term - 1) * (a + 2 * term))
        d, c = 1 / _not_zero(1 + even * d), _not_zero(1 + even / c)
        product *= d * c
        odd = -(a + term) * (a + b + term) * x / ((a + 2 * term) * (a + 2 * term + 1))
        d, c = 1 / _not_zero(1 + odd * d), _not_zero(1 + odd / c)
        product *= d * c
        if abs(d * c - 1) < _EPSILON:
            break
    return product


def _not_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
