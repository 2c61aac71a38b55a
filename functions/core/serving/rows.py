"""Rows of a request, as the numbers that a model takes, or refused fault by fault."""

from __future__ import annotations

import math
from itertools import chain, takewhile
from typing import TYPE_CHECKING, Any, cast

from functions.core.http.problem import MOST_FAULTS, Fault, Problem, shown
from models.feature import COMPOUND, WRITTEN, Feature, UnacceptableValue, any_compound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from models.terms import Read

MOST_ROWS = 10_000
"""Rows of one request that is answered at once."""
PIECES_ROWS = (1000, 50)
"""Rows that are looked at together where one of them may be at fault: first many, then few, then one by one."""


def encode_instances(
    instances: Any, features: Sequence[Feature], quick: Callable[[list[Any]], list[float] | None]
) -> list[float]:
    """Return the numbers of instances - objects by feature name, or lists in the model's order - row by row.

    `quick` returns the numbers of some instances where none of them needs a look, else None. So one fault
    among thousands of rows costs no more than the rows around it.
    Raise `Problem` 400 that names every fault by row and feature, 413 beyond `MOST_ROWS`.
    """
    check_count(instances)
    faults: list[Fault] = []
    values: list[float] = []
    for start in range(0, len(instances), PIECES_ROWS[0]):
        values += _piece(instances, start, PIECES_ROWS, features, quick, faults)
        if len(faults) > MOST_FAULTS:
            break
    _refuse(faults)
    return values


def _piece(
    instances: list[Any],
    start: int,
    sizes: Sequence[int],
    features: Sequence[Feature],
    quick: Callable[[list[Any]], list[float] | None],
    faults: list[Fault],
) -> Iterable[float]:
    """Yield the numbers of a piece of instances: at once, or else piece by smaller piece, in the end row by row."""
    size, *smaller = sizes
    stop = min(start + size, len(instances))
    known = quick(instances[start:stop])
    if known is not None:
        return known
    if smaller:
        pieces = (_piece(instances, at, smaller, features, quick, faults) for at in range(start, stop, smaller[0]))
    else:
        pieces = (_row(instances[at], features, f"instances[{at}]", faults) for at in range(start, stop))
    return chain.from_iterable(takewhile(lambda _: len(faults) <= MOST_FAULTS, pieces))


def check_values(rows: Iterable[tuple[int, Sequence[Any]]], terms: Sequence[Feature]) -> None:
    """Check numbers that a caller encoded, as pairs of position and row. Raise `Problem` 400 by row and term."""
    faults: list[Fault] = []
    for row, values in rows:
        for term, value in zip(terms, values, strict=True):
            message = _complaint(term, value)
            if message:
                faults.append(Fault(field=f"inputs[0].data row {row}, {term.name}", message=message))
        if len(faults) > MOST_FAULTS:
            break
    _refuse(faults)


def refuse_many(rows: int, at_most: int) -> None:
    """Raise `Problem` 413 for more rows than `at_most`."""
    if rows > at_most:
        raise Problem(413, f"there are more than {at_most} rows; send fewer, or a file of them as a job")


def check_count(instances: Any, at_most: int = MOST_ROWS) -> None:
    """Raise `Problem` 400 for instances that are no rows, 413 for more than `at_most`."""
    if not isinstance(instances, list) or not instances:
        accepted = "accepted: [{feature: value}, ...] or [[value, ...], ...], one row or more"
        raise Problem(400, "there are no rows", faults=[Fault(field="instances", message=accepted)])
    refuse_many(len(instances), at_most)


def _refuse(faults: list[Fault]) -> None:
    if faults:
        more = " (the first are told)" if len(faults) > MOST_FAULTS else ""
        raise Problem(400, f"the rows do not fit the model{more}", faults=faults)


def _row(instance: Any, features: Sequence[Feature], where: str, faults: list[Fault]) -> list[float]:
    match instance:
        case dict():
            faults.extend(_strangers(instance, features, where))
            values = [instance.get(feature.name) for feature in features]
        case list() if len(instance) == len(features):
            values = instance
        case list():
            faults.append(Fault(field=where, message=f"has {len(instance)} values; accepted: {len(features)}"))
            return []
        case _:
            faults.append(Fault(field=where, message="is not a row; accepted: {feature: value} or [value, ...]"))
            return []
    row: list[Read] = []
    known = len(faults)
    for feature, value in zip(features, values, strict=True):
        try:
            row.append(_read(feature, value))
        except UnacceptableValue as problem:
            faults.append(Fault(field=f"{where}.{feature.name}", message=str(problem)))
    return [] if len(faults) > known else _numbers(features, row)


def _read(feature: Feature, value: Any) -> Read:
    # A dataset's cells are text; JSON has types, and a client that mixes them up is told so.
    if value is not None and isinstance(value, str) != (feature.kind in WRITTEN):
        raise UnacceptableValue(f"is not {feature.accepts}")
    if feature.kind not in COMPOUND:
        return feature.encode(value)
    from models.terms import read  # noqa: PLC0415 - most models have no such feature

    return read(feature, value)


def _numbers(features: Sequence[Feature], row: Sequence[Read]) -> list[float]:
    """Return the terms of a row that its features have read."""
    if not any_compound(features):
        return cast("list[float]", row)
    from models.terms import numbers_of  # noqa: PLC0415 - most models have no such feature

    read = dict(zip([feature.name for feature in features], row, strict=True))
    return [number for feature in features for number in numbers_of(feature, read)]


def _strangers(instance: dict[str, Any], features: Sequence[Feature], where: str) -> list[Fault]:
    names = [feature.name for feature in features]
    known = set(names)
    faults = []
    for name in instance:
        if name not in known:
            faults.append(Fault(field=f"{where}.{shown(name)}", message=f"is not a feature{_suggestion(name, names)}"))
            if len(faults) > MOST_FAULTS:
                break
    return faults


def _suggestion(name: str, names: list[str]) -> str:
    import difflib  # noqa: PLC0415 - only a mistake pays for it

    near = difflib.get_close_matches(name[:64], names, n=1)
    if near:
        return f"; did you mean {near[0]}?"
    return f"; accepted: {', '.join(names[:40])}{', ...' if len(names) > 40 else ''}"


def _complaint(feature: Feature, value: float) -> str | None:
    if math.isnan(value) and feature.missing == "keep":
        return None
    if not math.isfinite(value):
        return f"is not {feature.accepts}"
    if feature.kind == "category":
        last = len(feature.names) - 1
        known = float(value).is_integer() and 0 <= value <= last
        return None if known else f"is not a position in its categories, 0 to {last}"
    try:
        feature.known(value)
    except UnacceptableValue as problem:
        return str(problem)
    return None
