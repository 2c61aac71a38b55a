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
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from functions.core.training.answers import with_gaps
from functions.core.training.fitting import fitted
from functions.core.training.processor import processor
from functions.core.training.unusable import UnusableEstimator
from models.training_text import FIT_QUANTILE, NO_FIT_QUANTILE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from functions.core.dataset.dataset import Dataset
    from functions.core.training.answers import Answers
    from functions.core.training.fitted import Fitted
    from functions.core.training.task import Task, Tested
    from functions.core.training.weighting import Weighting
    from models.contract import Params
    from models.feature import Feature

GOLDEN_ROWS = 8
_LIBRARIES = ("numpy", "scipy", "scikit-learn", "onnx", "skl2onnx")


@dataclass(frozen=True, kw_only=True)
class Training:
    """The functions of a model's `training.py`."""

    fit: Callable[..., Any]
    """It gets rows, their truth and parameters, and where rows weigh their weights. What it returns, an estimator, is
    described in `Fitted`."""
    export: Callable[[Any], bytes] | None = None
    """Replaces the export for estimators that skl2onnx converts; its file must have the tensors in `signature.py`."""
    fit_quantile: Callable[..., Any] | None = None
    """As `fit`, with the share of truths that are to lie below the answer: for an end of an interval."""

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
        return cls(
            fit=module.fit,
            export=getattr(module, "export", None),
            fit_quantile=getattr(module, FIT_QUANTILE, None),
        )

    def require(self, task: Task[Any]) -> None:
        """Raise `UnusableEstimator` where the task asks for ends of an interval, and nothing fits them."""
        if task.quantiles and not callable(self.fit_quantile):
            raise UnusableEstimator(f"training.py {NO_FIT_QUANTILE}")

    def ends(self, given: tuple[Any, ...], params: Params, quantiles: Sequence[float]) -> list[Any]:
        """Return an estimator for each quantile, of what `fit` was `given`. Raises what `fit_quantile` raises."""
        x, y, _, *weight = given
        fit = self.fit_quantile
        return [] if fit is None else [fit(x, y, dict(params), quantile, *weight) for quantile in quantiles]


@dataclass(frozen=True, kw_only=True)
class ExperimentResult:
    """The ONNX file of an experiment, what its estimator answers, and the record of how it came about."""

    onnx: bytes
    answers: Answers
    """The estimator's own, to every row of the dataset, and after them to rows made up by `with_gaps`."""
    record: dict[str, Any]
    """Metrics by fold, durations in seconds, digest, what computed it, and the answers to the golden rows."""


def _nowhere(_: str) -> None: ...


def run_experiment(
    training: Training,
    dataset: Dataset,
    params: Params,
    *,
    task: Task[Any],
    features: Sequence[Feature] = (),
    weighting: Weighting | None = None,
    at: Callable[[str], None] = _nowhere,
) -> ExperimentResult:
    """Run an experiment with `params`.

    `features` say which values may be missing, `weighting` how `fit` weighs rows, `at` hears where it is.

    Raises what `fit` or the export raises, or `UnusableEstimator`.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        started = time.perf_counter()
        metrics, tested = cross_validate(training, dataset, params, task=task, weighting=weighting, at=at)
        decided = task.decided(tested, dataset.weights_of_folds)
        validated = time.perf_counter()
        at("fit, on all rows but the holdout")
        given = _learnt_from(dataset, dataset.fitted, params, weighting)
        estimator = training.fit(*given)
        if task.quantiles:
            at("fit_quantile")
        model = fitted(estimator, task, decided, training.ends(given, params, task.quantiles))
        fitted_at = time.perf_counter()
        at("the export")
        onnx = model.finished(_exported(training, model, dataset.x.shape[1]))
        exported_at = time.perf_counter()
        at("predict, on all rows")
        answers = _answers_to_all(model, dataset, features)
    record = {
        "metrics": metrics,
        "seconds": {
            "cross_validation": round(validated - started, 3),
            "fit": round(fitted_at - validated, 3),
            "export": round(exported_at - fitted_at, 3),
        },
        "sha256": hashlib.sha256(onnx).hexdigest(),
        "bytes": len(onnx),
        "libraries": dict(_libraries()),
        "processor": processor(),
        "warnings": sorted({f"{entry.category.__name__}: {entry.message}"[:300] for entry in caught})[:10],
        "threshold": model.decision,
        **({} if decided is None else {"decision": dict(decided.record)}),
        "golden": _golden(model, dataset.x[golden_rows(dataset)]),
    }
    return ExperimentResult(onnx=onnx, answers=answers, record=record)


def cross_validate(
    training: Training,
    dataset: Dataset,
    params: Params,
    *,
    task: Task[Any],
    weighting: Weighting | None = None,
    at: Callable[[str], None] = _nowhere,
) -> tuple[dict[str, dict[str, Any]], Tested[Any]]:
    """Return each metric's mean, standard deviation and values over the folds, without use of the holdout.

    A metric that is not defined for every fold is left out, and so are those of an interval, whose ends are fitted
    once, on all rows. Return also what the rows of each fold are, and what was answered to them. Raises what `fit`
    raises, or `UnusableEstimator`.
    """
    training.require(task)
    tested = []
    for fold in range(dataset.folds):
        test_rows = dataset.tested(fold)
        at(f"fit, fold {fold + 1} of {dataset.folds}")
        estimator = training.fit(*_learnt_from(dataset, dataset.trained(fold), params, weighting))
        at(f"predict, fold {fold + 1} of {dataset.folds}")
        x = dataset.x[test_rows]
        tested.append((dataset.y[test_rows], task.beside(fitted(estimator, task).answers(x), x)))
    weights = dataset.weights_of_folds
    judged = zip(tested, task.judged(tested, weights), weights or [None] * dataset.folds, strict=True)
    by_fold = [task.scores(y, said, weight) for (y, _), said, weight in judged]
    summary = {}
    for metric in task.metrics:
        if all(metric in entry for entry in by_fold):
            values = [entry[metric] for entry in by_fold]
            summary[metric] = {"mean": float(np.mean(values)), "std": float(np.std(values)), "folds": values}
    return summary, tested


def _learnt_from(dataset: Dataset, rows: np.ndarray, params: Params, weighting: Weighting | None) -> tuple[Any, ...]:
    """Return what `fit` gets of some rows, bool [rows]: parameters of its own, and weights where it weighs them."""
    given = dataset.x[rows], dataset.y[rows], dict(params)
    return given if weighting is None else (*given, weighting.of_rows(dataset, rows))


@cache
def _libraries() -> Mapping[str, str]:
    """Return the versions of what a process trains with, which are read from many files of metadata."""
    return {name: importlib.metadata.version(name) for name in _LIBRARIES}


def _answers_to_all(model: Fitted[Any], dataset: Dataset, features: Sequence[Feature]) -> Answers:
    """Return the answers to every row of the dataset, and to those made up, unless the estimator refuses these."""
    answers, made_up = model.answers(dataset.x), with_gaps(dataset.x, features)
    if not len(made_up):
        return answers
    try:
        return answers.followed_by(model.answers(made_up))
    except Exception:  # an estimator that has seen no missing value may raise anything at one
        return answers


def _golden(model: Fitted[Any], x: np.ndarray) -> dict[str, Any]:
    """Return golden rows and the answers to them: null stands for a missing value."""
    return {
        "inputs": [[None if math.isnan(value) else value for value in row] for row in x.tolist()],
        **model.task.golden(model.answers(x), model.decision),
    }


def golden_rows(dataset: Dataset) -> np.ndarray:
    """Return the positions of a few rows outside the holdout, spread over the classes, or over the numbers."""
    visible = np.flatnonzero(~dataset.holdout)
    by_target = visible[np.argsort(dataset.y[visible], kind="stable")]
    return by_target[np.linspace(0, len(by_target) - 1, min(GOLDEN_ROWS, len(by_target))).astype(int)]


def _exported(training: Training, model: Fitted[Any], width: int) -> bytes:
    if training.export is None:
        return model.to_onnx(width)
    return model.exported(training.export, width)
