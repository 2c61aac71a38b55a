"""How a model of a table is searched for, and what it has to prove: figures that follow from the table."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from models.readable import readable
from sml.init.number_target import NumberTarget

if TYPE_CHECKING:
    from sml.init.series_guess import SeriesGuess
    from sml.init.target import Target

HOLDOUT = 0.2
FOLDS = (5, 3, 2)
"""Those that are tried, until each has rows of every class."""
ROWS_OF_A_FOLD = 5
"""Of each class, as far as there are so many."""
ROWS_OF_A_NUMBER = 20
"""Of a fold, where a number is predicted."""
SURE = 1.64
"""Standard errors beyond which luck gets one time in twenty."""
UNBALANCED = 0.7
"""The share of the most frequent class above which accuracy says little."""
DEFAULT_REJECTED = 0.02


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The sections of a contract after its columns, each figure with its reason."""

    folds: int
    folds_why: str
    metric: Literal["roc_auc", "accuracy", "f1", "mae", "skill"]
    metric_why: str
    bound: float
    """The metric's least value, or its greatest where less is better."""
    bound_why: str
    minimum_rows: int
    maximum_rejected_share: float
    rejected_why: str


def planned(
    target: Target | NumberTarget,
    rows: int,
    rejected: int,
    folds: int | None = None,
    series: SeriesGuess | None = None,
) -> Plan:
    """Return the plan for a table of so many rows, of which so many are set aside."""
    if not isinstance(target, NumberTarget):
        return plan_for(target, rows, rejected, folds)
    if series is None:
        return plan_for_numbers(target, rows, rejected, folds)
    return plan_for_series(target, rows, rejected, series, folds)


def plan_for(target: Target, rows: int, rejected: int, folds: int | None = None) -> Plan:
    """Return the plan for a table of so many rows, of which so many are set aside."""
    least = min(target.counts)
    chosen = folds or next((some for some in FOLDS if least * (1 - HOLDOUT) >= some * ROWS_OF_A_FOLD), FOLDS[-1])
    metric, metric_why = _metric(target)
    bound, bound_why = _minimum(metric, target)
    return _plan(
        chosen, f"the rarest class has {least:,} rows", (metric, metric_why), (bound, bound_why), rows, rejected
    )


def plan_for_numbers(target: NumberTarget, rows: int, rejected: int, folds: int | None = None) -> Plan:
    """Return the plan for a table of so many rows, of which so many are set aside."""
    usable = target.rows * (1 - HOLDOUT)
    chosen = folds or next((some for some in FOLDS if usable >= some * ROWS_OF_A_NUMBER), FOLDS[-1])
    metric_why = "the mean error, in the unit of the target itself"
    held = max(1.0, target.rows * HOLDOUT)
    by_luck = target.usual_distance - SURE * target.distance_spread / math.sqrt(held)
    bound = _down(max(by_luck, target.usual_distance / 10))
    errs = f"always the median errs by {readable(target.usual_distance)}"
    why = f"{errs}, and by luck not less than this on {held:.0f} rows"
    return _plan(chosen, f"{target.rows:,} rows have a number", ("mae", metric_why), (bound, why), rows, rejected)


def plan_for_series(
    target: NumberTarget, rows: int, rejected: int, series: SeriesGuess, folds: int | None = None
) -> Plan:
    """Return the plan for a table of series of so many rows, of which so many are set aside."""
    lagged = max(1, series.complete)
    usable = lagged * (1 - HOLDOUT)
    chosen = folds or next((some for some in FOLDS if usable >= some * ROWS_OF_A_NUMBER), FOLDS[-1])
    metric_why = f"by which share it errs less than a forecast that repeats the number {series.lags[0]} rows earlier"
    bound_why = "0 is no better than that one"
    told = f"{lagged:,} rows have a number and lags"
    plan = _plan(chosen, told, ("skill", metric_why), (0.0, bound_why), rows, rejected)
    return replace(plan, minimum_rows=max(10, lagged // 2))


def _plan(
    folds: int,
    folds_why: str,
    metric: tuple[Literal["roc_auc", "accuracy", "f1", "mae", "skill"], str],
    bound: tuple[float, str],
    rows: int,
    rejected: int,
) -> Plan:
    share = rejected / max(1, rows)
    allowed = DEFAULT_REJECTED if 2 * share <= DEFAULT_REJECTED else math.ceil(200 * share) / 100
    return Plan(
        folds=folds,
        folds_why=folds_why,
        metric=metric[0],
        metric_why=metric[1],
        bound=bound[0],
        bound_why=bound[1],
        minimum_rows=max(10, (rows - rejected) // 2),
        maximum_rejected_share=min(0.5, allowed),
        rejected_why=f"{rejected:,} of {rows:,} rows of this table are set aside",
    )


def _metric(target: Target) -> tuple[Literal["roc_auc", "accuracy", "f1"], str]:
    if len(target.classes) == 2:
        return "roc_auc", "two classes: how often a row of the one is put above a row of the other; 0.5 is guessing"
    if target.majority <= UNBALANCED:
        return "accuracy", "the share of right labels"
    return "f1", f"the mean over the classes; accuracy says little, as {target.majority:.0%} of the rows are of one"


def _minimum(metric: str, target: Target) -> tuple[float, str]:
    """Return the least value of a metric that is better than no model, on as many rows as are held out."""
    held = [max(1.0, count * HOLDOUT) for count in target.counts]
    share, total = target.majority, sum(held)
    if metric == "roc_auc":
        error = math.sqrt((total + 1) / (12 * held[0] * held[1]))
        return _up(min(0.9, 0.5 + SURE * error)), f"more than guessing, 0.5, reaches by luck on {total:.0f} rows"
    if metric == "accuracy":
        error = math.sqrt(share * (1 - share) / total)
        why = f"more than always the most frequent class, {share:.2f}, reaches by luck on {total:.0f} rows"
        return _up(min((1 + share) / 2, share + SURE * error)), why
    constant = 2 * share / (1 + share) / len(target.classes)
    return _up(constant + 0.05), f"more than always the most frequent class, {constant:.2f}"


def _down(value: float) -> float:
    """Return a number with three digits that is not above `value`."""
    unit = 10.0 ** (math.floor(math.log10(value)) - 2)
    return float(f"{math.floor(value / unit) * unit:.3g}")


def _up(value: float) -> float:
    return math.ceil(round(value * 100, 6)) / 100
