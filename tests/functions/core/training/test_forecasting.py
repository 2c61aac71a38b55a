from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.core.training.forecasting import Forecasting
from functions.core.training.metrics import UndefinedMetric
from functions.core.training.number_answers import NumberAnswers
from models.contract import Contract
from tests.functions.sales import SALES

TASK = Forecasting(Contract.parse(SALES, "model.yaml"))
NUMBERS = st.lists(st.integers(-50, 50), min_size=6, max_size=6).map(lambda some: np.array(some, dtype=np.float64))


def rows(least: np.ndarray) -> np.ndarray:
    """Return rows with these numbers as their least lag: promotion, lags of 7 and 14, mean."""
    return np.column_stack([np.zeros(len(least)), least, least + 1, least]).astype(np.float32)


@given(NUMBERS, NUMBERS, NUMBERS)
def test_skill_is_the_share_by_which_the_mean_error_is_less_than_that_of_the_least_lag(
    y: np.ndarray, values: np.ndarray, least: np.ndarray
) -> None:
    answers = TASK.beside(NumberAnswers(values=values), rows(least))
    naive = np.abs(least - y).mean()
    if not naive:
        with pytest.raises(UndefinedMetric, match="the naive forecast is right in every row"):
            TASK.score("skill", y, answers)
        return
    assert TASK.score("skill", y, answers) == pytest.approx(1 - np.abs(values - y).mean() / naive)
    some = np.array([True, True, False, True, False, True])
    parted = answers.of(some).followed_by(answers.of(~some))
    assert parted.naive is not None
    assert np.array_equal(parted.naive, np.append(least[some], least[~some]))


def test_a_draw_of_rows_weighs_the_naive_forecast_as_it_does_the_model() -> None:
    y, least = np.array([1.0, 2.0, 3.0]), np.array([2.0, 4.0, 3.0])
    answers = TASK.beside(NumberAnswers(values=np.array([1.5, 2.0, 3.0])), rows(least))
    drawn = TASK.drawn(y, answers, np.array([[1.0, 1.0, 1.0], [3.0, 0.0, 0.0], [0.0, 0.0, 3.0]])).of("skill")
    assert drawn[:2] == pytest.approx([1 - 0.5 / 3, 0.5])
    assert np.isnan(drawn[2]), "where the naive forecast is right, no share says how much better the model is"


def test_naive_forecasts_are_those_of_the_least_lag_and_of_the_greatest() -> None:
    y = np.array([1.0, 2.0, 3.0])
    assert TASK.naive(y, rows(y + 2)) == {
        "sales_lag_7": {"mae": 2.0, "rmse": 2.0},
        "sales_lag_14": {"mae": 3.0, "rmse": 3.0},
    }


def test_answers_without_a_naive_forecast_have_no_skill() -> None:
    y = np.array([1.0, 2.0])
    assert "skill" not in TASK.scores(y, NumberAnswers(values=y))
