from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from functions.core.selection.coverage import uncovered
from models.interval import Interval

INTERVAL = Interval(coverage=0.9)


@given(st.integers(1, 900), st.floats(0, 1), st.sampled_from([0.5, 0.8, 0.9, 0.95, 0.99]))
def test_a_coverage_is_doubted_where_the_binomial_distribution_does(rows: int, share: float, coverage: float) -> None:
    count = round(share * rows)
    ends = binomtest(count, rows).proportion_ci(0.95)
    doubted = not ends.low <= coverage <= ends.high
    assert bool(uncovered(Interval(coverage=coverage), rows, {"coverage": count / rows})) == doubted


@pytest.mark.parametrize(
    ("rows", "coverage", "said"),
    [
        (100, 0.9, None),
        (100, 0.84, None),
        (10, 0.7, None),
        (
            100,
            0.8,
            "coverage: 80.0% of the truths lie between low and high, by 100 rows 70.8% to 87.3%: too few for an"
            " interval that is to hold 0.9; it is too narrow",
        ),
        (
            100,
            1.0,
            "coverage: 100.0% of the truths lie between low and high, by 100 rows 96.4% to 100.0%: too many for an"
            " interval that is to hold 0.9; it is too wide",
        ),
    ],
)
def test_a_coverage_that_chance_does_not_explain_is_told(rows: int, coverage: float, said: str | None) -> None:
    assert uncovered(INTERVAL, rows, {"coverage": coverage}) == ([] if said is None else [said])


def test_rows_that_weigh_prove_as_much_as_they_count_as() -> None:
    assert uncovered(INTERVAL, 100, {"coverage": 0.8})
    assert not uncovered(INTERVAL, 20.5, {"coverage": 0.8})


def test_nothing_is_said_of_what_is_not_measured() -> None:
    assert uncovered(INTERVAL, 100, {}) == []
