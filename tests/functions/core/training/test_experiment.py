from __future__ import annotations

import hashlib
import warnings
from pathlib import Path

import numpy as np
import pytest

from functions.core.dataset.dataset import HOLDOUT, Dataset
from functions.core.onnx.golden_rows import check_golden
from functions.core.onnx.session import Session
from functions.core.training.experiment import Training, UnusableEstimator, cross_validate, golden_rows, run_experiment
from models.contract import Params
from models.task import plain
from tests.functions.bench import MODEL, TRAINING
from tests.functions.two_classes import TWO


def small() -> Dataset:
    rng = np.random.default_rng(0)
    y = np.arange(60) % 2
    x = (rng.normal(size=(60, 2)) + y[:, None]).astype(np.float32)
    return Dataset(x=x, y=y.astype(np.int64), fold=np.repeat([HOLDOUT, 0, 1, 2], 15).astype(np.int8))


class Constant:
    def __init__(self, answer: np.ndarray) -> None:
        self.answer = answer

    def predict_proba(self, x: np.ndarray, /) -> np.ndarray:
        return np.repeat(self.answer, len(x), axis=0)


def load(text: str, folder: Path) -> Training:
    (folder / MODEL).mkdir()
    (folder / MODEL / "training.py").write_text(text, encoding="utf-8")
    return Training.load(MODEL, folder)


def test_nothing_is_fitted_on_the_holdout_or_on_the_fold_that_tests() -> None:
    dataset = small()
    seen: list[set[float]] = []

    def fit(x: np.ndarray, y: np.ndarray, params: Params) -> Constant:
        assert len(x) == len(y)
        seen.append(set(x[:, 0].tolist()))
        return Constant(np.array([[0.5, 0.5]]))

    run_experiment(Training(fit=fit, export=lambda _: b"model"), dataset, {}, task=TWO)
    *folds, last = seen
    held_out = set(dataset.x[dataset.holdout, 0].tolist())
    for fold, learned in enumerate(folds):
        assert not learned & held_out
        assert not learned & set(dataset.x[dataset.fold == fold, 0].tolist())
    assert len(folds) == 3
    assert last == set(dataset.x[~dataset.holdout, 0].tolist())


def test_by_time_nothing_is_fitted_that_is_later_or_nearer_than_the_gap() -> None:
    dataset = small()
    time = np.random.default_rng(1).permutation(60).astype(np.float64)
    fold = np.digitize(time, [12, 24, 36, 48]).astype(np.int8)
    ordered = Dataset(
        x=dataset.x, y=dataset.y, fold=np.where(fold == 4, HOLDOUT, fold - 1 - (fold == 0)), time=time, gap=3
    )
    when = dict(zip(dataset.x[:, 0].tolist(), time.tolist(), strict=True))
    seen: list[set[float]] = []

    def fit(x: np.ndarray, y: np.ndarray, params: Params) -> Constant:
        assert len(x) == len(y)
        seen.append({when[value] for value in x[:, 0].tolist()})
        return Constant(np.array([[0.5, 0.5]]))

    run_experiment(Training(fit=fit, export=lambda _: b"model"), ordered, {}, task=TWO)
    assert seen == [set(map(float, range(begin - 2))) for begin in (12, 24, 36, 48)]


def test_a_metric_has_a_value_for_each_fold() -> None:
    training = Training(fit=lambda x, y, params: Constant(np.array([[0.3, 0.7]])))
    metrics, _ = cross_validate(training, small(), {}, task=TWO)
    assert set(metrics) == set(plain("classification"))
    assert metrics["roc_auc"] == {"mean": 0.5, "std": 0.0, "folds": [0.5] * 3}
    assert metrics["accuracy"]["mean"] == pytest.approx(np.mean(metrics["accuracy"]["folds"]))


def test_each_fit_gets_parameters_of_its_own() -> None:
    def fit(x: np.ndarray, y: np.ndarray, params: Params) -> Constant:
        params.pop("family")
        return Constant(np.array([[0.5, 0.5]]))

    params: Params = {"family": "a"}
    run_experiment(Training(fit=fit, export=lambda _: b""), small(), params, task=TWO)
    assert params == {"family": "a"}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (np.array([[0.2, 0.3, 0.5]]), r"the shape \[15, 3\]; expected: \[15, 2\]"),
        (np.array([[np.nan, 1.0]]), "not finite"),
        (np.array([["no", "yes"]]), "predict_proba gives values that are no numbers"),
    ],
)
def test_an_estimator_whose_answers_are_of_no_use_is_refused(answer: np.ndarray, reason: str) -> None:
    training = Training(fit=lambda x, y, params: Constant(answer))
    with pytest.raises(UnusableEstimator, match=reason):
        cross_validate(training, small(), {}, task=TWO)


def test_golden_rows_are_seen_rows_of_every_class() -> None:
    dataset = small()
    rows = golden_rows(dataset)
    assert len(set(rows.tolist())) == 8
    assert not dataset.holdout[rows].any()
    assert set(dataset.y[rows].tolist()) == {0, 1}


def test_the_exported_model_answers_as_the_estimator_did(tmp_path: Path) -> None:
    outcome = run_experiment(load(TRAINING, tmp_path), small(), {"ridge": 1.0}, task=TWO)
    check_golden(Session(outcome.onnx), {**outcome.record["golden"], "tolerance": 1e-6})
    assert outcome.record["sha256"] == hashlib.sha256(outcome.onnx).hexdigest()


def test_missing_values_stand_as_null_among_the_golden_rows() -> None:
    dataset = small()
    dataset.x[:, 1] = np.nan
    training = Training(fit=lambda x, y, params: Constant(np.array([[0.5, 0.5]])), export=lambda _: b"")
    outcome = run_experiment(training, dataset, {}, task=TWO)
    assert all(row[1] is None for row in outcome.record["golden"]["inputs"])


def test_warnings_of_a_fit_are_recorded_once() -> None:
    def fit(x: np.ndarray, y: np.ndarray, params: Params) -> Constant:
        warnings.warn("it did not converge", RuntimeWarning, stacklevel=1)
        return Constant(np.array([[0.5, 0.5]]))

    outcome = run_experiment(Training(fit=fit, export=lambda _: b""), small(), {}, task=TWO)
    assert outcome.record["warnings"] == ["RuntimeWarning: it did not converge"]


def test_a_training_without_fit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnusableEstimator, match=r"no fit\(X, y, params\)"):
        load("fit = 3", tmp_path)


def test_a_training_may_hold_dataclasses(tmp_path: Path) -> None:
    text = "from __future__ import annotations\nfrom dataclasses import dataclass\n@dataclass\nclass A:\n    x: int\n"
    assert load(text + "def fit(X, y, params):\n    return A(1)\n", tmp_path).export is None
