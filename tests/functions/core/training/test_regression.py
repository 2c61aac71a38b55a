from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as by_sklearn
from sklearn.ensemble import GradientBoostingRegressor, HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from functions.core.onnx.session import Session
from functions.core.onnx.tensor import Tensor
from functions.core.training.answers import TOLERANCE
from functions.core.training.fitted import UnusableEstimator
from functions.core.training.fitting import fitted
from functions.core.training.metrics import UndefinedMetric
from functions.core.training.number_answers import NumberAnswers, differences
from functions.core.training.regression import Regression
from functions.core.training.signature import INPUT, VALUE
from models.contract import Target

RNG = np.random.default_rng(3)
X = RNG.normal(size=(120, 3)).astype(np.float32)
Y = 50 + 30 * X[:, 0].astype(np.float64) - 5 * X[:, 1] + RNG.normal(size=120)
PRICE = Regression(Target(name="price", unit="EUR"), asked=("pinball_0.9", "pinball_0.2"))
ORACLES: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {
    "rmse": by_sklearn.root_mean_squared_error,
    "mae": by_sklearn.mean_absolute_error,
    "median_absolute_error": by_sklearn.median_absolute_error,
    "pinball_0.9": lambda y, values: by_sklearn.mean_pinball_loss(y, values, alpha=0.9),
    "pinball_0.2": lambda y, values: by_sklearn.mean_pinball_loss(y, values, alpha=0.2),
    "r2": by_sklearn.r2_score,
    "mape": by_sklearn.mean_absolute_percentage_error,
}
NUMBERS = st.floats(-1e6, 1e6, width=32).filter(lambda number: number == 0 or abs(number) > 1e-3)


def numbers(*values: float) -> NumberAnswers:
    return NumberAnswers(values=np.array(values, dtype=np.float64))


class Says:
    """An estimator that always gives the same."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def predict(self, x: np.ndarray) -> Any:
        return self.answer


@given(st.sampled_from(PRICE.metrics), st.lists(st.tuples(NUMBERS, NUMBERS), min_size=2, max_size=20))
def test_a_metric_is_what_scikit_learn_says(metric: str, pairs: list[tuple[float, float]]) -> None:
    y, values = (np.array(side, dtype=np.float64) for side in zip(*pairs, strict=True))
    try:
        found = PRICE.score(metric, y, NumberAnswers(values=values))
    except UndefinedMetric:
        assert (metric == "r2" and len(set(y)) == 1) or (metric == "mape" and 0 in y)
        return
    assert found == pytest.approx(ORACLES[metric](y, values), rel=1e-9)


def test_a_metric_that_is_not_defined_is_left_out_and_says_why() -> None:
    y = np.array([0.0, 0.0])
    assert not PRICE.scores(y, numbers(1, 1)).keys() & {"r2", "mape"}
    with pytest.raises(UndefinedMetric, match="a row has the number 0"):
        PRICE.score("mape", y, numbers(1, 1))
    with pytest.raises(UndefinedMetric, match="r2 has no value"):
        PRICE.score("r2", np.array([0.0, 1e-200]), numbers(1, 1))
    with pytest.raises(UndefinedMetric, match="there are no rows"):
        PRICE.score("mae", y[:0], numbers())
    with pytest.raises(ValueError, match="auc is no metric of numbers; accepted: rmse, mae"):
        PRICE.score("auc", y, numbers(1, 1))


@pytest.mark.parametrize(
    "estimator",
    [
        Ridge(),
        make_pipeline(StandardScaler(), Ridge()),
        RandomForestRegressor(10, max_depth=4, random_state=0),
        GradientBoostingRegressor(n_estimators=20, random_state=0),
        HistGradientBoostingRegressor(max_iter=20),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_the_file_of_an_estimator_answers_as_it_does(estimator: Any) -> None:
    trained = estimator.fit(X, Y)
    session = Session(fitted(trained, PRICE).to_onnx(3))
    assert [spec.name for spec in session.outputs] == [VALUE]
    found = session.run({INPUT: Tensor.of("FP32", X.shape, X.ravel().tolist())})[VALUE]
    assert found.shape == (len(X), 1)
    told = differences(fitted(trained, PRICE).answers(X), numbers(*found.values()))
    assert told.distance.max() < TOLERANCE / 10


def test_the_same_estimator_gives_the_same_bytes() -> None:
    ridge = fitted(Ridge().fit(X, Y), PRICE)
    assert ridge.to_onnx(3) == ridge.to_onnx(3)


@pytest.mark.parametrize("scale", [1e-7, 1.0, 1e7])
def test_a_difference_is_judged_by_what_the_numbers_are(scale: float) -> None:
    estimator = numbers(1 * scale, 2 * scale, -3 * scale)
    near, far = (numbers(1 * scale * by, 2 * scale, -3 * scale) for by in (1 + 5e-5, 1.001))
    assert differences(estimator, near).distance.max() <= TOLERANCE
    assert (differences(estimator, far).distance > TOLERANCE).tolist() == [True, False, False]


def test_a_number_that_is_none_is_another_answer() -> None:
    assert differences(numbers(0, 0), numbers(0, np.nan)).distance.tolist() == [0, np.inf]
    assert differences(numbers(0, 0), numbers(0, 1e-9)).distance.tolist() == [0, np.inf]


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        (np.zeros((120, 2)), r"predict gives the shape \[120, 2\]; expected: \[120\]"),
        (np.full(120, np.nan), "no finite numbers of 32 bits"),
        (np.full(120, 1e39), "no finite numbers of 32 bits"),
        (np.full(120, "much"), "no finite numbers of 32 bits"),
    ],
)
def test_an_estimator_that_answers_something_else_is_refused(answer: np.ndarray, complaint: str) -> None:
    with pytest.raises(UnusableEstimator, match=complaint):
        fitted(Says(answer), PRICE).answers(X)
    with pytest.raises(UnusableEstimator, match="has no predict, which a regression needs"):
        fitted(object(), PRICE).answers(X)


def test_answers_are_kept_and_read_as_they_were() -> None:
    given = numbers(0.1, -2.5)
    assert PRICE.read(given.to_bytes()).values.tolist() == [0.1, -2.5]
    assert given.followed_by(numbers(3)).of(slice(1, 3)).values.tolist() == [-2.5, 3]
