"""Two families of regressors for the progression of diabetes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sklearn.ensemble import GradientBoostingRegressor
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

if TYPE_CHECKING:
    import numpy as np
    from sklearn.base import RegressorMixin

    from models.contract import Params


def fit(X: np.ndarray, y: np.ndarray, params: Params) -> RegressorMixin:
    """A regressor fitted on `X` [rows, 10] float32 and `y` [rows] float64."""
    options = dict(params)
    if options.pop("family") == "ridge":
        return make_pipeline(StandardScaler(), Ridge(**options)).fit(X, y)
    return GradientBoostingRegressor(random_state=0, **options).fit(X, y)
