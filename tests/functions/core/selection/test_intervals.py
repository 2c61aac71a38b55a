from __future__ import annotations

import numpy as np
import pytest

from functions.core.selection import intervals
from functions.core.selection.intervals import difference
from functions.core.training.class_answers import ClassAnswers
from functions.core.training.number_answers import NumberAnswers
from functions.core.training.regression import Regression
from models.contract import Target
from tests.functions.two_classes import TWO

RNG = np.random.default_rng(0)
Y = np.repeat([0, 1], [700, 300])
P = np.clip(0.3 * Y + 0.7 * RNG.random(1000), 0, 1)
GOOD = ClassAnswers.likeliest(np.column_stack([1 - P, P]))
EVEN = ClassAnswers.likeliest(np.full((1000, 2), 0.5))


def test_an_interval_is_as_wide_as_that_of_a_share_of_so_many_rows() -> None:
    found = intervals.intervals(TWO, Y, GOOD, ["accuracy", "roc_auc"])
    share = TWO.score("accuracy", Y, GOOD)
    lower, upper = found["accuracy"]
    assert lower < share < upper
    assert upper - lower == pytest.approx(2 * 1.96 * (share * (1 - share) / 1000) ** 0.5, rel=0.15)
    assert found == intervals.intervals(TWO, Y, GOOD, ["accuracy", "roc_auc"]), "the same rows, the same draws"


def test_a_class_of_few_rows_is_in_every_draw() -> None:
    few = np.flatnonzero(Y == 0).tolist() + np.flatnonzero(Y == 1)[:2].tolist()
    found = intervals.intervals(TWO, Y[few], GOOD.of(np.array(few)), ["roc_auc", "balanced_accuracy"])
    assert found.keys() == {"roc_auc", "balanced_accuracy"}


def test_a_metric_that_the_rows_do_not_define_has_no_interval() -> None:
    negative = Y == 0
    assert intervals.intervals(TWO, Y[negative], GOOD.of(negative), ["roc_auc", "log_loss"]).keys() == {"log_loss"}


def test_a_sample_of_many_rows_gives_the_interval_of_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = intervals.intervals(TWO, Y, GOOD, ["roc_auc", "f1"])
    monkeypatch.setattr(intervals, "WORK", 500 * 2 * intervals.LEAST_DRAWS)
    sampled = intervals.intervals(TWO, Y, GOOD, ["roc_auc", "f1"])
    for measure, (lower, upper) in whole.items():
        assert sampled[measure] == pytest.approx((lower, upper), abs=0.4 * (upper - lower))


def test_a_perfect_score_on_few_rows_proves_little() -> None:
    y = np.repeat([0, 1], 4)
    perfect = ClassAnswers.likeliest(np.eye(2)[y])
    found = intervals.intervals(TWO, y, perfect, TWO.metrics)
    assert found["accuracy"] == pytest.approx((0.6306, 1), abs=1e-4)
    assert found["recall"] == found["precision"] == pytest.approx((0.3976, 1), abs=1e-4)
    for measure in ("roc_auc", "average_precision", "f1", "balanced_accuracy"):
        assert found[measure] == pytest.approx((0.3976, 1), abs=1e-4), measure
    assert found["calibration_error"] == pytest.approx((0, 0.6024), abs=1e-4)
    assert found["brier"][1] == pytest.approx(2 * 0.6024, abs=1e-4)


def test_no_error_on_few_rows_proves_nothing_of_one_without_an_upper_bound() -> None:
    price, y = Regression(Target(name="price")), np.arange(8.0)
    found = intervals.intervals(price, y, NumberAnswers(values=y), price.metrics)
    assert found == {}


def test_a_share_that_no_row_has_may_be_had_by_others() -> None:
    y = np.repeat([0, 1], 10)
    wrong = ClassAnswers.likeliest(np.eye(2)[np.zeros(20, int)])
    found = intervals.intervals(TWO, y, wrong, ["recall", "precision", "roc_auc"])
    assert found["recall"] == pytest.approx((0, 0.3085), abs=1e-4)
    assert found["precision"] == (0, 1), "no row was called positive"
    assert found["roc_auc"] == (0.5, 0.5), "the same answer to every row is worth that on any rows"


def test_two_models_are_compared_on_the_same_rows_of_each_draw() -> None:
    assert difference(TWO, Y, GOOD, GOOD, "roc_auc") == (0.0, 0.0)
    ends = difference(TWO, Y, GOOD, EVEN, "roc_auc")
    assert ends is not None
    assert 0 < ends[0] < TWO.score("roc_auc", Y, GOOD) - 0.5 < ends[1]
    assert difference(TWO, 0 * Y, GOOD, EVEN, "roc_auc") is None


def test_numbers_have_intervals_too() -> None:
    price, y = Regression(Target(name="price"), asked=("pinball_0.9",)), RNG.normal(size=500)
    answers = NumberAnswers(values=y + RNG.normal(size=500))
    found = intervals.intervals(price, y, answers, price.metrics)
    assert found.keys() == set(price.metrics)
    assert all(lower < price.score(measure, y, answers) < upper for measure, (lower, upper) in found.items())
