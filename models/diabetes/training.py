"""Two families of regressors for the progression of diabetes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sklearn.ensemble import GradientBoostingRegressor
from sklearn.linear_model import QuantileRegressor, Ridge
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


def fit_quantile(X: np.ndarray, y: np.ndarray, params: Params, quantile: float) -> RegressorMixin:
    """An end of the interval, fitted as `fit` does: linear, whatever the middle is.

    Trees fit the few rows of an end too closely where there are hundreds in all, and hold fewer truths than they ought.
    """
    del params
    return make_pipeline(StandardScaler(), QuantileRegressor(quantile=quantile, alpha=0.0)).fit(X, y)
