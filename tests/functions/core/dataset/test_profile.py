from __future__ import annotations

import json

import numpy as np

from functions.core.dataset.dataset import group_equal
from functions.core.dataset.profile import describe, profile_of
from models.contract import Target
from models.feature import Feature


def test_a_number_is_described_by_its_distribution() -> None:
    values = np.append(np.arange(100), [np.nan, np.nan]).astype(np.float32)
    summary = describe(Feature(name="x"), values)
    assert (summary["count"], summary["missing"], summary["mean"]) == (100, 2, 49.5)
    assert summary["quantiles"]["0"] == 0
    assert summary["quantiles"]["0.5"] == 49.5
    assert summary["quantiles"]["1"] == 99
    assert summary["counts"] == [10] * 10
    assert len(summary["edges"]) == 11


def test_a_constant_and_an_empty_column_are_described_too() -> None:
    constant = describe(Feature(name="x"), np.full(5, 3, dtype=np.float32))
    assert (constant["std"], constant["atoms"], constant["edges"], constant["counts"]) == (0.0, [[3.0, 5]], [], [])
    assert describe(Feature(name="x"), np.full(5, np.nan, dtype=np.float32)) == {
        "kind": "number",
        "count": 0,
        "missing": 5,
    }


def test_a_category_and_a_truth_are_counted() -> None:
    values = np.array([0, 2, 2, np.nan], dtype=np.float32)
    summary = describe(Feature(name="x", kind="category", categories=("a", "b", "c")), values)
    assert (summary["categories"], summary["counts"], summary["missing"]) == (["a", "b", "c"], [1, 0, 2], 1)
    assert describe(Feature(name="x", kind="boolean"), values[:1])["counts"] == [1, 0]


def test_a_number_that_holds_a_tenth_of_the_rows_is_told_apart_from_the_bins_of_the_others() -> None:
    values = np.concatenate([np.zeros(90), np.full(10, 7.0), np.arange(1, 101)])
    values[-94] = 7.5
    summary = describe(Feature(name="x"), values.astype(np.float32))
    assert summary["atoms"] == [[0.0, 90]]
    assert (summary["edges"][0], summary["edges"][-1], sum(summary["counts"])) == (1.0, 100.0, 110)
    assert max(summary["counts"]) <= 30
    assert "atoms" not in describe(Feature(name="x"), np.arange(5, dtype=np.float32))


def test_copies_and_contradictions_are_noted() -> None:
    x = np.array([[1], [1], [1], [2]], dtype=np.float32)
    y = np.array([0, 0, 1, 1])
    profile = profile_of(x, y, group_equal(x), [Feature(name="x")], Target(name="y", classes=("no", "yes")))
    assert (profile["rows"], profile["classes"]) == (4, {"no": 2, "yes": 2})
    assert (profile["duplicate_rows"], profile["contradictory_rows"]) == (1, 1)
    assert json.loads(json.dumps(profile, allow_nan=False)) == profile
