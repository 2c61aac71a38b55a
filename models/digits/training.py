"""Two families of classifiers for handwritten digits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

if TYPE_CHECKING:
    import numpy as np
    from sklearn.base import ClassifierMixin

    from models.contract import Params


def fit(X: np.ndarray, y: np.ndarray, params: Params) -> ClassifierMixin:
    """A classifier fitted on `X` [rows, 64] float32 and `y` [rows], positions in the classes."""
    options = dict(params)
    if options.pop("family") == "logistic":
        return make_pipeline(MinMaxScaler(), LogisticRegression(max_iter=300, **options)).fit(X, y)
    return ExtraTreesClassifier(random_state=0, **options).fit(X, y)
