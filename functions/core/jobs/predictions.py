"""Predict a batch of a job's rows with one version: all rows or none, or each by itself."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from functions.core.http.problem import Problem
from functions.core.onnx.session import ModelFailure

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from functions.core.http.problem import Fault
    from functions.core.jobs.row_reader import Row
    from functions.core.serving.servable import Servable

Predictions = list[dict[str, Any]]
_INSTANCE = re.compile(r"^instances\[(\d+)\]\.?")


def predict_all(servable: Servable, rows: Sequence[Row], first: int) -> Predictions:
    """Return the predictions for rows that begin at index `first` of their request.

    Raises `Problem` when a row is refused, named by its index in the request, and
    `ModelFailure` when the model fails.
    """
    try:
        return _predict(servable, [row.value for row in rows])
    except Problem as problem:
        raise _renamed(problem, lambda index: f"instances[{first + index}]") from None


def predict_each(servable: Servable, rows: Sequence[Row]) -> Predictions:
    """Return each row's prediction, or `{"error": ...}` when it is refused or the model fails on it."""
    refused = {index: row.problem for index, row in enumerate(rows) if row.problem is not None}
    accepted = {index: row.value for index, row in enumerate(rows) if row.problem is None}
    try:
        predictions = _predict(servable, list(accepted.values())) if accepted else []
    except Problem:
        refused |= {
            index: problem for index, value in accepted.items() if (problem := _refusal(servable, value)) is not None
        }
        accepted = {index: value for index, value in accepted.items() if index not in refused}
        predictions = _predict_one_by_one(servable, list(accepted.values()))
    except ModelFailure:
        predictions = [
            prediction for value in accepted.values() for prediction in _predict_one_by_one(servable, [value])
        ]
    results = dict(zip(accepted, predictions, strict=True)) | {
        index: _error(problem) for index, problem in refused.items()
    }
    return [results[index] for index in range(len(rows))]


def _predict(servable: Servable, instances: list[Any]) -> Predictions:
    return servable.predictions(servable.answer(servable.encode(instances)), len(instances))


def _refusal(servable: Servable, instance: Any) -> Problem | None:
    try:
        servable.encode([instance])
    except Problem as problem:
        return _renamed(problem, lambda _: "")
    return None


def _predict_one_by_one(servable: Servable, instances: list[Any]) -> Predictions:
    """Predict all at once, or one by one when that fails; a row that fails by itself gets an error."""
    if not instances:
        return []
    try:
        return _predict(servable, instances)
    except (ModelFailure, Problem) as problem:
        if len(instances) == 1:
            failure = problem if isinstance(problem, Problem) else Problem(500, "the model fails on this row")
            return [_error(failure)]
    return [prediction for instance in instances for prediction in _predict_one_by_one(servable, [instance])]


def _error(problem: Problem) -> dict[str, Any]:
    details = problem.document()
    return {"error": {name: details[name] for name in ("status", "detail", "errors")}}


def _renamed(problem: Problem, row: Callable[[int], str]) -> Problem:
    """Return the problem with each `instances[i]` in its fields replaced by `row(i)`."""

    def rename(fault: Fault) -> Fault:
        match = _INSTANCE.match(fault.field)
        if match is None:
            return fault
        path = [row(int(match[1])), fault.field[match.end() :]]
        return replace(fault, field=".".join(name for name in path if name))

    return Problem(problem.status, problem.detail, faults=[rename(fault) for fault in problem.faults])
