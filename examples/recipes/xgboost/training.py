"""Trees of XGBoost, which takes missing values as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xgboost import XGBClassifier

if TYPE_CHECKING:
    import numpy as np

    from models.contract import Params


def fit(X: np.ndarray, y: np.ndarray, params: Params) -> XGBClassifier:
    """A classifier fitted on `X` [rows, features] float32 and `y` [rows], positions in the classes."""
    # One thread: another number of them adds up in another order, and so fits another model.
    return XGBClassifier(random_state=0, n_jobs=1, **params).fit(X, y)
