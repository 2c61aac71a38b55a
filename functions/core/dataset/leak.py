"""Which columns to be suspicious of: those that alone tell the target, or that tell nothing.

A column that tells the target was likely written down after the fact.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from models.feature import COMPOUND, any_compound
from models.terms import spans_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from models.contract import Contract

FEWEST_ROWS = 40
MOST_ROWS = 20_000
"""So many rows suffice."""
MOST_VALUES = 10_000_000
"""Rows times columns that are looked at: of a table of 2,000 columns 5,000 rows."""
MOST_SUSPECTS = 100
MOST_GROUPS = 50
"""Different values up to which rows are compared with those of the same value, and beyond with those nearest."""
NEIGHBOURS = 5
"""Rows on each side that a row is compared with."""
NEARLY_ALL = 0.97
"""The share of the mistakes of the most frequent class that a column must mend to look like a leak."""


def told_alone(values: np.ndarray, truth: np.ndarray) -> float:
    """Return how well one column alone tells the target, 0 to 1: `classes_told` or, of numbers, `numbers_told`.

    Numbers are told where they are, or where their order is: that of numbers that double now and then, say.
    """
    if truth.dtype.kind == "i":
        return classes_told(values, truth)
    ranks = np.unique(truth[:MOST_ROWS], return_inverse=True)[1].astype(np.float64)
    return max(numbers_told(values, truth), numbers_told(values, ranks))


def said_of(share: float, *, numbers: bool) -> str:
    """Return what is said of a column that alone tells so much of the target."""
    told = f"but for {1 - share:.1%} of how it varies" if numbers else f"for {share:.0%} of the rows"
    return f"alone it tells the target {told}: is it known when a prediction is asked for?"


def suspects(x: np.ndarray, y: np.ndarray, profile: Mapping[str, Any], contract: Contract) -> list[dict[str, Any]]:
    """Return the features to be suspicious of, those that tell the target first: name, kind, and what is said of it.

    `x` is float32 [rows, terms], in the order of the data `profile`; `y` are classes or numbers, [rows]. Constant
    and empty columns are known of every row, the others by a draw of rows with the seed of the split.
    """
    names, target = list(profile["features"]), contract.target.name
    earlier = {lag.name for lag in contract.lags}  # known when a forecast is made, however much they tell
    spans = spans_of(contract.features) if any_compound(contract.features) else {}
    declared = {feature.name for feature in contract.features if feature.kind not in COMPOUND}
    most = min(MOST_ROWS, max(FEWEST_ROWS, MOST_VALUES // max(1, len(names))))
    rows = np.arange(len(y))
    if len(y) > most:
        rows = np.sort(np.random.default_rng(contract.search.seed).choice(len(y), most, replace=False))
    truth, telling, empty = y[rows], list[dict[str, Any]](), list[dict[str, Any]]()
    for at, name in enumerate(names):
        if nothing := _nothing(profile["features"][name]):
            kind, said = nothing
            if name not in declared:
                continue  # one of the terms of a date or a text, which is told where all of them do
            empty.append({"feature": name, "kind": kind, "said": f"{name} is {said}, and tells nothing"})
            continue
        share = 0.0 if name in earlier else told_alone(x[rows, at], truth)
        if share >= NEARLY_ALL:
            copied = _is_copy(x[:, at], y)
            told = (
                f"is a copy of {target}" if copied else f"may be a leak: {said_of(share, numbers=y.dtype.kind == 'f')}"
            )
            found = {"feature": name, "kind": "copy" if copied else "leak", "share": round(share, 4)}
            telling.append({**found, "said": f"{name} {told}"})
    described = list(profile["features"].values())
    for feature in contract.features:
        if feature.kind in COMPOUND and (nothing := _all_nothing(described[spans[feature.name]])):
            kind, said = nothing
            empty.append({"feature": feature.name, "kind": kind, "said": f"{feature.name} {said}, and tells nothing"})
    return [*telling, *empty][:MOST_SUSPECTS]


def _all_nothing(terms: Sequence[Mapping[str, Any]]) -> tuple[str, str] | None:
    """Return in which way a date or a text holds nothing, by the descriptions of its terms; None where it does."""
    kinds = {nothing[0] if (nothing := _nothing(term)) else "" for term in terms}
    if not kinds or "" in kinds:
        return None
    return (
        ("missing", "is missing in every row")
        if kinds == {"missing"}
        else ("constant", "becomes the same numbers in every row")
    )


def _nothing(described: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return in which way a column of this description holds nothing; None where it holds something."""
    if not described["count"]:
        return "missing", "missing in every row"
    if described["missing"]:
        return None
    if "categories" in described:
        there = [name for name, count in zip(described["categories"], described["counts"], strict=True) if count]
        return ("constant", f"{there[0]} in every row") if len(there) == 1 else None
    least, most = (described["quantiles"][share] for share in ("0", "1"))
    return ("constant", f"{least:.7g} in every row") if least == most else None


def _is_copy(values: np.ndarray, truth: np.ndarray) -> bool:
    """Return whether a column holds the target itself, of classes also under other names."""
    if truth.dtype.kind == "f":
        return bool((values == truth.astype(values.dtype)).all())
    different, groups = np.unique(values, return_inverse=True)
    return len(different) == len(np.unique(truth)) == len(np.unique(groups * (int(truth.max()) + 1) + truth))


def numbers_told(values: np.ndarray, numbers: np.ndarray) -> float:
    """Return which share of the variance of numbers one column explains, 0 to 1.

    A row is told by the mean of its neighbours, in the order of the column's values. `values` is float [rows], NaN
    where one is missing; `numbers` is float [rows].
    """
    values, numbers = values[:MOST_ROWS], numbers[:MOST_ROWS]
    there = ~np.isnan(values)
    rows, variance = int(there.sum()), float(numbers.var())
    if rows < FEWEST_ROWS or not variance:
        return 0.0
    ordered = numbers[there][np.argsort(values[there], kind="stable")]
    before = np.concatenate([[0.0], ordered.cumsum()])
    at = np.arange(rows)
    first, last = np.maximum(at - NEIGHBOURS, 0), np.minimum(at + NEIGHBOURS + 1, rows)
    told = (before[last] - before[first] - ordered) / (last - first - 1)
    lost = ((ordered - told) ** 2).sum() + ((numbers[~there] - numbers.mean()) ** 2).sum()
    return max(0.0, 1 - float(lost) / (variance * len(numbers)))


def classes_told(values: np.ndarray, classes: np.ndarray) -> float:
    """Return which share of the rows that the most frequent class gets wrong one column gets right, 0 to 1.

    A row is told by the class that most rows of its value have, or its neighbours. `values` is float [rows],
    NaN where one is missing; `classes` is int64 [rows].
    """
    values, classes = values[:MOST_ROWS], classes[:MOST_ROWS]
    rows = len(values)
    if rows < FEWEST_ROWS:
        return 0.0
    missing = np.isnan(values)
    right = _right_by_group(np.zeros(int(missing.sum()), dtype=np.int64), classes[missing])
    there, classes_there = values[~missing], classes[~missing]
    different, groups = np.unique(there, return_inverse=True)
    if len(different) <= min(MOST_GROUPS, rows // 10):
        right += _right_by_group(groups, classes_there)
    else:
        right += _right_by_neighbours(classes_there[np.argsort(there, kind="stable")])
    most = int(np.bincount(classes).max())
    return max(0.0, (right - most) / (rows - most)) if rows > most else 0.0


def _right_by_group(groups: np.ndarray, classes: np.ndarray) -> int:
    """Return how many rows have the most frequent class of their group."""
    if not len(groups):
        return 0
    width = int(classes.max()) + 1
    table = np.bincount(groups * width + classes, minlength=(int(groups.max()) + 1) * width)
    return int(table.reshape(-1, width).max(axis=1).sum())


def _right_by_neighbours(classes: np.ndarray) -> int:
    """Return how many rows, in the order of their values, have the class that most rows beside them have."""
    rows, width = len(classes), int(classes.max()) + 1
    each = np.zeros((rows + 1, width), dtype=np.int32)
    each[np.arange(1, rows + 1), classes] = 1
    before = each.cumsum(axis=0)
    first, last = np.arange(rows) - NEIGHBOURS, np.arange(rows) + NEIGHBOURS + 1
    beside = before[np.minimum(last, rows)] - before[np.maximum(first, 0)] - each[1:]
    return int((beside.argmax(axis=1) == classes).sum())
