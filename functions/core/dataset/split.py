"""The split of a dataset's rows: at random, or by the column that its contract names."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from functions.core.dataset.dataset import BEFORE, HOLDOUT, Dataset, assign_folds, strata_of, too_few
from functions.core.dataset.group_split import assign_groups, tied
from functions.core.dataset.steps import span
from functions.core.dataset.time_split import assign_times
from functions.core.dataset.times import shown
from models.feature import exactly

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from functions.core.dataset.row_keys import CollectedKeys
    from models.contract import Contract
    from models.split import Split

Document = dict[str, Any]


class Unsplittable(ValueError):
    """Rows that are acceptable each by itself cannot be split so that something can be learnt of them."""


def split(
    x: np.ndarray, y: np.ndarray, equal: np.ndarray, keys: CollectedKeys | None, contract: Contract, gap: float = 0.0
) -> tuple[Dataset, Document]:
    """Return rows as a dataset, and how they are split, as JSON values. Raise `Unsplittable`.

    `equal` has a number for each row, the same for equal rows; `keys` hold what the contract splits them by, if it
    names a column. What rows weigh changes nothing. A split by time has a `gap` of at least so much.
    """
    if not contract.target.classes and y.min() == y.max():
        told = f"{contract.target.name} is {exactly(float(y[0]))} in every row"
        raise Unsplittable(f"{told}, so there is nothing to predict")
    if keys is not None and keys.times is not None:
        dataset, told = _by_time(x, y, equal, keys.times, dated=keys.dated, contract=contract, least=gap)
        return replace(dataset, series=_series_of(keys, contract)), told
    if keys is not None and keys.groups is not None:
        return _by_group(x, y, equal, keys.groups, contract)
    return _at_random(x, y, equal, contract)


def _series_of(keys: CollectedKeys, contract: Contract) -> np.ndarray | None:
    """Return the series of each row, int64 [rows]; None where rows are of none."""
    if contract.series is None or keys.times is None:
        return None
    return np.zeros(len(keys.times), dtype=np.int64) if keys.groups is None else keys.groups


def _at_random(x: np.ndarray, y: np.ndarray, equal: np.ndarray, contract: Contract) -> tuple[Dataset, Document]:
    """Split at random. Equal rows stay together."""
    search = contract.search
    strata = strata_of(y, search.folds)
    fold = assign_folds(strata, equal, holdout=search.holdout, folds=search.folds, seed=search.seed)
    if lacking := _lacking_in(y, fold, contract):
        raise Unsplittable(f"too few different rows{lacking}")
    dataset = Dataset(x=x, y=y, fold=fold)
    return dataset, _described(dataset, equal, by="random")


def _by_group(
    x: np.ndarray, y: np.ndarray, equal: np.ndarray, groups: np.ndarray, contract: Contract
) -> tuple[Dataset, Document]:
    """Split by group. Equal rows of several groups stay together, too, unless that leaves too few parts."""
    search, name = contract.search, contract.search.group
    count, lacking = int(groups.max()) + 1, ""
    if count <= search.folds:
        told = f"{count} different value{'s' if count > 1 else ''}"
        raise Unsplittable(f"{name} has {told}: {search.folds} folds and the holdout need {search.folds + 1} or more")
    strata = strata_of(y, search.folds)
    for some in (tied(groups, equal), groups):
        fold = assign_groups(strata, some, holdout=search.holdout, folds=search.folds, seed=search.seed)
        lacking = _lacking_in(y, fold, contract)
        if not lacking:
            break
    if lacking:
        raise Unsplittable(f"too few groups of {name}{lacking}")
    held = len(np.unique(groups[fold == HOLDOUT]))
    largest = int(np.bincount(groups).max())
    dataset = Dataset(x=x, y=y, fold=fold)
    facts = {"groups": count, "holdout_groups": held, "largest_group": largest}
    kept = f"{held:,} of {count:,} groups, the largest of {largest:,} rows"
    return dataset, _described(dataset, equal, by="group", column=name, kept=kept, facts=facts)


def _by_time(
    x: np.ndarray,
    y: np.ndarray,
    equal: np.ndarray,
    times: np.ndarray,
    *,
    dated: bool,
    contract: Contract,
    least: float,
) -> tuple[Dataset, Document]:
    search, name = contract.search, contract.search.time
    parts = f"{search.folds} folds, the rows before them and the holdout"
    gap = search.gap_between(dated=dated)
    if gap is None:
        held, accepted = ("dates", "7d, say") if dated else ("numbers", "a number")
        raise Unsplittable(f"search.gap is {search.gap}, and {name} holds {held}; accepted: {accepted}")
    fold = assign_times(times, holdout=search.holdout, folds=search.folds)
    if set(fold.tolist()) < {BEFORE, HOLDOUT, *range(search.folds)}:
        raise Unsplittable(f"{name} has too few different times, or too many rows of one: {parts} each need some")
    asked = "" if search.gap is None else str(search.gap)
    if least > gap or (least and not asked):
        gap, asked = least, f"{span(least, dated=dated)}, as far as a forecast is ahead"
    dataset = Dataset(x=x, y=y, fold=fold, time=times, gap=gap)
    first = dataset.trained(0)
    if not first.any():
        begin = shown(float(times[fold == 0].min()), dated=dated)
        named, smaller = ("search.gap", "a smaller gap") if not least else ("a gap", "more rows, smaller lags")
        raise Unsplittable(
            f"{named} of {asked} leaves no row to train on before the first fold, which begins {begin}; "
            f"accepted: {smaller}, or fewer folds"
        )
    lacking = _lacking_in(y, fold, contract)
    for at, label in enumerate(contract.target.classes):
        if not lacking and not (y[first] == at).any():
            lacking = f" of {label}"
    if lacking:
        raise Unsplittable(
            f"too few rows{lacking.partition(':')[0]} in the order of {name}: {parts} each need one of every class"
        )
    return dataset, _described_by_time(dataset, equal, dated, search, asked)


def _described_by_time(dataset: Dataset, equal: np.ndarray, dated: bool, search: Split, gap: str) -> Document:
    assert dataset.time is not None  # noqa: S101 - it is what they were split by
    held = dataset.time[dataset.holdout]
    begin, start, end = (shown(float(time), dated=dated) for time in (dataset.time.min(), held.min(), held.max()))
    before, left_out = int((dataset.fold == BEFORE).sum()), int((~dataset.holdout & ~dataset.fitted).sum())
    after = [f"each fold after the rows that it trains on, the first {before:,} from {begin} on"]
    if gap:
        after.append(f"gap of {gap}, for which {left_out:,} rows before those kept out are left out")
    facts = {
        "holdout": {"from": start, "to": end},
        "first": {"rows": before, "from": begin},
        "gap": gap or None,
        "left_out": left_out,
    }
    kept = f"from {start} to {end}"
    return _described(dataset, equal, by="time", column=search.time, kept=kept, after=after, facts=facts)


def _lacking_in(y: np.ndarray, fold: np.ndarray, contract: Contract) -> str:
    """Return what some fold or the holdout has no row of, as the end of a sentence; nothing where all have."""
    folds, classes = contract.search.folds, contract.target.classes
    if not classes:
        empty = too_few(np.zeros(len(y)), fold, classes=(contract.target.name,), folds=folds)
        return f": {folds} folds and the holdout each need some" if empty else ""
    lacking = too_few(y, fold, classes=classes, folds=folds)
    counts = ", ".join(f"{name} ({np.count_nonzero(y == classes.index(name))})" for name in lacking)
    return f" of {counts}: {folds} folds and the holdout each need one of every class" if lacking else ""


def _described(
    dataset: Dataset,
    equal: np.ndarray,
    *,
    by: str,
    column: str | None = None,
    kept: str = "",
    after: Sequence[str] = (),
    facts: Mapping[str, Any] | None = None,
) -> Document:
    """Return how rows are split, as JSON values, and in a sentence, `said`.

    `by` and `column` say what decided. `kept` is said of the rows kept out, `after` of the folds; `facts` are added.
    """
    held, rows = dataset.holdout, len(dataset.y)
    tests = [int(dataset.tested(fold).sum()) for fold in range(dataset.folds)]
    copies, apart = rows - len(np.unique(equal)), int(np.isin(equal[held], equal[dataset.fitted]).sum())
    sizes = " to ".join(f"{size:,}" for size in sorted({min(tests), max(tests)}))
    how = "at random" if column is None else f"by {column}"
    said = [", ".join(filter(None, [f"{how}: {held.sum():,} of {rows:,} rows kept out", kept]))]
    said += [f"{len(tests)} folds of {sizes} rows", *after]
    if apart:
        said.append(f"{apart:,} of the rows kept out equal rows that are trained on")
    elif copies:
        said.append(f"copies of other rows are on the side of these: {copies:,}")
    return {
        "by": by,
        **({} if column is None else {"column": column}),
        **(facts or {}),
        "rows": {"holdout": int(held.sum()), "folds": tests},
        "equal_rows": copies,
        "equal_rows_apart": apart,
        "said": "; ".join(said),
    }
