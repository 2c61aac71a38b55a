"""Validate a user's file: make a dataset of it, or reject it with a report that says why."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from functions.core.dataset import read_apart
from functions.core.dataset.dataset import group_equal
from functions.core.dataset.expected_columns import LISTED, check_columns, no_row
from functions.core.dataset.joined_tables import JoinedTables
from functions.core.dataset.leak import suspects
from functions.core.dataset.learnt import Learnt, Unlearnable
from functions.core.dataset.profile import profile_of
from functions.core.dataset.rejected_dataset import RejectedDataset
from functions.core.dataset.rejected_rows import KEPT, RejectedRows
from functions.core.dataset.rounded_numbers import RoundedNumbers
from functions.core.dataset.row_keys import CollectedKeys
from functions.core.dataset.split import Unsplittable, split
from functions.core.dataset.table import UnreadableTable
from functions.core.dataset.wanted import Wanted
from functions.core.storage.objects import canonical

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from functions.core.dataset.dataset import Dataset
    from functions.core.dataset.encoded_rows import EncodedRows, Refused
    from functions.core.dataset.series_rows import Lagged, SeriesRows
    from functions.core.dataset.wanted import Reader, Rows
    from models.contract import Contract
    from models.weights import Weights

MAXIMUM_VALUES = 50_000_000
"""Rows times columns: 200 MB as float32, and some of it twice while batches are joined, in a function of 2 GB."""
_TOTALS = frozenset({"total", "totals", "grand total", "subtotal", "sum", "average", "mean"})


@dataclass(frozen=True, kw_only=True)
class ValidatedDataset:
    """An accepted file: its dataset, digest, data profile, report and rejected rows."""

    dataset: Dataset
    digest: str
    """SHA-256 of the values and the contract, 64 hexadecimal digits: the same for the same rows as CSV or
    Parquet, with any line endings, in any order of columns."""
    profile: dict[str, Any]
    report: dict[str, Any]
    rejected: bytes
    """The rejected rows, as CSV."""


def validate_dataset(
    data: bytes | Iterable[bytes],
    contract: Contract,
    read: Reader = read_apart.open_rows,
    arrived: float | None = None,
    further: Mapping[str, Iterable[bytes]] | None = None,
) -> ValidatedDataset:
    """Read a file, check it against the contract, and split it into folds. Raises `RejectedDataset`.

    `data` is the file, whole or in blocks of which none is empty. `arrived` is when it did, in seconds since 1970:
    what rows of a series say of a later time cannot have been seen. The rows of `further` tables are added, by name.
    """
    blocks = iter([data] if data else []) if isinstance(data, bytes) else iter(data)
    wanted, series = _wanted(contract, arrived), _series_of(contract)
    learnt = Learnt(contract) if contract.learns else None
    try:
        with read(blocks, wanted) as rows:
            ignored = _checked_columns(rows, contract)
            rejected_rows = RejectedRows(rows.facts.unit, rows.facts.columns)
            rounded = RoundedNumbers(rows.facts.unit)
            joined = JoinedTables(rows, further, read, wanted, contract) if further else None
            x, y, keys = _collect(joined or rows, contract, rejected_rows, rounded, learnt, series)
    except UnreadableTable as problem:
        raise RejectedDataset(str(problem)) from problem
    seen: dict[str, Any] = {
        "format": rows.facts.format,
        "ignored_columns": ignored[:LISTED],
        "rounded": rounded.listed(),
        **({} if joined is None else {"further": joined.document()}),
    }
    lagged = None if series is None else _lagged(series, x, rejected_rows, seen)
    if lagged is not None:
        x, y, keys, seen["series"] = lagged.x, lagged.y, lagged.keys, lagged.facts
    gap = 0.0 if lagged is None else lagged.gap
    report = _check_rows(len(x), rejected_rows, contract, rows.facts.unit, seen, 0 if lagged is None else lagged.aside)
    if learnt is not None:
        try:
            report["learnt"] = learnt.settle(x)
        except Unlearnable as problem:
            raise RejectedDataset(str(problem), **report) from problem
        contract = contract.with_learnt(learnt.categories)
    groups = group_equal(x)
    try:
        dataset, report["split"] = split(x, y, groups, keys, contract, gap)
        if contract.weights is not None:
            dataset, report["weights"] = _weighed(dataset, keys, contract.weights, contract)
    except Unsplittable as problem:
        raise RejectedDataset(str(problem), **report) from None
    profile = profile_of(x, y, groups, contract.terms, contract.target)
    profile |= {name: report[name] for name in ("weights",) if name in report}
    report["suspects"] = suspects(x, y, profile, contract)
    _refuse_leaks(report, contract)
    return ValidatedDataset(
        dataset=dataset if learnt is None else replace(dataset, learnt=learnt.categories),
        digest=_digest(x, y, keys, contract),
        profile=profile,
        report={"accepted": True, "cause": None, **report},
        rejected=rejected_rows.to_csv(),
    )


def _checked_columns(rows: Rows, contract: Contract) -> list[str]:
    """Return the columns that nothing asks for. Raise `RejectedDataset` for a table without columns, or of others."""
    if not rows.facts.columns:
        raise no_row(rows)
    return check_columns(rows.facts, contract)


def _refuse_leaks(report: dict[str, Any], contract: Contract) -> None:
    """Raise `RejectedDataset` where a column tells the truth, and the contract rejects such a dataset."""
    leaks = [one["said"] for one in report["suspects"] if "share" in one]
    if leaks and contract.quality.leaks == "reject":
        told = "; ".join(leaks[:5]) + (f"; and {len(leaks) - 5} more" if len(leaks) > 5 else "")
        raise RejectedDataset(f"{told}. Take it out of features, or set quality.leaks: warn", **report)


def _wanted(contract: Contract, arrived: float | None) -> Wanted:
    """Return what is read of a file."""
    search, series = contract.search, contract.series
    return Wanted(
        features=(*contract.columns, contract.target.as_feature),
        most_cells=KEPT,
        group=search.group if series is None else series.group,
        time=search.time,
        weight=contract.weight_column,
        latest=None if series is None else arrived,
    )


def _series_of(contract: Contract) -> SeriesRows | None:
    """Return what collects the series of a file; None for a contract that has none."""
    if contract.series is None:
        return None
    from functions.core.dataset.series_rows import SeriesRows  # noqa: PLC0415 - most contracts have no series

    return SeriesRows(contract.target.as_feature, contract.series)


def _lagged(series: SeriesRows, x: np.ndarray, rejected_rows: RejectedRows, seen: dict[str, Any]) -> Lagged:
    from functions.core.dataset.series_rows import Unforecastable  # noqa: PLC0415 - as above

    try:
        return series.settle(x, rejected_rows)
    except Unforecastable as problem:
        raise RejectedDataset(str(problem), **seen, reasons=rejected_rows.reasons()) from problem


def _weighed(
    dataset: Dataset, keys: CollectedKeys | None, weights: Weights, contract: Contract
) -> tuple[Dataset, dict[str, Any]]:
    """Return a dataset with what its rows weigh, and what there is to say of it. Raise `Unsplittable`."""
    from functions.core.dataset.row_weights import weighed  # noqa: PLC0415 - most models have none

    dataset = replace(dataset, weight=None if keys is None else keys.weights)
    return dataset, weighed(dataset, weights, contract)


def _collect(
    rows: Iterable[EncodedRows],
    contract: Contract,
    rejected_rows: RejectedRows,
    rounded: RoundedNumbers,
    learnt: Learnt | None,
    series: SeriesRows | None,
) -> tuple[np.ndarray, np.ndarray, CollectedKeys | None]:
    """Return the accepted rows as X, float32 [rows, terms], y, classes or numbers, and keys; collect the others.

    Of a `series` the terms are those without its lags. Read no further where so many rows are set aside that the file
    is rejected whatever follows.
    """
    width, seen = len(contract.terms) - len(contract.lags), 0
    most_rows = MAXIMUM_VALUES // (len(contract.terms) + 1)
    parts: list[np.ndarray] = []
    keys = CollectedKeys() if contract.row_columns else None
    kind = np.float64 if not contract.target.classes else np.int64
    targets: list[np.ndarray] = [np.empty(0, dtype=kind)]
    for some in rows:
        seen += len(some.numbers)
        if seen > most_rows:
            raise RejectedDataset(f"the file has more than {most_rows} rows, which are the most")
        keep = np.ones(len(some.numbers), dtype=bool)
        keep[list(some.refused)] = False
        parts.append(some.numbers[keep, :width])
        targets.append(some.numbers[keep, width].astype(kind))
        if keys is not None and some.keys is not None:
            keys.add(some.keys, keep)
        rounded.add(some.rounded)
        if learnt is not None:
            learnt.add(some.learnt)
        waiting = series.add(some, some.keys, keep) if series is not None and some.keys is not None else ()
        _reject_rows(some, contract, rejected_rows, waiting)
        if rejected_rows.rows > contract.quality.maximum_rejected_share * most_rows:
            break
    y = np.concatenate(targets)
    x = np.empty((len(y), width), dtype=np.float32)
    filled = 0
    parts.reverse()
    while parts:  # each part is let go when it has been copied
        part = parts.pop()
        x[filled : filled + len(part)] = part
        filled += len(part)
    return x, y, keys


def _reject_rows(rows: EncodedRows, contract: Contract, rejected_rows: RejectedRows, waiting: Collection[int]) -> None:
    """Reject the rows that are refused, but for those at positions that are `waiting`."""
    for at, refused in rows.refused.items():
        if at in waiting:
            continue
        faults = list(refused.faults)
        if _is_total(refused, contract):
            faults = [("", "is a row of totals")]
        rejected_rows.add(refused.location, faults, tuple(refused.cells))


def _is_total(refused: Refused, contract: Contract) -> bool:
    """Return whether a row without a class says of itself that it sums up the others."""
    return any(column == contract.target.name for column, _ in refused.faults) and any(
        cell.strip().lower() in _TOTALS for cell in refused.cells
    )


def _check_rows(
    accepted: int, rejected_rows: RejectedRows, contract: Contract, unit: str, seen: dict[str, Any], aside: int
) -> dict[str, Any]:
    """Return the report; rows `aside` are neither. Raises `RejectedDataset` for too many rejected, or few accepted."""
    quality = contract.quality
    rows = accepted + rejected_rows.rows + aside
    report = {
        **seen,
        "rows": rows,
        "accepted_rows": accepted,
        "rejected_rows": rejected_rows.rows,
        "reasons": rejected_rows.reasons(),
    }
    if not rows:
        raise RejectedDataset("the file has a header and no rows", **report)
    share = rejected_rows.rows / rows
    if share > quality.maximum_rejected_share:
        worst = report["reasons"][0]
        where = worst["column"] or "the row"
        raise RejectedDataset(
            f"{rejected_rows.rows} of {rows} rows are not acceptable ({share:.1%}; at most"
            f" {quality.maximum_rejected_share:.1%} may be set aside); most often: {where} {worst['reason']}"
            f" ({worst['count']} rows, first at {unit} {worst[f'first_{unit}s'][0]})",
            **report,
        )
    if accepted < quality.minimum_rows:
        what = "acceptable rows" if contract.series is None else "acceptable rows that have all lags"
        raise RejectedDataset(f"{accepted} {what}; at least {quality.minimum_rows} are needed", **report)
    return report


def _digest(x: np.ndarray, y: np.ndarray, keys: CollectedKeys | None, contract: Contract) -> str:
    contract_values = {
        "features": [feature.document() for feature in contract.features],
        "target": contract.target.model_dump(),
        "shape": list(x.shape),
        "split": contract.search.deciding,
        **({} if contract.series is None else {"series": contract.series.model_dump(mode="json")}),
        **({} if contract.weight_column is None else {"weights": contract.weight_column}),
    }
    digest = hashlib.sha256(canonical(contract_values))
    digest.update(x.data)
    digest.update(y.data)
    for some in () if keys is None else (keys.groups, keys.times, keys.weights):
        if some is not None:
            digest.update(some.data)
    return digest.hexdigest()
