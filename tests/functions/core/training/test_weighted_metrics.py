"""Metrics of rows that weigh: those of scikit-learn by `sample_weight`, and those of rows that stand there so often."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from functions.core.training.class_answers import ClassAnswers
from functions.core.training.classification import Classification
from functions.core.training.metrics import BINS, UndefinedMetric, confusion
from functions.core.training.number_answers import NumberAnswers
from functions.core.training.regression import Regression
from models.contract import Target
from tests.functions.core.training.test_metrics import ASKED, sample
from tests.functions.core.training.test_regression import PRICE
from tests.functions.two_classes import TWO

Oracle = Callable[[np.ndarray, np.ndarray, np.ndarray], float]


def recall_at(least: float, y: np.ndarray, scored: np.ndarray, weight: np.ndarray) -> float:
    precision, recall, _ = metrics.precision_recall_curve(y, scored, sample_weight=weight)
    # A precision that is the bound but for rounding reaches it.
    return float(recall[:-1][precision[:-1] >= least * (1 - 1e-9)].max(initial=0.0))


def calibration_error(y: np.ndarray, p: np.ndarray, weight: np.ndarray) -> float:
    said, true = (p[:, 1], y == 1) if p.shape[1] == 2 else (p.max(axis=1), p.argmax(axis=1) == y)
    bins = np.minimum((said * BINS).astype(int), BINS - 1)
    each = [bins == at for at in range(BINS) if weight[bins == at].sum() > 0]
    apart = [
        abs(np.average(said[rows], weights=weight[rows]) - np.average(true[rows], weights=weight[rows]))
        for rows in each
    ]
    return float(np.average(apart, weights=[weight[rows].sum() for rows in each]))


def by_sklearn(metric: str, y: np.ndarray, p: np.ndarray, weight: np.ndarray) -> float:
    labels, binary, w = list(range(p.shape[1])), p.shape[1] == 2, {"sample_weight": weight}
    said, average = p.argmax(axis=1), "binary" if binary else "macro"
    one_hot, positive = (y, p[:, 1]) if binary else (np.eye(p.shape[1])[y], p)
    known: dict[str, Callable[[], float]] = {
        "roc_auc": lambda: metrics.roc_auc_score(
            y, positive, multi_class="ovr", average="macro", labels=None if binary else labels, **w
        ),
        "average_precision": lambda: metrics.average_precision_score(one_hot, positive, **w),
        "accuracy": lambda: metrics.accuracy_score(y, said, **w),
        "balanced_accuracy": lambda: metrics.balanced_accuracy_score(y, said, **w),
        "f1": lambda: metrics.f1_score(y, said, average=average, labels=labels, zero_division=0.0, **w),
        "precision": lambda: metrics.precision_score(y, said, average=average, labels=labels, zero_division=0.0, **w),
        "recall": lambda: metrics.recall_score(y, said, average=average, labels=labels, **w),
        "log_loss": lambda: metrics.log_loss(y, p, labels=labels, **w),
        "brier": lambda: metrics.brier_score_loss(y, positive, labels=labels, **w),
        "calibration_error": lambda: calibration_error(y, p, weight),
    }
    if metric in known:
        return known[metric]()
    one = [recall_at(float(metric[-3:]), y == label, p[:, label], weight) for label in labels]
    return one[1] if binary else float(np.mean(one))


NUMBER_ORACLES: dict[str, Oracle] = {
    "rmse": lambda y, said, w: metrics.root_mean_squared_error(y, said, sample_weight=w),
    "mae": lambda y, said, w: metrics.mean_absolute_error(y, said, sample_weight=w),
    "median_absolute_error": lambda y, said, w: metrics.median_absolute_error(y, said, sample_weight=w),
    "pinball_0.9": lambda y, said, w: metrics.mean_pinball_loss(y, said, alpha=0.9, sample_weight=w),
    "pinball_0.2": lambda y, said, w: metrics.mean_pinball_loss(y, said, alpha=0.2, sample_weight=w),
    "r2": lambda y, said, w: metrics.r2_score(y, said, sample_weight=w),
    "mape": lambda y, said, w: metrics.mean_absolute_percentage_error(y, said, sample_weight=w),
}


def eighths(seed: int, rows: int, classes: int) -> np.ndarray:
    """Return weights that sum without rounding, some of them 0 and none of a first row of each class."""
    drawn = np.random.default_rng(seed).integers(0, 25, rows) / 8
    drawn[:classes] += 1 / 8
    return drawn


def classes_of(count: int) -> Classification:
    return TWO if count == 2 else Classification(Target(name="y", classes=tuple(f"c{at}" for at in range(count))))


@settings(deadline=None, max_examples=150)
@given(
    metric=st.sampled_from(ASKED),
    seed=st.integers(0, 10**6),
    rows=st.integers(0, 60),
    classes=st.integers(2, 4),
    digits=st.integers(1, 6),
)
def test_a_metric_of_classes_is_what_scikit_learn_says_by_sample_weight(
    metric: str, seed: int, rows: int, classes: int, digits: int
) -> None:
    y, p = sample(seed, rows, classes, digits)
    weight = eighths(seed, len(y), classes)
    found = classes_of(classes).score(metric, y, ClassAnswers.likeliest(p), weight)
    assert found == pytest.approx(by_sklearn(metric, y, p, weight), rel=1e-9, abs=1e-12)


@settings(deadline=None, max_examples=100)
@given(metric=st.sampled_from(PRICE.metrics), seed=st.integers(0, 10**6), rows=st.integers(2, 60))
def test_a_metric_of_numbers_is_what_scikit_learn_says_by_sample_weight(metric: str, seed: int, rows: int) -> None:
    rng = np.random.default_rng(seed)
    y, said, weight = rng.normal(20, 5, rows), rng.normal(20, 5, rows), eighths(seed, rows, 2)
    found = PRICE.score(metric, y, NumberAnswers(values=said), weight)
    assert found == pytest.approx(NUMBER_ORACLES[metric](y, said, weight), rel=1e-9)


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 10**6), rows=st.integers(0, 40), classes=st.integers(2, 4))
def test_whole_weights_are_rows_that_stand_there_so_often(seed: int, rows: int, classes: int) -> None:
    y, p = sample(seed, rows, classes, 2)
    weight = np.random.default_rng(seed).integers(0, 4, len(y)).astype(np.float64)
    weight[:classes] += 1
    often, task = np.repeat(np.arange(len(y)), weight.astype(int)), classes_of(classes)
    answers = ClassAnswers.likeliest(p)
    assert task.scores(y, answers, weight) == pytest.approx(task.scores(y[often], answers.of(often)), rel=1e-12)
    assert confusion(y, answers, weight) == confusion(y[often], answers.of(often))
    numbers = NumberAnswers(values=p[:, 0])
    assert PRICE.scores(p[:, 1], numbers, weight) == pytest.approx(
        PRICE.scores(p[often, 1], numbers.of(often)), rel=1e-9, abs=1e-12
    )


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 10**6), factor=st.sampled_from([1e-30, 1e-3, 1e3, 1e30]))
def test_the_unit_of_weights_means_nothing(seed: int, factor: float) -> None:
    y, p = sample(seed, 40, 2, 2)
    weight, answers = eighths(seed, len(y), 2), ClassAnswers.likeliest(p)
    assert TWO.scores(y, answers, factor * weight) == pytest.approx(TWO.scores(y, answers, weight), rel=1e-9)
    numbers = NumberAnswers(values=p[:, 0])
    assert PRICE.scores(p[:, 1], numbers, factor * weight) == pytest.approx(
        PRICE.scores(p[:, 1], numbers, weight), rel=1e-9
    )


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10**6), rows=st.integers(0, 60), classes=st.integers(2, 4))
def test_the_confusion_is_what_scikit_learn_says_by_sample_weight(seed: int, rows: int, classes: int) -> None:
    y, p = sample(seed, rows, classes, 2)
    weight = eighths(seed, len(y), classes)
    expected = metrics.confusion_matrix(y, p.argmax(axis=1), labels=range(classes), sample_weight=weight)
    assert confusion(y, ClassAnswers.likeliest(p), weight) == expected.tolist()


def test_rows_that_weigh_nothing_do_not_define_a_metric() -> None:
    y, p = np.array([0, 1, 1]), np.array([[0.8, 0.2], [0.4, 0.6], [0.3, 0.7]])
    answers = ClassAnswers.likeliest(p)
    with pytest.raises(UndefinedMetric, match="not every class is among the rows"):
        TWO.score("roc_auc", y, answers, np.array([0.0, 1.0, 2.0]))
    with pytest.raises(UndefinedMetric, match="each of these rows weighs nothing"):
        TWO.score("accuracy", y, answers, np.zeros(3))
    assert TWO.scores(y, answers, np.zeros(3)) == {}


def test_the_explained_variance_of_a_heavy_row_far_from_the_others_is_not_lost_to_rounding() -> None:
    y = np.array([0.0, 1.0, 1e8, 1e8 + 1])
    said, weight = y + np.array([0.1, -0.1, 0.1, -0.1]), np.array([1e-12, 1e-12, 1.0, 1.0])
    found = Regression(Target(name="y")).score("r2", y, NumberAnswers(values=said), weight)
    expected: Any = metrics.r2_score(y, said, sample_weight=weight)
    assert found == pytest.approx(expected, rel=1e-6)
