"""Rows of a CSV file, as the instances that they stand for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from functions.core.http.problem import Fault, Problem, shown
from models.feature import BLANK, UnacceptableValue

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from models.feature import Feature


def check_columns(columns: Sequence[str], features: Sequence[Feature]) -> None:
    """Raise `Problem` 400 for a header under which no row could fit the features."""
    names = {feature.name for feature in features}
    unknown = [Fault(field=shown(column), message="is not a feature") for column in columns if column not in names]
    missing = [
        Fault(field=feature.name, message="is missing")
        for feature in features
        if feature.missing == "reject" and feature.name not in columns
    ]
    if unknown or missing:
        raise Problem(400, "the header does not fit the model", faults=[*unknown, *missing])


def instance_of(cells: Mapping[str, str], features: Sequence[Feature]) -> dict[str, Any]:
    """Return the cells of a row as an instance: text becomes a number or a boolean where its feature is one."""
    known = {feature.name: feature for feature in features}
    return {name: _value(known.get(name), text) for name, text in cells.items()}


def _value(feature: Feature | None, text: str) -> Any:
    if feature is None or feature.kind == "category":
        return text
    if text.strip().lower() in BLANK:
        return None
    try:
        number = feature.known(text)
    except UnacceptableValue:
        return text  # refused with the reason by whoever encodes it
    return bool(number) if feature.kind == "boolean" else number
