"""The gaps of the gate: how far a metric is apart between the groups that a category makes of the holdout."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from functions.core.selection.check import Check
from functions.core.training.choice import task_of
from functions.core.training.metrics import UndefinedMetric
from models.readable import readable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from functions.core.training.answers import Answers
    from models.contract import Contract
    from models.feature import Feature
    from models.gate import Gap

_NAMED = 10
"""Groups of too few rows that a check names."""


def check_gap(
    contract: Contract, gap: Gap, x: np.ndarray, y: np.ndarray, answers: Answers, weight: np.ndarray | None = None
) -> Check:
    """Check the greatest difference of a metric between two groups of the rows `x` [rows, features], weighing `weight`.

    A gap between fewer than two groups of enough rows, or of a group that cannot be measured, fails.
    """
    measure, task = contract.gate.measure_of(gap), task_of(contract)
    name = f"gap of {measure} by {gap.feature}"
    measured: dict[str, float] = {}
    small: list[str] = []
    counts = True if weight is None else weight > 0
    for group, rows in _groups(gap.feature, contract, x):
        if (count := int((rows & counts).sum())) < gap.minimum_rows:
            small.append(f"{group} with {count}")
            continue
        try:
            weighs = None if weight is None else weight[rows]
            measured[group] = task.score(measure, y[rows], answers.of(rows), weighs)
        except UndefinedMetric as problem:
            detail = f"{group}, {count} rows: {problem}"
            return Check(name=name, passed=False, value=None, bound=gap.at_most, detail=detail)
    more = f" and {len(small) - _NAMED} more" if len(small) > _NAMED else ""
    left_out = f"; of fewer than {gap.minimum_rows} rows: {', '.join(small[:_NAMED])}{more}" if small else ""
    if len(measured) < 2:
        detail = f"fewer than two groups have {gap.minimum_rows} rows, and a gap is between two{left_out}"
        return Check(name=name, passed=False, value=None, bound=gap.at_most, detail=detail)
    least, most = min(measured, key=lambda group: measured[group]), max(measured, key=lambda group: measured[group])
    apart = measured[most] - measured[least]
    detail = f"{least} {readable(measured[least])}, {most} {readable(measured[most])}{left_out}"
    return Check(name=name, passed=apart <= gap.at_most, value=apart, bound=gap.at_most, detail=detail)


def _groups(name: str, contract: Contract, x: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Yield each group that rows of `x` are in, by its name, and which rows these are, bool [rows]."""
    position = [feature.name for feature in contract.terms].index(name)
    values, feature = x[:, position], contract.terms[position]
    for value in np.unique(values[~np.isnan(values)]).tolist():
        yield _said(feature, value), values == value
    if np.isnan(values).any():
        yield "no value", np.isnan(values)


def _said(feature: Feature, value: float) -> str:
    return feature.names[int(value)] if feature.categories else str(bool(value)).lower()
