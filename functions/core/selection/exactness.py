"""Whether an ONNX file answers as its estimator does, on every row: it is the file that answers callers.

The rows are those of the dataset, and after them some made up that lack a value which a request may lack.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from functions.core.onnx.tensor import Tensor
from functions.core.training.answers import TOLERANCE, Answers, Threshold, undecided, with_gaps

if TYPE_CHECKING:
    from functions.core.dataset.dataset import Dataset
    from functions.core.serving.classifier import Classifier
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
    """The greatest difference of a probability."""
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


def answers_of(classifier: Classifier, x: np.ndarray) -> Answers:
    """Return what callers get for rows, float32 [rows, features]. Raise `ModelFailure`."""
    labels, probabilities = [], []
    for start in range(0, len(x), _AT_ONCE):
        outputs = classifier.answer({classifier.input: tensor_of(classifier, x[start : start + _AT_ONCE])})
        labels.append(np.asarray(classifier.positions(outputs), dtype=np.int64))
        answered = classifier.probabilities(outputs)
        probabilities.append(np.asarray(answered.values(), dtype=np.float64).reshape(answered.shape))
    if not labels:
        return Answers(labels=np.zeros(0, dtype=np.int64), probabilities=np.zeros((0, len(classifier.classes))))
    return Answers(labels=np.concatenate(labels), probabilities=np.concatenate(probabilities))


def tensor_of(classifier: Classifier, x: np.ndarray) -> Tensor:
    """Return rows, float32 [rows, features], as the model's input."""
    datatype = classifier.takes.datatype
    if datatype not in _NUMPY:
        return Tensor.of(datatype, x.shape, x.ravel().tolist())
    return Tensor.over(datatype, x.shape, np.ascontiguousarray(x, dtype=_NUMPY[datatype]).data)


def rows_asked(contract: Contract, dataset: Dataset, answers: Answers | None) -> np.ndarray:
    """Return the rows that the estimator answered, float32 [rows, features]; those of the dataset come first."""
    if answers is None or len(answers.labels) == len(dataset.x):
        return dataset.x
    return np.concatenate([dataset.x, with_gaps(dataset.x, contract.features)])


def compare(
    contract: Contract, x: np.ndarray, estimator: Answers, served: Answers, threshold: Threshold | None
) -> Comparison:
    """Compare the answers to the rows `x`, float32 [rows, features]."""
    if estimator.probabilities.shape != served.probabilities.shape:
        raise ValueError(f"the estimator answered {len(estimator.labels)} rows, and not these {len(served.labels)}")
    distance = np.abs(estimator.probabilities - served.probabilities).max(axis=1, initial=0.0)
    other_label = estimator.labels != served.labels
    wrong_label = other_label & ~undecided(estimator.probabilities, threshold)
    differing = np.flatnonzero((distance > TOLERANCE) | wrong_label)
    complaint = None
    if len(differing):
        told = (_told(contract, x, row, estimator, served) for row in differing[:_SHOWN].tolist())
        advice = _advice(x, differing, bool((distance > TOLERANCE).any()))
        complaint = f"the ONNX file answers {len(differing)} of {len(x)} rows otherwise than the estimator; "
        complaint += "; ".join(told) + advice
    return Comparison(
        rows=len(x),
        farthest=float(distance.max(initial=0.0)),
        relabelled=int((other_label & ~wrong_label).sum()),
        complaint=complaint,
    )


def _told(contract: Contract, x: np.ndarray, row: int, estimator: Answers, served: Answers) -> str:
    values = ", ".join(
        f"{feature.name}={_shown(feature.kind, feature.categories, float(value), str(value))}"
        for feature, value in zip(contract.features, x[row], strict=True)
    )
    theirs, ours = _answer(contract, estimator, row), _answer(contract, served, row)
    return f"row {row} ({values}): the estimator says {theirs}, the file {ours}"


def _shown(kind: str, categories: tuple[str, ...], value: float, text: str) -> str:
    if np.isnan(value):
        return "missing"
    match kind:
        case "category":
            return categories[int(value)]
        case "boolean":
            return "true" if value else "false"
        case _:
            return text


def _answer(contract: Contract, answers: Answers, row: int) -> str:
    label = int(answers.labels[row])
    return f"{contract.target.classes[label]} with {answers.probabilities[row, label]:.6g}"


def _advice(x: np.ndarray, differing: np.ndarray, by_probability: bool) -> str:
    """Return what to do about it, where the rows show what it is."""
    if not by_probability:
        return (
            ". The probabilities are the same: the estimator's predict decides otherwise than its export;"
            " return one whose predict takes the likeliest class, or export a label of your own in training.py"
        )
    if np.isnan(x[differing]).any(axis=1).all():
        return (
            ". Each of them lacks a value, which the file treats otherwise:"
            " fill such values in a pipeline, or take a HistGradientBoostingClassifier"
        )
    return ""
