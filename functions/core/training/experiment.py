"""Run one experiment: cross-validate, fit on all rows but the holdout, and export to ONNX."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import math
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from functions.core.dataset.dataset import HOLDOUT
from functions.core.training.answers import TOLERANCE, Answers, Threshold, undecided, with_gaps
from functions.core.training.export import bounded, threshold_of, to_onnx
from functions.core.training.metrics import METRICS, scores
from functions.core.training.processor import processor

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from functions.core.dataset.dataset import Dataset
    from models.contract import Params
    from models.feature import Feature

GOLDEN_ROWS = 8
_LIBRARIES = ("numpy", "scipy", "scikit-learn", "onnx", "skl2onnx")


class UnusableEstimator(ValueError):
    """`training.py`, or the estimator that its `fit` returns, cannot be used."""


class Estimator(Protocol):
    """What `fit` returns. It may have a `predict` too, which then decides; else the likeliest class is its answer."""

    def predict_proba(self, x: np.ndarray, /) -> np.ndarray: ...


@dataclass(frozen=True, kw_only=True)
class Training:
    """The functions of a model's `training.py`."""

    fit: Callable[[np.ndarray, np.ndarray, Params], Estimator]
    export: Callable[[Estimator], bytes] | None = None
    """Replaces the export for scikit-learn; the tensors of its file must have the names in `signature.py`."""

    @classmethod
    def load(cls, model: str, folder: Path) -> Training:
        """Import `folder/<model>/training.py`. Raises what the module raises, or `UnusableEstimator`."""
        name = f"models.{model}.training"
        spec = importlib.util.spec_from_file_location(name, folder / model / "training.py")
        if spec is None or spec.loader is None:
            raise UnusableEstimator(f"{name} is not Python")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module  # a dataclass in the module looks up its own module there
        spec.loader.exec_module(module)
        if not callable(getattr(module, "fit", None)):
            raise UnusableEstimator("training.py has no fit(X, y, params)")
        return cls(fit=module.fit, export=getattr(module, "export", None))


@dataclass(frozen=True, kw_only=True)
class ExperimentResult:
    """The ONNX file of an experiment, what its estimator answers, and the record of how it came about."""

    onnx: bytes
    answers: Answers
    """The estimator's own, to every row of the dataset, and after them to rows made up by `with_gaps`."""
    record: dict[str, Any]
    """Metrics by fold, durations in seconds, digest, what computed it, and the answers to the golden rows."""


def run_experiment(
    training: Training, dataset: Dataset, params: Params, *, classes: int, features: Sequence[Feature] = ()
) -> ExperimentResult:
    """Run an experiment with `params`. `features` say which values may be missing.

    Raises what `fit` or the export raises, or `UnusableEstimator`.
    """
    visible = ~dataset.holdout
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        started = time.perf_counter()
        metrics = cross_validate(training, dataset, params, classes=classes)
        validated = time.perf_counter()
        estimator = training.fit(dataset.x[visible], dataset.y[visible], dict(params))
        fitted = time.perf_counter()
        onnx = bounded((training.export or _standard_export(dataset))(estimator))
        exported = time.perf_counter()
        answers, threshold = _answers_to_all(estimator, dataset, features, classes), threshold_of(estimator)
    record = {
        "metrics": metrics,
        "seconds": {
            "cross_validation": round(validated - started, 3),
            "fit": round(fitted - validated, 3),
            "export": round(exported - fitted, 3),
        },
        "sha256": hashlib.sha256(onnx).hexdigest(),
        "bytes": len(onnx),
        "libraries": {name: importlib.metadata.version(name) for name in _LIBRARIES},
        "processor": processor(),
        "warnings": sorted({f"{entry.category.__name__}: {entry.message}"[:300] for entry in caught})[:10],
        "threshold": None if threshold is None else threshold.document(),
        "golden": _golden(estimator, dataset.x[golden_rows(dataset)], classes, threshold),
    }
    return ExperimentResult(onnx=onnx, answers=answers, record=record)


def cross_validate(training: Training, dataset: Dataset, params: Params, *, classes: int) -> dict[str, dict[str, Any]]:
    """Return each metric's mean, standard deviation and values over the folds, without use of the holdout."""
    by_fold = []
    for fold in range(int(dataset.fold.max()) + 1):
        train_rows = (dataset.fold != fold) & (dataset.fold != HOLDOUT)
        test_rows = dataset.fold == fold
        estimator = training.fit(dataset.x[train_rows], dataset.y[train_rows], dict(params))
        by_fold.append(scores(dataset.y[test_rows], answers_of(estimator, dataset.x[test_rows], classes)))
    summary = {}
    for metric in METRICS:
        values = [entry[metric] for entry in by_fold]
        summary[metric] = {"mean": float(np.mean(values)), "std": float(np.std(values)), "folds": values}
    return summary


def answers_of(estimator: Estimator, x: np.ndarray, classes: int) -> Answers:
    """Return what an estimator answers to rows, float32 [rows, features]. Raises `UnusableEstimator`."""
    probabilities = predict_probabilities(estimator, x, classes)
    predict = getattr(estimator, "predict", None)
    if predict is None:
        return Answers.likeliest(probabilities)
    labels = np.asarray(predict(x))
    if labels.shape == (len(x), 1):
        labels = labels[:, 0]
    if labels.shape != (len(x),):
        raise UnusableEstimator(f"predict gives the shape {list(labels.shape)}; expected: [{len(x)}]")
    positions = np.arange(classes)
    if labels.dtype.kind not in "biuf" or not np.isin(labels, positions).all():
        raise UnusableEstimator(f"predict gives other values than 0 to {classes - 1}, the positions of the classes")
    return Answers(labels=labels.astype(np.int64), probabilities=probabilities)


def predict_probabilities(estimator: Estimator, x: np.ndarray, classes: int) -> np.ndarray:
    """Return the estimator's probabilities, float64 [rows, classes].

    Raises `UnusableEstimator` for another shape, and for values that are no probabilities.
    """
    probabilities = np.asarray(estimator.predict_proba(x), dtype=np.float64)
    if probabilities.shape != (len(x), classes):
        expected = f"[{len(x)}, {classes}]"
        raise UnusableEstimator(f"predict_proba gives the shape {list(probabilities.shape)}; expected: {expected}")
    if not np.isfinite(probabilities).all():
        raise UnusableEstimator("predict_proba gives values that are not finite")
    if (np.abs(probabilities - 0.5) > 0.5 + TOLERANCE).any() or (np.abs(probabilities.sum(1) - 1) > TOLERANCE).any():
        raise UnusableEstimator("predict_proba gives values outside of 0 to 1, or rows that do not sum to 1")
    return probabilities


def _answers_to_all(estimator: Estimator, dataset: Dataset, features: Sequence[Feature], classes: int) -> Answers:
    """Return the answers to every row of the dataset, and to those made up, unless the estimator refuses these."""
    answers, made_up = answers_of(estimator, dataset.x, classes), with_gaps(dataset.x, features)
    if not len(made_up):
        return answers
    try:
        more = answers_of(estimator, made_up, classes)
    except Exception:  # an estimator that has seen no missing value may raise anything at one
        return answers
    return Answers(
        labels=np.concatenate([answers.labels, more.labels]),
        probabilities=np.concatenate([answers.probabilities, more.probabilities]),
    )


def _golden(estimator: Estimator, x: np.ndarray, classes: int, threshold: Threshold | None) -> dict[str, Any]:
    """Return the golden answers to rows: null stands for a missing value, and for a label that rounding decides."""
    answers = answers_of(estimator, x, classes)
    open_rows = undecided(answers.probabilities, threshold).tolist()
    return {
        "inputs": [[None if math.isnan(value) else value for value in row] for row in x.tolist()],
        "probabilities": answers.probabilities.tolist(),
        "labels": [
            None if is_open else label for label, is_open in zip(answers.labels.tolist(), open_rows, strict=True)
        ],
    }


def golden_rows(dataset: Dataset) -> np.ndarray:
    """Return the positions of a few rows outside the holdout, spread over the classes."""
    visible = np.flatnonzero(~dataset.holdout)
    by_class = visible[np.argsort(dataset.y[visible], kind="stable")]
    return by_class[np.linspace(0, len(by_class) - 1, min(GOLDEN_ROWS, len(by_class))).astype(int)]


def _standard_export(dataset: Dataset) -> Callable[[Any], bytes]:
    return lambda estimator: to_onnx(estimator, dataset.x.shape[1])
