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
