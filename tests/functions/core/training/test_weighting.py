"""What `fit` gets of rows that weigh, and how folds and thresholds are judged by their weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.utils.class_weight import compute_class_weight

from functions.core.dataset.dataset import HOLDOUT, Dataset
from functions.core.training import threshold
from functions.core.training.class_answers import ClassAnswers
from functions.core.training.classification import Classification
from functions.core.training.experiment import Training, cross_validate, run_experiment
from functions.core.training.unusable import UnusableEstimator
from functions.core.training.weighting import Weighting, check_calls
from models.contract import Target
from models.decision import Decision
from models.training_text import WEIGHTED, no_weights
from models.weights import Weights
from tests.functions.core.training.test_experiment import Constant, small
from tests.functions.core.training.test_threshold import ALL, FOLDS, P, Y
from tests.functions.two_classes import TWO

EVEN = Constant(np.array([[0.5, 0.5]]))
BALANCED = Weighting(classes="balanced")


def of(y: list[int], weight: list[float] | None = None, **weights: Any) -> np.ndarray:
    """Return what rows weigh in `fit`."""
    weighting = Weighting.of(Weights.model_validate({"column": "w"} | weights), ("a", "b", "c"))
    dataset = Dataset(
        x=np.zeros((len(y), 1), dtype=np.float32),
        y=np.array(y),
        fold=np.zeros(len(y), dtype=np.int8),
        weight=None if weight is None else np.array(weight),
    )
    return weighting.of_rows(dataset, np.ones(len(y), dtype=bool))


def heavy() -> Dataset:
    """The rows of `small`, which weigh 1 to 4, and every seventh nothing."""
    dataset, rows = small(), np.arange(60)
    return Dataset(x=dataset.x, y=dataset.y, fold=dataset.fold, weight=(rows % 4 + 1.0) * (rows % 7 > 0))


def test_weights_are_1_on_average() -> None:
    assert of([0, 1, 2], [1, 2, 6]).tolist() == pytest.approx([1 / 3, 2 / 3, 2])
    assert of([0, 1, 2], [0, 1e-20, 3e-20]).tolist() == pytest.approx([0, 0.75, 2.25])


@given(st.lists(st.tuples(st.integers(0, 2), st.floats(0.01, 100)), min_size=1, max_size=30))
def test_balanced_classes_are_those_of_scikit_learn(rows: list[tuple[int, float]]) -> None:
    y, weight = [label for label, _ in rows], np.array([weight for _, weight in rows])
    there = np.unique(y)
    by_class = compute_class_weight("balanced", classes=there, y=np.array(y), sample_weight=weight)
    expected = weight * by_class[np.searchsorted(there, y)]
    assert of(y, weight.tolist(), classes="balanced") == pytest.approx(expected / expected.mean())


def test_the_weight_of_a_class_is_multiplied_by_that_of_the_row() -> None:
    by_class = {"b": 5, "a": 1, "c": 2}
    assert of([0, 1, 2], [2, 1, 1], classes=by_class).tolist() == pytest.approx([2 / 3, 5 / 3, 2 / 3])
    assert of([0, 1, 2], classes=by_class).tolist() == pytest.approx([3 / 8, 15 / 8, 6 / 8])


def test_each_fit_gets_the_weights_of_its_own_rows() -> None:
    dataset, seen = heavy(), list[tuple[np.ndarray, np.ndarray]]()

    def fit(x: np.ndarray, y: np.ndarray, params: object, weight: np.ndarray) -> Constant:
        seen.append((y, weight))
        return EVEN

    run_experiment(Training(fit=fit, export=lambda _: b""), dataset, {}, task=TWO, weighting=BALANCED)
    parts = [*(dataset.trained(fold) for fold in range(3)), dataset.fitted]
    for (y, weight), rows in zip(seen, parts, strict=True):
        assert weight.dtype == np.float64
        assert weight == pytest.approx(BALANCED.of_rows(dataset, rows))
        assert weight.mean() == pytest.approx(1)
        assert weight[y == 0].sum() == pytest.approx(weight[y == 1].sum())


def test_without_weights_fit_gets_three_arguments() -> None:
    def fit(*given: Any) -> Constant:
        assert len(given) == 3
        return EVEN

    cross_validate(Training(fit=fit), heavy(), {}, task=TWO)


def test_classes_weigh_in_fit_and_rows_in_every_metric_of_the_folds() -> None:
    class Says(Constant):
        def predict_proba(self, x: np.ndarray, /) -> np.ndarray:
            positive = 1 / (1 + np.exp(-x[:, 0]))
            return np.column_stack([1 - positive, positive])

    dataset, says = heavy(), Says(np.zeros(0))
    training = Training(fit=lambda *_: says)
    found, _ = cross_validate(training, dataset, {}, task=TWO, weighting=BALANCED)
    assert dataset.weight is not None
    for fold in range(3):
        rows = np.repeat(np.flatnonzero(dataset.tested(fold)), dataset.weight[dataset.tested(fold)].astype(int))
        often = TWO.scores(dataset.y[rows], ClassAnswers.likeliest(says.predict_proba(dataset.x[rows])))
        assert {name: one["folds"][fold] for name, one in found.items()} == pytest.approx(often)
    unweighted, _ = cross_validate(training, small(), {}, task=TWO, weighting=BALANCED)
    assert unweighted == cross_validate(training, small(), {}, task=TWO)[0]


@pytest.mark.parametrize(
    "asked",
    [
        {"maximise": "f1"},
        {"maximise": "accuracy"},
        {"maximise": "balanced_accuracy"},
        {"costs": {"false_positive": 1, "false_negative": 20}},
        {"precision": 0.8},
        {"recall": 0.9},
    ],
)
def test_a_threshold_is_chosen_as_if_rows_stood_there_as_often_as_they_weigh(asked: dict[str, Any]) -> None:
    decision = Decision.model_validate(asked)
    weights = [np.random.default_rng(at).integers(0, 4, 80).astype(np.float64) for at in range(3)]
    often = [
        (np.repeat(y, weight.astype(int)), said.of(np.repeat(np.arange(80), weight.astype(int))))
        for (y, said), weight in zip(FOLDS, weights, strict=True)
    ]
    found = threshold.chosen(decision, FOLDS, weights)
    assert found == threshold.chosen(decision, often)
    # The unit of the weights means nothing; a cost is that of a unit.
    assert found == threshold.chosen(decision, FOLDS, [weight / 8 for weight in weights])
    assert threshold.told(decision, found, FOLDS, weights) == threshold.told(decision, found, often)
    judged = threshold.decided_by_others(decision, FOLDS, weights)
    for one, weight, other in zip(judged, weights, threshold.decided_by_others(decision, often), strict=True):
        assert np.repeat(one.labels, weight.astype(int)).tolist() == other.labels.tolist()


def test_the_threshold_follows_the_rows_that_weigh() -> None:
    task = Classification(Target(name="y", classes=("no", "yes")), (), Decision(maximise="accuracy"))
    positive = [np.where(y == 1, 100.0, 1.0) for y, _ in FOLDS]
    decided, plain = task.decided(FOLDS, positive), task.decided(FOLDS)
    assert decided is not None
    assert plain is not None
    assert decided.threshold.value < plain.threshold.value
    assert [one.labels.sum() for one in task.judged(FOLDS, positive)] > [one.labels.sum() for one in task.judged(FOLDS)]
    assert decided.record["folds"]["recall"] == pytest.approx(
        (ALL.decided(decided.threshold).labels & Y).sum() / Y.sum()
    )
    assert decided.threshold.value < P.max()


@pytest.mark.parametrize(
    "fit", [lambda X, y, params, weight: 0, lambda X, y, params, weight=None: 0, lambda *all: 0, max]
)
def test_a_fit_that_takes_a_fourth_argument_is_accepted(fit: Any) -> None:
    check_calls(fit, None)


def test_a_fit_that_takes_three_is_answered_with_what_to_write() -> None:
    with pytest.raises(UnusableEstimator, match=r"fit takes no weights.*write fit\(X, y, params, weight\)") as problem:
        check_calls(lambda X, y, params: 0, None)
    assert str(problem.value) == f"training.py: {no_weights('fit', WEIGHTED)}"


def test_a_fold_whose_rows_all_weigh_nothing_defines_no_metric() -> None:
    dataset = small()
    weightless = Dataset(x=dataset.x, y=dataset.y, fold=dataset.fold, weight=(dataset.fold == HOLDOUT).astype(float))
    found, _ = cross_validate(
        Training(fit=lambda *_: EVEN), weightless, {}, task=TWO, weighting=Weighting(classes=None)
    )
    assert found == {}
