"""Two families of classifiers for the Wisconsin diagnostic data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

if TYPE_CHECKING:
    import numpy as np
    from sklearn.base import ClassifierMixin

    from models.contract import Params


def fit(X: np.ndarray, y: np.ndarray, params: Params) -> ClassifierMixin:
    """A classifier fitted on `X` [rows, 30] float32 and `y` [rows] in {0: benign, 1: malignant}."""
    options = dict(params)
    family = options.pop("family")
    if family == "logistic":
        return make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000, **options)).fit(X, y)
    return GradientBoostingClassifier(random_state=0, **options).fit(X, y)
