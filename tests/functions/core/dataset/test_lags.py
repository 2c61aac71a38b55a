from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from functions.core.dataset.lags import Order, lags_of
from models.series import Series

NUMBERS = st.floats(-1e6, 1e6, width=32)
LAGS = st.lists(st.integers(1, 12), min_size=1, max_size=4, unique=True).map(sorted)


@st.composite
def tables(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return series, times and numbers of rows in any order; a row may have the time of one of another series."""
    pairs = draw(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 60)), min_size=1, max_size=80, unique=True))
    y = draw(st.lists(NUMBERS, min_size=len(pairs), max_size=len(pairs)))
    codes, times = np.array(pairs).T
    return codes.astype(np.int64), times.astype(np.float64), np.array(y)


@given(tables(), LAGS, LAGS, st.data())
def test_what_comes_later_than_the_least_lag_changes_no_feature(
    table: tuple[np.ndarray, np.ndarray, np.ndarray], lags: list[int], means: list[int], data: st.DataObject
) -> None:
    codes, times, y = table
    series = Series(time="time", group="group", lags=tuple(lags), means=tuple(means))
    order = Order.of(codes, times)
    before = lags_of(y, order, series)
    row = data.draw(st.integers(0, len(y) - 1))
    own = np.sort(times[codes == codes[row]])
    place = int(np.searchsorted(own, times[row]))
    # The time of the row that is the least lag earlier: nothing after it is known when the row is forecast.
    known = own[place - series.ahead] if place >= series.ahead else -np.inf
    changed = y.copy()
    changed[(times > known) | (codes != codes[row])] = data.draw(NUMBERS | st.just(np.nan))
    assert np.array_equal(lags_of(changed, order, series)[row], before[row], equal_nan=True)


@given(tables(), LAGS)
def test_the_order_of_rows_and_the_names_of_series_make_no_difference(
    table: tuple[np.ndarray, np.ndarray, np.ndarray], lags: list[int]
) -> None:
    codes, times, y = table
    series = Series(time="time", lags=tuple(lags), means=(3,))
    turned = np.random.default_rng(len(y)).permutation(len(y))
    there = lags_of(y, Order.of(codes, times), series)
    other = lags_of(y[turned], Order.of(2 - codes[turned], times[turned]), series)
    assert np.array_equal(other, there[turned], equal_nan=True)
