from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from functions.core.training.class_answers import ClassAnswers
from functions.core.training.metrics import BINS, UndefinedMetric, confusion
from models.task import measure, plain
from tests.functions.two_classes import TWO


def sample(seed: int, rows: int, classes: int, digits: int) -> tuple[np.ndarray, np.ndarray]:
    """Every class appears; rounding makes ties."""
    rng = np.random.default_rng(seed)
    y = np.concatenate([np.arange(classes), rng.integers(0, classes, rows)])
    raw = np.round(rng.random((len(y), classes)), digits) + 10.0**-digits
    return y, raw / raw.sum(axis=1, keepdims=True)


ASKED = [*plain("classification"), measure("recall_at_precision", 0.6), measure("recall_at_precision", 0.9)]
score = TWO.score


def recall_at(least: float, y: np.ndarray, scored: np.ndarray) -> float:
    precision, recall, _ = metrics.precision_recall_curve(y, scored)
    return float(recall[:-1][precision[:-1] >= least].max(initial=0.0))


def calibration_error(y: np.ndarray, p: np.ndarray) -> float:
    """As it is defined: a bin's weight times how far what was said in it is from what is true."""
    said, true = (p[:, 1], y == 1) if p.shape[1] == 2 else (p.max(axis=1), p.argmax(axis=1) == y)
    bins = np.minimum((said * BINS).astype(int), BINS - 1)
    each = [(bins == at) for at in range(BINS) if (bins == at).any()]
    return sum(rows.mean() * abs(said[rows].mean() - true[rows].mean()) for rows in each)


def by_sklearn(metric: str, y: np.ndarray, p: np.ndarray) -> float:
    labels, binary = list(range(p.shape[1])), p.shape[1] == 2
    said, average = p.argmax(axis=1), "binary" if binary else "macro"
    one_hot, positive = (y, p[:, 1]) if binary else (np.eye(p.shape[1])[y], p)
    known = {
        "roc_auc": lambda: metrics.roc_auc_score(
            y, positive, multi_class="ovr", average="macro", labels=None if binary else labels
        ),
        "average_precision": lambda: metrics.average_precision_score(one_hot, positive),
        "accuracy": lambda: metrics.accuracy_score(y, said),
        "balanced_accuracy": lambda: metrics.balanced_accuracy_score(y, said),
        "f1": lambda: metrics.f1_score(y, said, average=average, labels=labels, zero_division=0.0),
        "precision": lambda: metrics.precision_score(y, said, average=average, labels=labels, zero_division=0.0),
        "recall": lambda: metrics.recall_score(y, said, average=average, labels=labels),
        "log_loss": lambda: metrics.log_loss(y, p, labels=labels),
        "brier": lambda: metrics.brier_score_loss(y, positive, labels=labels),
        "calibration_error": lambda: calibration_error(y, p),
    }
    if metric in known:
        return known[metric]()
    one = [recall_at(float(metric[-3:]), y == label, p[:, label]) for label in labels]
    return one[1] if binary else float(np.mean(one))


@settings(deadline=None, max_examples=100)
@given(
    metric=st.sampled_from(ASKED),
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


def test_a_certain_mistake_costs_a_finite_loss() -> None:
    y, p = np.array([0, 1]), np.array([[0.0, 1.0], [0.0, 1.0]])
    assert score("log_loss", y, ClassAnswers.likeliest(p)) == pytest.approx(by_sklearn("log_loss", y, p))


def test_what_the_rows_do_not_allow_is_undefined() -> None:
    y, p = np.array([1, 1]), np.array([[0.2, 0.8], [0.4, 0.6]])
    with pytest.raises(UndefinedMetric, match="not every class"):
        score("roc_auc", y, ClassAnswers.likeliest(p))
    with pytest.raises(UndefinedMetric, match="no row is of a class that recall_at_precision_0"):
        score("recall_at_precision_0.9", 0 * y, ClassAnswers.likeliest(p))
    with pytest.raises(UndefinedMetric, match="no rows"):
        score("accuracy", y[:0], ClassAnswers.likeliest(p[:0]))
    undefined = {"roc_auc", "balanced_accuracy"}
    assert set(TWO.scores(y, ClassAnswers.likeliest(p))) == set(plain("classification")) - undefined


def test_an_unknown_metric_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="auc is no metric of classes; accepted: roc_auc, average_precision"):
        score("auc", np.array([0, 1]), ClassAnswers.likeliest(np.eye(2)))


def test_accuracy_and_f1_are_of_the_labels_and_not_of_the_likeliest_class() -> None:
    y, p = np.array([0, 1, 1, 0]), np.array([[0.9, 0.1], [0.6, 0.4], [0.7, 0.3], [0.8, 0.2]])
    tuned = ClassAnswers(labels=np.array([0, 1, 1, 0]), probabilities=p)
    assert score("accuracy", y, tuned) == score("f1", y, tuned) == 1.0
    assert score("accuracy", y, ClassAnswers.likeliest(p)) == 0.5
    assert score("roc_auc", y, tuned) == score("roc_auc", y, ClassAnswers.likeliest(p))
    assert confusion(y, tuned) == [[2, 0], [0, 2]]
