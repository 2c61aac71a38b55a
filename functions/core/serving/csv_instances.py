"""Lines of a table whose columns are named: what a file of CSV has in place of instances."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from functions.core.http.problem import Fault, Problem
from models.feature import BLANK, UnacceptableValue

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from models.feature import Feature


def check_columns(columns: Sequence[str], features: Sequence[Feature]) -> None:
    """Raises `Problem` 400 for a header under which no row could fit the features."""
    names = {feature.name for feature in features}
    unknown = [Fault(field=column, message="is not a feature") for column in columns if column not in names]
    missing = [
        Fault(field=feature.name, message="is missing")
        for feature in features
        if feature.missing == "reject" and feature.name not in columns
    ]
    if unknown or missing:
        raise Problem(400, "the header does not fit the model", faults=[*unknown, *missing])


def instance_of(cells: Mapping[str, str], features: Sequence[Feature]) -> dict[str, Any]:
    """The cells of a line as an instance: text becomes what JSON would have said, where it can."""
    known = {feature.name: feature for feature in features}
    return {name: _value(known.get(name), text) for name, text in cells.items()}


def _value(feature: Feature | None, text: str) -> Any:
    if feature is None or feature.kind == "category":
        return text
    if text.strip().lower() in BLANK:
        return None
    try:
        found = feature.known(text)
    except UnacceptableValue:
        return text  # refused with the reason by whoever encodes it
    return bool(found) if feature.kind == "boolean" else found
