"""What a model goes by: how much worse callers are answered when the values of one feature are shuffled."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from functions.core.onnx.session import ModelFailure
from functions.core.selection.exactness import answers_of
from functions.core.selection.promises import asked_with, grid_of
from functions.core.training.choice import task_of
from functions.core.training.metrics import UndefinedMetric
from models.task import lower_is_better

if TYPE_CHECKING:
    from functions.core.serving.tabular import Tabular
    from models.contract import Contract

WORK = 200_000
"""Rows that are asked in all: rows of the holdout, times features, times repeats."""
ROWS = (100, 2_000)
"""Of the holdout: the least and the most, as far as there are so many."""
REPEATS = 5
"""Shuffles of each feature; one where there are more than `MANY` features."""
MANY = 200
SECONDS = 20.0
"""After which no other feature is begun."""
DRAWN = 4
"""Features whose partial dependence is told."""
_GRID, _ROWS_OF_A_GRID = 12, 200
_SEED = 20


@dataclass(frozen=True, kw_only=True)
class Importance:
    """What shuffling a feature costs: mean and standard deviation over the repeats, in the metric's own unit."""

    feature: int
    """Its position."""
    mean: float
    std: float


@dataclass(frozen=True, kw_only=True)
class Reliance:
    """What a model goes by."""

    rows: int
    repeats: int
    importances: list[Importance]
    """The greatest first."""
    unmeasured: int
    """Features for which there was no time."""
    dependences: list[tuple[int, list[tuple[float, float]]]]
    """Of the most important features, by position: the mean level of the answers at each value."""


def reliance(
    contract: Contract, version: Tabular, x: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None
) -> Reliance | None:
    """Measure what a version goes by on the rows `x` float32 [rows, features], by the gate's metric.

    `weight` [rows] is what they weigh in it, and in the mean of answers.

    Return None where the metric is not defined for these rows, or the model fails on others than it was given.
    """
    features = x.shape[1]
    repeats = REPEATS if features <= MANY else 1
    most = int(np.clip(WORK // (features * repeats), *ROWS))
    chosen = np.linspace(0, len(x) - 1, min(most, len(x))).astype(int)
    weighs = None if weight is None else weight[chosen]
    try:
        importances = _importances(contract, version, x[chosen], y[chosen], weighs, repeats)
        every = max(1, len(chosen) // _ROWS_OF_A_GRID)
        some = x[chosen[::every]], None if weighs is None else weighs[::every]
        dependences = [
            (one.feature, _dependence(contract, version, *some, one.feature))
            for one in importances[:DRAWN]
            if one.mean > 0
        ]
    except (ModelFailure, UndefinedMetric):
        return None
    return Reliance(
        rows=len(chosen),
        repeats=repeats,
        importances=importances,
        unmeasured=features - len(importances),
        dependences=dependences,
    )


def _importances(
    contract: Contract, version: Tabular, x: np.ndarray, y: np.ndarray, weight: np.ndarray | None, repeats: int
) -> list[Importance]:
    task, measure = task_of(contract), contract.gate.measure
    way = 1 if lower_is_better(measure) else -1
    rng = np.random.default_rng(_SEED)
    until = time.monotonic() + SECONDS
    whole = task.score(measure, y, task.beside(answers_of(contract, version, x), x), weight)
    found = []
    for position in range(x.shape[1]):
        if time.monotonic() > until:
            break
        worse = []
        for _ in range(repeats):
            shuffled = x.copy()
            shuffled[:, position] = rng.permutation(x[:, position])
            # What metrics compare with is not shuffled.
            answers = task.beside(answers_of(contract, version, shuffled), x)
            worse.append(way * (task.score(measure, y, answers, weight) - whole))
        found.append(Importance(feature=position, mean=float(np.mean(worse)), std=float(np.std(worse))))
    return sorted(found, key=lambda one: -one.mean)


def _dependence(
    contract: Contract, version: Tabular, x: np.ndarray, weight: np.ndarray | None, position: int
) -> list[tuple[float, float]]:
    """Return values of a feature, and the mean level of the answers where every row has it."""
    feature = contract.terms[position]
    values = np.unique(x[:, position]) if feature.categories else grid_of(x[:, position], _GRID)
    values = values[~np.isnan(values)]
    if not len(values):
        return []
    asked = asked_with(contract, version, x, position, values)
    levels = asked.mean(axis=0) if weight is None or not weight.any() else np.average(asked, axis=0, weights=weight)
    return list(zip(values.tolist(), levels.tolist(), strict=True))
