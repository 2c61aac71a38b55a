from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from functions.core.selection.coverage import between, uncovered
from models.interval import Interval

INTERVAL = Interval(coverage=0.9)


@given(st.integers(1, 900), st.sampled_from([0.5, 0.8, 0.9, 0.95, 0.99]))
def test_what_chance_makes_is_what_the_binomial_distribution_says(rows: int, coverage: float) -> None:
    least, most = between(rows, coverage)
    assert 0 <= least <= most <= rows
    assert binom.cdf(least - 1, rows, coverage) <= 0.025 + 1e-9
    assert binom.sf(most, rows, coverage) <= 0.025 + 1e-9
    if rows * coverage * (1 - coverage) <= 100:
        assert binom.cdf(least, rows, coverage) > 0.025 - 1e-9
        assert binom.sf(most - 1, rows, coverage) > 0.025 - 1e-9


def test_many_rows_are_counted_as_fast_and_nearly_as_well() -> None:
    least, most = between(1_000_000, 0.9)
    assert (least, most) == pytest.approx(binom.ppf([0.025, 0.975], 1_000_000, 0.9), abs=2)


@pytest.mark.parametrize(
    ("rows", "coverage", "said"),
    [
        (100, 0.9, None),
        (100, 0.84, None),
        (10, 0.7, None),
        (
            100,
            0.8,
            "coverage: 80 of 100 truths lie between low and high, 0.8 of them: too few for an interval that is to hold"
            " 0.9, of which chance makes 84 to 95; it is too narrow",
        ),
        (
            100,
            1.0,
            "coverage: 100 of 100 truths lie between low and high, 1 of them: too many for an interval that is to hold"
            " 0.9, of which chance makes 84 to 95; it is too wide",
        ),
    ],
)
def test_a_coverage_is_doubted_that_chance_does_not_explain(rows: int, coverage: float, said: str | None) -> None:
    assert uncovered(INTERVAL, rows, {"coverage": coverage}) == ([] if said is None else [said])


def test_nothing_is_said_of_what_is_not_measured() -> None:
    assert uncovered(INTERVAL, 100, {}) == []
