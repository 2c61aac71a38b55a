"""The choice of the `Task` for a contract. A task that is not trained is not imported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from functions.core.training.task import Task
    from models.contract import Contract


def task_of(contract: Contract) -> Task[Any]:
    """Return what a contract's model is trained for."""
    match contract.task:
        case "classification":
            from functions.core.training.classification import Classification  # noqa: PLC0415

            return Classification(contract.target, contract.measures, contract.decision)
        case "regression":
            from functions.core.training.regression import Regression  # noqa: PLC0415

            return Regression(contract.target, contract.measures, contract.interval)
        case "forecasting":
            from functions.core.training.forecasting import Forecasting  # noqa: PLC0415

            return Forecasting(contract)
