"""A regressor that `fit` returned, and the two that `fit_quantile` did where its answers have an interval."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from functions.core.training.export import number_to_onnx
from functions.core.training.fitted import Fitted, one_a_row
from functions.core.training.number_answers import Ends, NumberAnswers
from functions.core.training.own_export import NUMBERS, Tensor, checked
from functions.core.training.signature import HIGH, LOW, VALUE
from functions.core.training.unusable import UnusableEstimator
from models.feature import LARGEST

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from functions.core.training.regression import Regression

_NUMBER = Tensor(NUMBERS, 1)


class FittedRegressor(Fitted[NumberAnswers]):
    def __init__(self, estimator: Any, task: Regression, ends: Sequence[Any] = ()) -> None:
        """`ends` are the estimators of the lower and the upper end; none where an answer is a number alone."""
        super().__init__(estimator, task)
        self.ends = ends

    def answers(self, x: np.ndarray) -> NumberAnswers:
        values = _numbers(self.estimator, x)
        if not self.ends:
            return NumberAnswers(values=values)
        low, high = (_numbers(end, x) for end in self.ends)
        return NumberAnswers(values=values, ends=Ends(low=np.minimum(low, values), high=np.maximum(high, values)))

    def to_onnx(self, width: int) -> bytes:
        if not self.ends:
            return number_to_onnx(self.estimator, width)
        from functions.core.training.interval_graph import bounded, joined  # noqa: PLC0415 - most have no interval

        value, low, high = (number_to_onnx(one, width) for one in (self.estimator, *self.ends))
        return bounded(joined(value, low, high))

    def exported(self, export: Callable[[Any], Any], width: int) -> bytes:
        """Return the file that the model's own `export` writes, with the files that it writes of the ends inside.

        One that has `low` and `high` already is taken as it is, but for ends that would cross the number.
        """
        file = super().exported(export, width)
        if not self.ends:
            return file
        from functions.core.training.interval_graph import bounded, has_an_end, joined  # noqa: PLC0415 - as above

        if has_an_end(file):
            return bounded(checked(file, width, {**self.tensors, LOW: _NUMBER, HIGH: _NUMBER}))
        low, high = (checked(export(end), width, self.tensors) for end in self.ends)
        return bounded(joined(file, low, high))

    @property
    def tensors(self) -> Mapping[str, Tensor]:
        return {VALUE: _NUMBER}


def _numbers(estimator: Any, x: np.ndarray) -> np.ndarray:
    """Return what an estimator answers, float64 [rows]. Raises `UnusableEstimator`."""
    if not hasattr(estimator, "predict"):
        raise UnusableEstimator("the estimator has no predict, which a regression needs")
    values = one_a_row(estimator.predict(x), len(x))
    if values.dtype.kind not in "biuf" or not (np.abs(values) <= LARGEST).all():
        raise UnusableEstimator("predict gives values that are no finite numbers of 32 bits")
    return values.astype(np.float64)
