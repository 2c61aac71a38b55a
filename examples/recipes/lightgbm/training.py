"""Trees of LightGBM, which takes missing values as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lightgbm import LGBMClassifier

if TYPE_CHECKING:
    import numpy as np

    from models.contract import Params


def fit(X: np.ndarray, y: np.ndarray, params: Params) -> LGBMClassifier:
    """A classifier fitted on `X` [rows, features] float32 and `y` [rows], positions in the classes."""
    # One thread: another number of them adds up in another order, and so fits another model.
    return LGBMClassifier(random_state=0, n_jobs=1, min_child_samples=5, verbose=-1, **params).fit(X, y)
