from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from functions.core.training.class_answers import ClassAnswers
from functions.core.training.metrics import UndefinedMetric, confusion, roc_points, score
from models.task import METRICS
from tests.functions.two_classes import TWO


def sample(seed: int, rows: int, classes: int, digits: int) -> tuple[np.ndarray, np.ndarray]:
    """Every class appears; rounding makes ties."""
    rng = np.random.default_rng(seed)
    y = np.concatenate([np.arange(classes), rng.integers(0, classes, rows)])
    raw = np.round(rng.random((len(y), classes)), digits) + 10.0**-digits
    return y, raw / raw.sum(axis=1, keepdims=True)


def by_sklearn(metric: str, y: np.ndarray, p: np.ndarray) -> float:
    labels, binary = list(range(p.shape[1])), p.shape[1] == 2
    match metric:
        case "roc_auc" if binary:
            return metrics.roc_auc_score(y, p[:, 1])
        case "roc_auc":
            return metrics.roc_auc_score(y, p, multi_class="ovr", average="macro", labels=labels)
        case "accuracy":
            return metrics.accuracy_score(y, p.argmax(axis=1))
        case "f1":
            average = "binary" if binary else "macro"
            return metrics.f1_score(y, p.argmax(axis=1), average=average, labels=labels, zero_division=0.0)
        case _:
            return metrics.log_loss(y, p, labels=labels)


@settings(deadline=None, max_examples=50)
@given(
    metric=st.sampled_from(METRICS["classification"]),
    seed=st.integers(0, 10**6),
    rows=st.integers(0, 60),
    classes=st.integers(2, 4),
    digits=st.integers(1, 6),
)
def test_a_metric_is_what_scikit_learn_says_it_is(metric: str, seed: int, rows: int, classes: int, digits: int) -> None:
    y, p = sample(seed, rows, classes, digits)
    assert score(metric, y, ClassAnswers.likeliest(p)) == pytest.approx(by_sklearn(metric, y, p), rel=1e-9, abs=1e-12)


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 10**6), rows=st.integers(0, 60), classes=st.integers(2, 4))
def test_the_confusion_is_what_scikit_learn_says_it_is(seed: int, rows: int, classes: int) -> None:
    y, p = sample(seed, rows, classes, 2)
    assert (
        confusion(y, ClassAnswers.likeliest(p))
        == metrics.confusion_matrix(y, p.argmax(axis=1), labels=range(classes)).tolist()
    )


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 10**6), rows=st.integers(0, 60))
def test_the_curve_goes_from_corner_to_corner_and_encloses_the_area(seed: int, rows: int) -> None:
    y, p = sample(seed, rows, 2, 1)
    points = np.array(roc_points(y, p))
    assert points[0].tolist() == [0, 0]
    assert points[-1].tolist() == [1, 1]
    assert np.trapezoid(points[:, 1], points[:, 0]) == pytest.approx(score("roc_auc", y, ClassAnswers.likeliest(p)))


def test_a_certain_mistake_costs_a_finite_loss() -> None:
    y, p = np.array([0, 1]), np.array([[0.0, 1.0], [0.0, 1.0]])
    assert score("log_loss", y, ClassAnswers.likeliest(p)) == pytest.approx(by_sklearn("log_loss", y, p))


def test_what_the_rows_do_not_allow_is_undefined() -> None:
    y, p = np.array([1, 1]), np.array([[0.2, 0.8], [0.4, 0.6]])
    with pytest.raises(UndefinedMetric, match="not every class"):
        score("roc_auc", y, ClassAnswers.likeliest(p))
    with pytest.raises(UndefinedMetric, match="no rows"):
        score("accuracy", y[:0], ClassAnswers.likeliest(p[:0]))
    assert set(TWO.scores(y, ClassAnswers.likeliest(p))) == set(METRICS["classification"]) - {"roc_auc"}


def test_an_unknown_metric_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="auc is no metric of classes; accepted: roc_auc, accuracy"):
        score("auc", np.array([0, 1]), ClassAnswers.likeliest(np.eye(2)))


def test_accuracy_and_f1_are_of_the_labels_and_not_of_the_likeliest_class() -> None:
    y, p = np.array([0, 1, 1, 0]), np.array([[0.9, 0.1], [0.6, 0.4], [0.7, 0.3], [0.8, 0.2]])
    tuned = ClassAnswers(labels=np.array([0, 1, 1, 0]), probabilities=p)
    assert score("accuracy", y, tuned) == score("f1", y, tuned) == 1.0
    assert score("accuracy", y, ClassAnswers.likeliest(p)) == 0.5
    assert score("roc_auc", y, tuned) == score("roc_auc", y, ClassAnswers.likeliest(p))
    assert confusion(y, tuned) == [[2, 0], [0, 2]]
