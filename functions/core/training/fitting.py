"""The choice of the `Fitted` for a task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from functions.core.training.classification import Classification
from functions.core.training.regression import Regression

if TYPE_CHECKING:
    from collections.abc import Sequence

    from functions.core.training.fitted import Fitted
    from functions.core.training.task import Decided, Task


def fitted(estimator: Any, task: Task[Any], decided: Decided | None = None, ends: Sequence[Any] = ()) -> Fitted[Any]:
    """Return an estimator as what its task makes of it; `decided` in place of its own `predict`.

    `ends` are the estimators of the task's `quantiles`, where they are fitted.
    """
    match task:
        case Classification():
            from functions.core.training.fitted_classifier import FittedClassifier  # noqa: PLC0415 - one of them

            return FittedClassifier(estimator, task, None if decided is None else decided.threshold)
        case Regression():
            from functions.core.training.fitted_regressor import FittedRegressor  # noqa: PLC0415 - as above

            return FittedRegressor(estimator, task, ends)
    raise TypeError(type(task))
