from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.core.dataset.dataset import HOLDOUT, assign_folds, group_equal, too_few


def alone(y: np.ndarray) -> np.ndarray:
    """Return groups of one row each."""
    return np.arange(len(y))


@given(
    negatives=st.integers(20, 200),
    positives=st.integers(20, 200),
    folds=st.integers(2, 6),
    holdout=st.sampled_from([0.1, 0.2, 0.5]),
    seed=st.integers(0, 9),
)
def test_every_fold_has_its_share_of_every_class(
    negatives: int, positives: int, folds: int, holdout: float, seed: int
) -> None:
    y = np.array([0] * negatives + [1] * positives)
    fold = assign_folds(y, alone(y), holdout=holdout, folds=folds, seed=seed)
    assert set(fold.tolist()) == {HOLDOUT, *range(folds)}
    for label, count in enumerate((negatives, positives)):
        fold_of_class = fold[y == label]
        out = np.count_nonzero(fold_of_class == HOLDOUT)
        assert abs(out - holdout * count) <= 1
        sizes = [np.count_nonzero(fold_of_class == i) for i in range(folds)]
        assert max(sizes) - min(sizes) <= 1


@given(seed=st.integers(0, 50))
def test_copies_of_a_row_stay_together(seed: int) -> None:
    x = np.random.default_rng(seed).integers(0, 12, (120, 1)).astype(np.float32)
    y = (x[:, 0] > 5).astype(np.int64)
    groups = group_equal(x)
    fold = assign_folds(y, groups, holdout=0.25, folds=2, seed=seed)
    for value in np.unique(x):
        assert len(set(fold[x[:, 0] == value].tolist())) == 1


def test_equal_rows_have_equal_groups_also_where_values_are_missing() -> None:
    x = np.array([[1, np.nan], [1, 2], [1, np.nan], [2, 1]], dtype=np.float32)
    groups = group_equal(x)
    assert groups[0] == groups[2]
    assert len(set(groups.tolist())) == 3


def test_the_seed_decides_and_nothing_else() -> None:
    y = np.arange(100) % 2
    first, again = (assign_folds(y, alone(y), holdout=0.2, folds=5, seed=1) for _ in range(2))
    other = assign_folds(y, alone(y), holdout=0.2, folds=5, seed=2)
    assert (first == again).all()
    assert (first != other).any()


@pytest.mark.parametrize(("positives", "lacking"), [(6, []), (5, ["yes"]), (0, ["yes"])])
def test_a_class_with_too_few_rows_for_every_part_is_named(positives: int, lacking: list[str]) -> None:
    y = np.array([0] * 50 + [1] * positives)
    fold = assign_folds(y, alone(y), holdout=0.2, folds=5, seed=0)
    assert too_few(y, fold, classes=("no", "yes"), folds=5) == lacking
