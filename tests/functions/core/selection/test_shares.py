"""The interval of a share, held against reference values."""

from __future__ import annotations

import pytest
from scipy.stats import beta

from functions.core.selection.shares import interval, least


@pytest.mark.parametrize(
    ("having", "rows", "ends"),
    [
        (8, 8, (0.6306, 1.0)),  # Clopper and Pearson, 1934, as binom.test(8, 8) of R prints it
        (0, 10, (0.0, 0.3085)),
        (7, 10, (0.3475, 0.9333)),
        (0, 0, (0.0, 1.0)),
    ],
)
def test_the_ends_are_those_of_the_tables(having: int, rows: int, ends: tuple[float, float]) -> None:
    assert interval(having, rows) == pytest.approx(ends, abs=5e-5)


@pytest.mark.parametrize("rows", [1, 2, 30, 999, 100_000, 20_000_000])
@pytest.mark.parametrize("share", [0.0, 0.001, 0.2, 0.5, 0.93, 1.0])
def test_the_ends_are_quantiles_of_the_beta_distribution(share: float, rows: int) -> None:
    having = round(share * rows)
    lower = beta.ppf(0.025, having, rows - having + 1) if having else 0.0
    upper = beta.ppf(0.975, having + 1, rows - having) if having < rows else 1.0
    assert interval(having, rows) == pytest.approx((lower, upper), abs=1e-9)


def test_of_few_rows_that_all_have_it_little_is_known() -> None:
    assert [round(least(rows), 3) for rows in (0, 1, 8, 100)] == [0.0, 0.025, 0.631, 0.964]
    assert least(8) == pytest.approx(interval(8, 8)[0])
