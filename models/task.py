"""What a model can be trained for, and the metrics that tell how well it does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

Task = Literal["classification", "regression", "forecasting"]
ClassMetric = Literal[
    "roc_auc",
    "average_precision",
    "recall_at_precision",
    "accuracy",
    "balanced_accuracy",
    "f1",
    "precision",
    "recall",
    "log_loss",
    "brier",
    "calibration_error",
]
NumberMetric = Literal["rmse", "mae", "median_absolute_error", "r2", "mape", "pinball"]
IntervalMetric = Literal["coverage", "interval_width", "low_pinball", "high_pinball"]
ForecastMetric = Literal["skill"]
Metric = Literal[ClassMetric, NumberMetric, IntervalMetric, ForecastMetric]
METRICS: Mapping[Task, tuple[Metric, ...]] = {
    "classification": get_args(ClassMetric),
    "regression": get_args(NumberMetric),
    "forecasting": (*get_args(NumberMetric), *get_args(ForecastMetric)),
}
OF_NUMBERS: frozenset[Task] = frozenset({"regression", "forecasting"})
"""The tasks whose answers are numbers."""
NOUNS: Mapping[Task, str] = {
    "classification": "a classification",
    "regression": "a regression",
    "forecasting": "a forecast",
}
INTERVAL_METRICS: tuple[Metric, ...] = get_args(IntervalMetric)
"""Those of an answer's ends, which a model has whose contract has `interval`."""
LOWER_IS_BETTER: frozenset[str] = frozenset(
    {
        "log_loss",
        "brier",
        "calibration_error",
        "rmse",
        "mae",
        "median_absolute_error",
        "mape",
        "pinball",
        "interval_width",
        "low_pinball",
        "high_pinball",
    }
)
AT: Mapping[str, str] = {"recall_at_precision": "the precision", "pinball": "the quantile"}
"""The metrics that have a setting, `at`, and what it is: above 0 and below 1."""


def measure(metric: str, at: float | None) -> str:
    """Return what records call a metric: its name, and the setting of one that has one: `recall_at_precision_0.9`."""
    return metric if at is None else f"{metric}_{at:g}"


def parts(measured: str) -> tuple[str, float]:
    """Return the metric that records call so, and its setting; 0 for one without."""
    metric, _, at = measured.rpartition("_")
    return (metric, float(at)) if metric in AT else (measured, 0.0)


def lower_is_better(measured: str) -> bool:
    """Return whether less of a metric is better, by what records call it."""
    return not LOWER_IS_BETTER.isdisjoint((measured, measured.rpartition("_")[0]))


def plain(task: Task) -> tuple[Metric, ...]:
    """Return the metrics of a task that have no setting: every model is told of these."""
    return tuple(metric for metric in METRICS[task] if metric not in AT)
