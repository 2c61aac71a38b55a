from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from functions.core.dataset.profile import describe
from functions.core.watching.divergence import psi
from functions.core.watching.spread import Spread
from models.feature import Feature

NUMBER = Feature(name="x")


def learnt(values: np.ndarray, feature: Feature = NUMBER) -> Spread:
    return Spread.of(describe(feature, values.astype(np.float32)))


def test_the_first_and_the_last_range_are_open() -> None:
    spread = learnt(np.random.default_rng(1).normal(size=2_000))
    assert (spread.cells[0].split()[0], spread.cells[-2].split()[1:]) == ("below", ["and", "more"])
    shifted = np.random.default_rng(2).normal(loc=60, size=2_000)
    assert spread.count(shifted).tolist() == [0] * 9 + [2_000, 0]
    assert psi(spread.counts, spread.count(shifted)) > 5


def test_zeros_that_no_longer_come_are_seen() -> None:
    rng = np.random.default_rng(3)
    before, after = np.append(np.zeros(900), rng.normal(size=100)), rng.normal(size=1_000)
    spread = learnt(before)
    assert spread.cells[0] == "0"
    assert psi(spread.counts, spread.count(after)) > 2


def test_a_constant_is_equal_to_it_or_is_not() -> None:
    spread = learnt(np.full(50, 3.0))
    assert spread.cells == ("3", "any other number", "missing")
    assert spread.count(np.array([3.0, 3.0, 2.0, np.nan])).tolist() == [2, 1, 1]


def test_a_column_that_was_missing_in_every_row_has_two_cells() -> None:
    spread = learnt(np.full(5, np.nan))
    assert (spread.cells, spread.counts.tolist()) == (("any number", "missing"), [0, 5])
    assert spread.count(np.array([1.0, np.nan])).tolist() == [1, 1]


def test_a_category_has_a_cell_for_each_name() -> None:
    feature = Feature(name="x", kind="category", categories=("a", "b"), unseen="other")
    spread = learnt(np.array([0, 1, 1, 2, np.nan]), feature)
    assert spread.cells == ("a", "b", "(other)", "missing")
    assert (spread.counts.tolist(), spread.count(np.array([2, 2, 0, np.nan])).tolist()) == ([1, 2, 1, 1], [1, 0, 2, 1])


def test_the_profile_of_an_older_version_is_read() -> None:
    constant = {"kind": "number", "count": 5, "missing": 0, "edges": [3.0], "counts": [5]}
    assert Spread.of(constant).cells == ("any number", "missing")
    older = {"kind": "number", "count": 30, "missing": 0, "edges": [0.0, 1.0, 2.0], "counts": [10, 20]}
    assert Spread.of(older).count(np.array([-5.0, 0.5, 1.0, 9.0])).tolist() == [2, 2, 0]


@given(
    arrays(np.float32, st.integers(1, 60), elements=st.sampled_from([0.0, 1.0, 2.5, -3.0, float("nan"), 7.25, 1e30]))
)
def test_the_rows_of_the_training_lie_in_the_cells_that_were_counted(values: np.ndarray) -> None:
    spread = learnt(values)
    assert spread.count(values.astype(np.float64)).tolist() == spread.counts.tolist()
    assert len(spread.cells) == len(spread.counts)


@pytest.mark.parametrize("values", [np.arange(1_000) / 7, np.arange(1_000) % 13])
def test_many_rows_of_the_training_do_too(values: np.ndarray) -> None:
    spread = learnt(values)
    assert spread.count(values.astype(np.float32).astype(np.float64)).tolist() == spread.counts.tolist()
