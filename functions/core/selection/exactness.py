"""Whether an ONNX file answers as its estimator does, on every row: it is the file that answers callers.

The rows are those of the dataset, and after them some made up that lack a value which a request may lack.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from functions.core.onnx.tensor import Tensor
from functions.core.training.answers import TOLERANCE, with_gaps
from functions.core.training.choice import task_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from functions.core.dataset.dataset import Dataset
    from functions.core.serving.tabular import Tabular
    from functions.core.training.answers import Answers, Differences
    from models.contract import Contract

_AT_ONCE = 5_000
"""Rows of one run."""
_SHOWN = 3
"""Rows that a complaint tells in full."""
_NUMPY = {"FP16": "<f2", "FP32": "<f4", "FP64": "<f8"}


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """How an ONNX file's answers differ from its estimator's."""

    rows: int
    """How many were compared."""
    farthest: float
    """The greatest difference, of a probability or as a share of a number."""
    relabelled: int
    """Rows that get another label where rounding decides: accepted."""
    complaint: str | None
    """The rows that are answered otherwise; None where there are none."""

    @property
    def summary(self) -> str:
        told = f"onnxruntime answers all {self.rows} rows as the estimator does"
        if self.relabelled:
            told += f"; {self.relabelled} of them get another label, where {TOLERANCE:g} decides between two"
        return told


def answers_of(contract: Contract, version: Tabular, x: np.ndarray) -> Answers:
    """Return what callers get for rows, float32 [rows, features]. Raise `ModelFailure`."""
    parts = (x[start : start + _AT_ONCE] for start in range(0, len(x), _AT_ONCE))
    outputs = [version.answer({version.input: tensor_of(version, part)}) for part in parts]
    return task_of(contract).served(version, outputs)


def tensor_of(version: Tabular, x: np.ndarray) -> Tensor:
    """Return rows, float32 [rows, features], as the model's input."""
    datatype = version.takes.datatype
    if datatype not in _NUMPY:
        return Tensor.of(datatype, x.shape, x.ravel().tolist())
    return Tensor.over(datatype, x.shape, np.ascontiguousarray(x, dtype=_NUMPY[datatype]).data)


def rows_asked(contract: Contract, dataset: Dataset, answers: Answers | None) -> np.ndarray:
    """Return the rows that the estimator answered, float32 [rows, features]; those of the dataset come first."""
    if answers is None or answers.rows == len(dataset.x):
        return dataset.x
    return np.concatenate([dataset.x, with_gaps(dataset.x, contract.features)])


def compare(
    contract: Contract, x: np.ndarray, estimator: Answers, served: Answers, decision: Mapping[str, Any] | None
) -> Comparison:
    """Compare the answers to the rows `x`, float32 [rows, features]."""
    if estimator.rows != served.rows:
        raise ValueError(f"the estimator answered {estimator.rows} rows, and not these {served.rows}")
    found = task_of(contract).compare(estimator, served, decision)
    differing = np.flatnonzero((found.distance > TOLERANCE) | found.other)
    complaint = None
    if len(differing):
        told = (_told(contract, x, row, estimator, served) for row in differing[:_SHOWN].tolist())
        complaint = f"the ONNX file answers {len(differing)} of {len(x)} rows otherwise than the estimator; "
        complaint += "; ".join(told) + _advice(contract, x, differing, found)
    return Comparison(
        rows=len(x),
        farthest=float(found.distance.max(initial=0.0)),
        relabelled=found.excused,
        complaint=complaint,
    )


def _told(contract: Contract, x: np.ndarray, row: int, estimator: Answers, served: Answers) -> str:
    values = row_in_words(contract, x[row])
    task = task_of(contract)
    theirs, ours = task.told(estimator, row), task.told(served, row)
    return f"row {row} ({values}): the estimator says {theirs}, the file {ours}"


def row_in_words(contract: Contract, row: np.ndarray, *, but: str = "", most: int | None = None) -> str:
    """Return the first values of a row, float32 [terms], as people write them, without the term `but`."""
    told = [
        f"{term.name}={_shown(term.kind, term.names, float(value), str(value))}"
        for term, value in zip(contract.terms, row, strict=True)
        if term.name != but
    ]
    more = "" if most is None or len(told) <= most else f" and {len(told) - most} more"
    return ", ".join(told[:most]) + more


def _shown(kind: str, names: tuple[str, ...], value: float, text: str) -> str:
    if np.isnan(value):
        return "missing"
    match kind:
        case "category":
            return names[int(value)]
        case "boolean":
            return "true" if value else "false"
        case _:
            return text


def _advice(contract: Contract, x: np.ndarray, differing: np.ndarray, found: Differences) -> str:
    """Return what to do about it, where the rows show what it is."""
    if not (found.distance > TOLERANCE).any():
        return (
            ". The probabilities are the same: the estimator's predict decides otherwise than its export;"
            " return one whose predict takes the likeliest class, or export a label of your own in training.py"
        )
    if np.isnan(x[differing]).any(axis=1).all():
        kind = "Regressor" if contract.is_of_numbers else "Classifier"
        return (
            ". Each of them lacks a value, which the file treats otherwise:"
            f" fill such values in a pipeline, or take a HistGradientBoosting{kind}"
        )
    return ""
