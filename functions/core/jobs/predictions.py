"""A batch of a job's rows, answered by a version: all of them or none, or each for itself."""

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
_PLACE = re.compile(r"^instances\[(\d+)\]\.?")


def answer_all(by: Servable, rows: Sequence[Row], first: int) -> Predictions:
    """The answers to rows of which `first` stand before these in their request.

    Raises `Problem` when a row is refused, its place told as in the request, and
    `ModelFailure` when the model fails.
    """
    try:
        return _ask(by, [row.value for row in rows])
    except Problem as problem:
        raise _told(problem, lambda place: f"instances[{first + place}]") from None


def answer_each(by: Servable, rows: Sequence[Row]) -> Predictions:
    """For each row its answer, or `{"error": ...}`: why it is refused, or that the model fails on it."""
    refused = {place: row.problem for place, row in enumerate(rows) if row.problem is not None}
    left = {place: row.value for place, row in enumerate(rows) if row.problem is None}
    try:
        found = _ask(by, list(left.values())) if left else []
    except Problem:
        refused |= {place: problem for place, value in left.items() if (problem := _refusal(by, value)) is not None}
        left = {place: value for place, value in left.items() if place not in refused}
        found = _each_alone(by, list(left.values()))
    except ModelFailure:
        found = [answer for value in left.values() for answer in _each_alone(by, [value])]
    answers = dict(zip(left, found, strict=True)) | {place: _error(problem) for place, problem in refused.items()}
    return [answers[place] for place in range(len(rows))]


def _ask(by: Servable, instances: list[Any]) -> Predictions:
    return by.predictions(by.answer(by.encode(instances)), len(instances))


def _refusal(by: Servable, instance: Any) -> Problem | None:
    try:
        by.encode([instance])
    except Problem as problem:
        return _told(problem, lambda _: "")
    return None


def _each_alone(by: Servable, instances: list[Any]) -> Predictions:
    """All at once if the model can; where it cannot, one after another."""
    if not instances:
        return []
    try:
        return _ask(by, instances)
    except (ModelFailure, Problem) as problem:
        if len(instances) == 1:
            told = problem if isinstance(problem, Problem) else Problem(500, "the model fails on this row")
            return [_error(told)]
    return [answer for instance in instances for answer in _each_alone(by, [instance])]


def _error(problem: Problem) -> dict[str, Any]:
    found = problem.document()
    return {"error": {name: found[name] for name in ("status", "detail", "errors")}}


def _told(problem: Problem, row: Callable[[int], str]) -> Problem:
    """The same, with the place of a row among those that were asked about told otherwise."""

    def renamed(fault: Fault) -> Fault:
        found = _PLACE.match(fault.field)
        if found is None:
            return fault
        parts = [row(int(found[1])), fault.field[found.end() :]]
        return replace(fault, field=".".join(part for part in parts if part))

    return Problem(problem.status, problem.detail, faults=[renamed(fault) for fault in problem.faults])
