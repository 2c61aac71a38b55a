"""How far two distributions over the same cells are apart, and how far chance alone would put them."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np

FLOOR = 1e-4
"""The least share of a cell: an empty one would make any difference endless."""


def psi(reference: np.ndarray, current: np.ndarray) -> float:
    """Return the population stability index of two counts, [cells] each; both have some.

    Shares below `FLOOR` count as it.
    """
    before, after = (np.maximum(counts / counts.sum(), FLOOR) for counts in (reference, current))
    return float(((after - before) * np.log(after / before)).sum())


def by_chance(reference: float, current: float, cells: int, level: float) -> float:
    """Return the index that two draws of one distribution exceed with the probability `level`.

    `reference` and `current` are how many rows were drawn. Their index is about (1/M + 1/N) times a chi-squared of
    `cells` - 1 degrees of freedom: Yurdakul, Statistical Properties of Population Stability Index, 2018,
    https://scholarworks.wmich.edu/dissertations/3208. 0 for one cell.
    """
    if cells < 2:
        return 0.0
    return (1 / reference + 1 / current) * chi_squared(1 - level, cells - 1)


def chi_squared(share: float, freedom: int) -> float:
    """Return the quantile of a chi-squared distribution, from the 90th on, at most 4 % too large and 1 % too small.

    One and two degrees of freedom are exact; beyond, by Wilson and Hilferty, 1931.
    """
    if freedom == 1:
        return NormalDist().inv_cdf((1 + share) / 2) ** 2
    if freedom == 2:
        return -2 * math.log1p(-share)
    part = 2 / (9 * freedom)
    return freedom * (1 - part + NormalDist().inv_cdf(share) * math.sqrt(part)) ** 3


def most_by_chance(share: float, current: float, level: float) -> float:
    """Return the share of so many rows that chance alone exceeds with the probability `level`, where `share` is true.

    By the normal distribution, with a row more than there was so that a share of 0 has a width too.
    """
    true = (share * current + 1) / (current + 1)
    return true + NormalDist().inv_cdf(1 - level) * math.sqrt(true * (1 - true) / current)
