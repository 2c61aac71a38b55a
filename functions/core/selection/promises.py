"""The promises of the gate: that an answer never falls, or never rises, while one feature rises."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from functions.core.onnx.session import ModelFailure
from functions.core.selection.check import Check
from functions.core.selection.exactness import answers_of, row_in_words
from functions.core.training.answers import TOLERANCE
from functions.core.training.choice import task_of

if TYPE_CHECKING:
    from functions.core.serving.tabular import Tabular
    from models.contract import Contract
    from models.gate import Promise

ROWS = 200
"""Of the holdout, that are asked again with other values of the feature."""
VALUES = 20
"""Of the feature that each of them is asked with: values of the holdout, from its least to its greatest."""

_TOLD = 12
"""Values of a row that a complaint tells."""


def check_promise(contract: Contract, promise: Promise, version: Tabular, x: np.ndarray) -> Check:
    """Check that a promise is kept by what callers get, for rows of `x` [rows, features].

    A number may move the other way by 0.0001 of itself, or of the spread of all of them, and a probability by 0.0001:
    by so much the file may differ from its estimator.
    """
    name = f"{promise.feature} {promise.direction}"
    position = [feature.name for feature in contract.terms].index(promise.feature)
    values = grid_of(x[:, position], VALUES)
    if len(values) < 2:
        detail = "the holdout has fewer than two values of it, and a promise is about a change"
        return Check(name=name, passed=False, value=None, bound=0, detail=detail)
    rows = np.linspace(0, len(x) - 1, min(ROWS, len(x))).astype(int)
    try:
        answered = asked_with(contract, version, x[rows], position, values)
    except ModelFailure as problem:
        return Check(name=name, passed=False, value=None, bound=0, detail=f"with other values of it: {problem}")
    way = 1 if promise.direction == "up" else -1
    fallen = np.maximum.accumulate(way * answered, axis=1) - way * answered
    broken = fallen > TOLERANCE * task_of(contract).scale(answered)
    breaking = np.flatnonzero(broken.any(axis=1))
    asked = f"{len(rows)} rows with {len(values)} values each"
    if not len(breaking):
        return Check(name=name, passed=True, value=0, bound=0, detail=asked)
    row = int(breaking[0])
    after = int(np.argmax(broken[row]))
    before = int(np.argmax(way * answered[row, : after + 1]))
    moved = f"{promise.feature} from {values[before]:.6g} to {values[after]:.6g}"
    answer = f"the answer from {answered[row, before]:.6g} to {answered[row, after]:.6g}"
    told = row_in_words(contract, x[rows[row]], but=promise.feature, most=_TOLD)
    detail = f"of {asked}; the first: {moved} moves {answer}, where {told}"
    return Check(name=name, passed=False, value=len(breaking), bound=0, detail=detail)


def grid_of(values: np.ndarray, most: int) -> np.ndarray:
    """Return values that are there, from the least to the greatest, float32 [values]: equally many rows lie between."""
    there = values[~np.isnan(values)]
    if not len(there):
        return there
    return np.unique(np.quantile(there, np.linspace(0, 1, most), method="nearest"))


def asked_with(contract: Contract, version: Tabular, x: np.ndarray, position: int, values: np.ndarray) -> np.ndarray:
    """Return the level of the answers to each row of `x` with each value of one feature, float64 [rows, values]."""
    asked = np.repeat(x, len(values), axis=0)
    asked[:, position] = np.tile(values, len(x))
    answers = answers_of(contract, version, asked)
    return task_of(contract).level(answers).reshape(len(x), len(values))
