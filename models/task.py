"""What a model can be trained for, and the metrics that tell how well it does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Task = Literal["classification", "regression"]
Metric = Literal["roc_auc", "accuracy", "f1", "log_loss", "rmse", "mae", "r2", "mape"]
METRICS: Mapping[Task, tuple[Metric, ...]] = {
    "classification": ("roc_auc", "accuracy", "f1", "log_loss"),
    "regression": ("rmse", "mae", "r2", "mape"),
}
LOWER_IS_BETTER: frozenset[str] = frozenset({"log_loss", "rmse", "mae", "mape"})
