"""The `training.py` of a proposed model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from sml.init.families import imports, table

if TYPE_CHECKING:
    from sml.init.proposal import Proposal

TRAINING = '''\
"""Families of {answers} for {model}, as `sml init` proposed them: change what you know better."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
{lightgbm}from sklearn.compose import ColumnTransformer
{ensemble}from sklearn.impute import SimpleImputer
from sklearn.linear_model import {linear}
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
{xgboost}
from models.contract import Contract

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sklearn.base import BaseEstimator, {kind}Mixin

    from models.contract import Params

HERE = Path(__file__).parent
TERMS = Contract.load(HERE.name, HERE.parent).terms
CATEGORIES = [at for at, one in enumerate(TERMS) if one.kind == "category"]
"""The columns of X that are positions of categories: whoever changes model.yaml need not change this file."""
NUMBERS = [at for at in range(len(TERMS)) if at not in CATEGORIES]
TREES: Mapping[str, Callable[..., {kind}Mixin]] = {{
{trees}
}}


def fit(X: np.ndarray, y: np.ndarray, params: Params, weight: np.ndarray | None = None) -> {kind}Mixin:
    """A {answer} fitted on `X` [rows, features] float32 and `y` [rows], {truth}.

    `weight` float64 [rows] is there where model.yaml has weights.
    """
    options = dict(params)
    family = str(options.pop("family"))
    # A missing number is NaN: the median of the training rows stands in for it.
    filled = SimpleImputer(strategy="median", keep_empty_features=True)
    if family == "{family}":
        scaled = make_pipeline(filled, StandardScaler())
        model = make_pipeline(columns(X, scaled), {linear}({fixed}**options))
    else:
        model = make_pipeline(columns(X, filled), TREES[family](**options))
    last, _ = model.steps[-1]
    return model.fit(X, y, **({{}} if weight is None else {{f"{{last}}__sample_weight": weight}}))

{ends}
def columns(X: np.ndarray, numbers: BaseEstimator) -> ColumnTransformer:
    """What prepares the columns: numbers as given, and of a category a column of 0 and 1 for each of its values."""
    # A category is its position among those of its feature. One that is missing becomes -1, which no column stands for.
    named = make_pipeline(
        SimpleImputer(strategy="constant", fill_value=-1.0, keep_empty_features=True),
        OneHotEncoder(
            categories=[np.arange(np.nanmax(X[:, at], initial=0) + 1) for at in CATEGORIES],
            handle_unknown="ignore",
            sparse_output=False,
        ),
    )
    parts = [("numbers", numbers, NUMBERS), ("categories", named, CATEGORIES)]
    return ColumnTransformer([part for part in parts if part[2]])
'''
"""The same for every table of a task: it asks model.yaml which features are categories."""
_ENDS = '''
def fit_quantile(
    X: np.ndarray, y: np.ndarray, params: Params, quantile: float, weight: np.ndarray | None = None
) -> RegressorMixin:
    """An end of the interval, where model.yaml asks for one; `quantile` of the numbers are to lie below it.

    It is learnt from the few rows that lie far out, whatever the family of the middle: with more leaves or smaller ones
    it would fit them too closely, and the interval hold fewer numbers than it is to.
    """
    del params
    filled = SimpleImputer(strategy="median", keep_empty_features=True)
    shape = {"max_iter": 60, "max_leaf_nodes": 4, "min_samples_leaf": 30, "early_stopping": False}
    trees = HistGradientBoostingRegressor(
        loss="quantile", quantile=quantile, learning_rate=0.05, random_state=0, **shape
    )
    model = make_pipeline(columns(X, filled), trees)
    last, _ = model.steps[-1]
    return model.fit(X, y, **({} if weight is None else {f"{last}__sample_weight": weight}))

'''
_CLASSES = {
    "answers": "classifiers",
    "answer": "classifier",
    "truth": "positions in the classes",
    "family": "logistic",
    "linear": "LogisticRegression",
    "fixed": "max_iter=2000, ",
    "ends": "",
}
_NUMBERS = {
    "answers": "regressors",
    "answer": "regressor",
    "truth": "the numbers to predict",
    "family": "ridge",
    "linear": "Ridge",
    "fixed": "",
    "ends": _ENDS,
}


def training_text(proposal: Proposal) -> str:
    kind: Literal["Classifier", "Regressor"] = "Regressor" if proposal.is_of_numbers else "Classifier"
    imported = {name: imports(proposal.families, kind, name) for name in ("lightgbm", "xgboost")}
    ensemble = imports(proposal.families, kind, "sklearn.ensemble")
    words = _NUMBERS if proposal.is_of_numbers else _CLASSES
    return TRAINING.format(
        model=proposal.model, kind=kind, ensemble=ensemble, trees=table(proposal.families, kind), **imported, **words
    )
