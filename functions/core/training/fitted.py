"""An estimator that `fit` returned: what it answers, and the ONNX file of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np

from functions.core.training.answers import Answers
from functions.core.training.own_export import checked
from functions.core.training.unusable import UnusableEstimator

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from functions.core.training.own_export import Tensor
    from functions.core.training.task import Task

Said = TypeVar("Said", bound=Answers)


class Fitted(ABC, Generic[Said]):
    """An estimator for a task: `FittedClassifier`, `FittedRegressor`.

    A classifier has `predict_proba`, and may have a `predict` too, which then decides; else the likeliest class is
    its answer. A regressor has `predict`.
    """

    def __init__(self, estimator: Any, task: Task[Said]) -> None:
        self.estimator = estimator
        self.task = task

    @abstractmethod
    def answers(self, x: np.ndarray) -> Said:
        """Return what it answers to rows, float32 [rows, features]. Raises `UnusableEstimator`."""

    @abstractmethod
    def to_onnx(self, width: int) -> bytes:
        """Return the ONNX file of an estimator of scikit-learn for rows of `width` features.

        Raises `UnusableEstimator` for one of a kind that nothing here converts, and what skl2onnx raises where it
        fails.
        """

    @property
    @abstractmethod
    def tensors(self) -> Mapping[str, Tensor]:
        """The outputs of a file that the model's own `export` writes."""

    def exported(self, export: Callable[[Any], Any], width: int) -> bytes:
        """Return the file that the model's own `export` writes. Raises what it raises, and `UnusableEstimator`."""
        return checked(export(self.estimator), width, self.tensors)

    def finished(self, onnx: bytes) -> bytes:
        """Return its ONNX file as it is kept, whoever exported it."""
        return onnx

    @property
    def decision(self) -> dict[str, Any] | None:
        """How it decides where its answer alone does not tell."""
        return None


def one_a_row(answers: object, rows: int) -> np.ndarray:
    """Return what `predict` gives as an array [rows]. Raises `UnusableEstimator` for another shape."""
    values = np.asarray(answers)
    if values.shape == (rows, 1):
        values = values[:, 0]
    if values.shape != (rows,):
        raise UnusableEstimator(f"predict gives the shape {list(values.shape)}; expected: [{rows}]")
    return values
