from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from functions.core.watching.divergence import by_chance, chi_squared, most_by_chance, psi


def test_the_index_of_two_spreads_is_the_sum_over_their_cells() -> None:
    current = np.array([5, 5, 10, 10, 10, 10, 10, 10, 15, 15])
    assert psi(np.full(10, 10), current) == pytest.approx(0.10986122886681095, abs=1e-15)
    assert psi(current, np.full(10, 10)) == pytest.approx(0.10986122886681095, abs=1e-15)
    assert psi(current, current * 7) == 0


def test_an_empty_cell_counts_as_a_ten_thousandth() -> None:
    assert psi(np.array([50, 50]), np.array([100, 0])) == pytest.approx(
        0.5 * np.log(2) + (0.5 - 1e-4) * np.log(0.5 / 1e-4)
    )


@pytest.mark.parametrize(
    ("reference", "current", "cells", "expected"),
    [
        (1_000, 1_000, 10, 0.0338),
        (10_000, 1_000, 10, 0.0186),
        (10_000, 200, 10, 0.0863),
        (100_000, 100_000, 10, 0.00034),
        (1_000, 1_000, 30, 0.0851),
    ],
)
def test_chance_alone_exceeds_its_bound_as_often_as_stated(
    reference: int, current: int, cells: int, expected: float
) -> None:
    assert by_chance(reference, current, cells, 0.05) == pytest.approx(expected, rel=0.01)


def test_the_bound_of_chance_holds_in_draws_of_one_distribution() -> None:
    rng = np.random.default_rng(5)
    shares = np.array([0.3, 0.2, 0.2, 0.1, 0.1, 0.1])
    bound = by_chance(5_000, 2_000, 6, 0.05)
    exceeded = [psi(rng.multinomial(5_000, shares), rng.multinomial(2_000, shares)) > bound for _ in range(2_000)]
    assert 0.035 < np.mean(exceeded) < 0.065


def test_one_cell_never_differs() -> None:
    assert by_chance(10, 10, 1, 0.01) == 0


@pytest.mark.parametrize("freedom", [1, 2, 3, 5, 9, 30, 200])
@pytest.mark.parametrize("share", [0.9, 0.95, 0.99, 0.999, 0.9999])
def test_a_quantile_of_chi_squared_is_near_that_of_scipy(freedom: int, share: float) -> None:
    assert 0.99 <= chi_squared(share, freedom) / stats.chi2.ppf(share, freedom) <= 1.04


@pytest.mark.parametrize(("share", "rows"), [(0.0, 500), (0.01, 500), (0.01, 10_000), (0.2, 2_000)])
def test_a_share_is_hardly_ever_drawn_beyond_its_bound(share: float, rows: int) -> None:
    bound = most_by_chance(share, rows, 0.001)
    assert stats.binom.sf(np.floor(bound * rows), rows, share) <= 0.004
    assert bound < share + 5 * np.sqrt((share + 2 / rows) / rows)
