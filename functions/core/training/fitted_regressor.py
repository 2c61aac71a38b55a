"""A regressor that `fit` returned."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from functions.core.training.export import number_to_onnx
from functions.core.training.fitted import Fitted, one_a_row
from functions.core.training.number_answers import NumberAnswers
from functions.core.training.own_export import NUMBERS, Tensor
from functions.core.training.signature import VALUE
from functions.core.training.unusable import UnusableEstimator
from models.feature import LARGEST

if TYPE_CHECKING:
    from collections.abc import Mapping


class FittedRegressor(Fitted[NumberAnswers]):
    def answers(self, x: np.ndarray) -> NumberAnswers:
        if not hasattr(self.estimator, "predict"):
            raise UnusableEstimator("the estimator has no predict, which a regression needs")
        values = one_a_row(self.estimator.predict(x), len(x))
        if values.dtype.kind not in "biuf" or not (np.abs(values) <= LARGEST).all():
            raise UnusableEstimator("predict gives values that are no finite numbers of 32 bits")
        return NumberAnswers(values=values.astype(np.float64))

    def to_onnx(self, width: int) -> bytes:
        return number_to_onnx(self.estimator, width)

    @property
    def tensors(self) -> Mapping[str, Tensor]:
        return {VALUE: Tensor(NUMBERS, 1)}
