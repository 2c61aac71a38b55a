"""From a user's file to a dataset that a model may learn from, or to a report of why it may not."""

from __future__ import annotations

import difflib
import hashlib
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from functions.core.dataset.column import as_text, encode_column, rows_without
from functions.core.dataset.dataset import Dataset, assign_folds, group_equal, too_few
from functions.core.dataset.profile import profile_of
from functions.core.dataset.rejected_rows import RejectedRows
from functions.core.dataset.table import UnreadableTable, read_table
from functions.core.storage.objects import canonical

if TYPE_CHECKING:
    from functions.core.dataset.table import Batch, Table
    from models.contract import Contract

MAXIMUM_VALUES = 50_000_000
"""Rows times features: 200 MB as float32, twice that while it is put together, in a function of 2 GB."""


class RejectedDataset(ValueError):
    """Nothing may be learned from this file. `report` says why, naming columns and rows."""

    def __init__(self, cause: str, **details: Any) -> None:
        super().__init__(cause)
        self.report: dict[str, Any] = {"accepted": False, "cause": cause, **details}


@dataclass(frozen=True, kw_only=True)
class Reading:
    """An accepted file: the data, what it looks like, and what was set aside."""

    dataset: Dataset
    digest: str
    """SHA-256 of what was understood, 64 hexadecimal digits: the same for the same rows as CSV or
    as Parquet, with any line endings, in any order of columns."""
    profile: dict[str, Any]
    report: dict[str, Any]
    rejected: bytes
    """The rows set aside, as CSV."""


def read_dataset(data: bytes, contract: Contract) -> Reading:
    """Read, check and split. Raises `RejectedDataset`."""
    try:
        table = read_table(data, {feature.name for feature in contract.features} | {contract.target.name})
        _check_columns(table, contract)
        rejected_rows = RejectedRows(table.unit, table.columns)
        x, y = _collect(table, contract, rejected_rows)
    except UnreadableTable as problem:
        raise RejectedDataset(str(problem)) from None
    report = _check_rows(len(x), rejected_rows, contract, table)
    groups = group_equal(x)
    search = contract.search
    fold = assign_folds(y, groups, holdout=search.holdout, folds=search.folds, seed=search.seed)
    lacking = too_few(y, fold, classes=contract.target.classes, folds=search.folds)
    if lacking:
        counts = ", ".join(f"{name} ({np.count_nonzero(y == contract.target.classes.index(name))})" for name in lacking)
        cause = f"too few different rows of {counts}: {search.folds} folds and the holdout each need one of every class"
        raise RejectedDataset(cause, **report)
    return Reading(
        dataset=Dataset(x=x, y=y, fold=fold),
        digest=_digest(x, y, contract),
        profile=profile_of(x, y, groups, contract.features, contract.target.classes),
        report={"accepted": True, "cause": None, **report},
        rejected=rejected_rows.to_csv(),
    )


def _check_columns(table: Table, contract: Contract) -> None:
    expected = [*(feature.name for feature in contract.features), contract.target.name]
    missing = [name for name in expected if name not in table.columns]
    extra = [name for name in table.columns if name not in expected]
    if contract.quality.extra_columns == "ignore" and not missing:
        return
    if not missing and not extra:
        return
    if len(missing) == len(expected):
        named = ", ".join(expected[:10]) + (f", ... ({len(expected)} in all)" if len(expected) > 10 else "")
        raise RejectedDataset(
            f"the file names none of the expected columns, which are {named}", missing_columns=missing
        )
    problems = [_unexpected(name, missing or expected) for name in extra]
    problems += [f"{name} is missing" for name in missing]
    raise RejectedDataset(
        "; ".join(problems[:10]) + (f"; and {len(problems) - 10} more" if len(problems) > 10 else ""),
        missing_columns=missing,
        unexpected_columns=[name[:100] for name in extra[:100]],
    )


def _unexpected(name: str, candidates: list[str]) -> str:
    short = name[:100] or "(a column without a name)"
    near = sorted(candidates, key=lambda other: -_likeness(name, other))[:1]
    meant = f"; did you mean {near[0]}?" if near and _likeness(name, near[0]) > 0.6 else ""
    return f"{short} is not expected{meant}"


def _likeness(one: str, other: str) -> float:
    """Close when letters agree, or the same words stand in another order: radius_mean, mean_radius."""
    words = [" ".join(sorted(name.lower().replace("_", " ").replace("-", " ").split())) for name in (one, other)]
    return max(
        difflib.SequenceMatcher(None, one[:100].lower(), other.lower()).ratio(),
        difflib.SequenceMatcher(None, words[0][:100], words[1]).ratio(),
    )


def _collect(table: Table, contract: Contract, rejected_rows: RejectedRows) -> tuple[np.ndarray, np.ndarray]:
    """The good rows as X and y; the others are rejected."""
    columns = [*contract.features, contract.target.as_feature]
    good: list[np.ndarray] = [np.empty((0, len(columns)), dtype=np.float32)]
    rows = 0
    for batch in table.batches:
        rows += len(batch.places) + len(batch.malformed)
        if rows * len(columns) > MAXIMUM_VALUES:
            raise RejectedDataset(f"the file has more than {MAXIMUM_VALUES // len(columns)} rows, which are the most")
        encoded = [encode_column(column, batch.columns[column.name]) for column in columns]
        reasons = [refused for _, refused in encoded]
        keep = rows_without(reasons, len(batch.places))
        good.append(np.column_stack([numbers for numbers, _ in encoded])[keep])
        _set_aside(
            batch, keep, {column.name: refused for column, refused in zip(columns, reasons, strict=True)}, rejected_rows
        )
    whole = np.concatenate(good)
    return np.ascontiguousarray(whole[:, :-1]), whole[:, -1].astype(np.int64)


def _set_aside(batch: Batch, keep: np.ndarray, reasons: dict[str, dict[int, str]], rejected_rows: RejectedRows) -> None:
    for row in batch.malformed:
        rejected_rows.add(row.place, [("", row.reason)], row.cells)
    for position in np.flatnonzero(~keep).tolist():
        problems = [(name, refused[position]) for name, refused in reasons.items() if position in refused]
        cells = () if rejected_rows.full else tuple(as_text(values, position) for values in batch.columns.values())
        rejected_rows.add(batch.places[position], problems, cells)


def _check_rows(accepted: int, rejected_rows: RejectedRows, contract: Contract, table: Table) -> dict[str, Any]:
    quality = contract.quality
    rows = accepted + rejected_rows.rows
    report = {
        "format": table.format,
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
        raise RejectedDataset(
            f"{rejected_rows.rows} of {rows} rows are not acceptable ({share:.1%}; at most"
            f" {quality.maximum_rejected_share:.1%} may be set aside); most often: {worst['column']} {worst['reason']}"
            f" ({worst['count']} rows, first at {table.unit} {worst[f'first_{table.unit}s'][0]})",
            **report,
        )
    if accepted < quality.minimum_rows:
        raise RejectedDataset(f"{accepted} acceptable rows; at least {quality.minimum_rows} are needed", **report)
    return report


def _digest(x: np.ndarray, y: np.ndarray, contract: Contract) -> str:
    search = contract.search
    meaning = {
        "features": [asdict(feature) for feature in contract.features],
        "target": contract.target.model_dump(),
        "shape": list(x.shape),
        "split": {"holdout": search.holdout, "folds": search.folds, "seed": search.seed},
    }
    whole = hashlib.sha256(canonical(meaning))
    whole.update(x.data)
    whole.update(y.data)
    return whole.hexdigest()
