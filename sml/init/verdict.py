"""What a table would become by the contract of a model: the reading and the checks of the prepare step, without it."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from functions.core.dataset.rejected_dataset import RejectedDataset
from functions.core.dataset.series_rows import lacks_number
from functions.core.dataset.validation import validate_dataset
from functions.core.dataset.wanted import Wanted
from models.catalogue import by_kind, load
from models.section import ContractError
from models.training_text import lacks_fit, why_not
from sml.init.becomes import becomes_of
from sml.init.table import blocks_of
from sml.mistake import Mistake

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from types import TracebackType

    from functions.core.dataset.encoded_rows import EncodedRows, Refused
    from functions.core.dataset.wanted import Facts, Reader, Rows
    from models.bring_your_own import BringYourOwn
    from models.contract import Contract

SHOWN = 5
"""Rejected rows that are told in full."""


@dataclass(frozen=True, kw_only=True)
class RejectedRow:
    """One fault of a row that would be set aside."""

    location: int
    index: int
    """How many rows are before it."""
    column: str
    """Empty for the whole row."""
    reason: str
    value: str | None
    """None for a whole row, and for a cell that is not there."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What would become of a table."""

    model: str
    accepted: bool
    cause: str | None
    """Why the whole table would be rejected."""
    rows: int
    accepted_rows: int
    rejected_rows: int
    unit: str
    """What a location counts: line or row."""
    rejected: tuple[RejectedRow, ...]
    """The first of them."""
    reasons: tuple[dict[str, Any], ...]
    """How often each reason is there, the most frequent first."""
    classes: dict[str, int]
    numbers: tuple[float, float] | None
    """The least and the greatest number of a target of numbers; None for classes, and where there is none."""
    id: tuple[str, ...]
    ignored: tuple[str, ...]
    passed_over: tuple[str, ...]
    """Columns of the table that the contract does not name."""
    becomes: dict[str, str]
    """In words, what columns become that are no number by themselves; empty where the table would be rejected."""
    series: dict[str, Any] | None
    """What its series are; None where it has none, or would be rejected before that is known."""
    split: dict[str, Any] | None
    """How its rows would be split; None where it would be rejected."""
    suspects: tuple[dict[str, Any], ...]
    """The features that its owner should look at."""
    weights: dict[str, Any] | None = None
    """What its rows would weigh; None where they weigh the same, or it would be rejected."""


def contract_of(model: str, models: Path) -> Contract:
    """Return the contract of a model that is trained here, and whose training has what it asks for. Raise `Mistake`."""
    try:
        found = load(model, models)
    except ContractError as problem:
        raise Mistake(str(problem)) from None

    def refuse(_: BringYourOwn) -> Contract:
        raise Mistake(f"{model} is a finished model: it takes an ONNX file, and no table is learned from")

    contract = by_kind(found, trained=lambda contract: contract, bring_your_own=refuse)
    if (told := lacks_fit(model, models) or why_not(contract, models)) is not None:
        raise Mistake(told)
    return contract


def check(contract: Contract, path: Path, read: Reader) -> Verdict:
    """Return what would become of a table. Raise `Mistake` where there is no such file."""
    watched = _Watched(read, contract)
    cause, report, becomes = None, {}, dict[str, str]()
    with blocks_of(path) as blocks:
        try:
            found = validate_dataset(blocks, contract, watched, time.time())
            report, becomes = found.report, becomes_of(contract.with_learnt(found.dataset.learnt), found.profile)
        except RejectedDataset as rejection:
            report, cause = rejection.report, str(rejection)
    columns = watched.facts.columns if watched.facts else ()
    if watched.facts and watched.facts.format == "JSON Lines":
        watched.rejected = _with_values(path, read, watched.rejected)
    accepted_rows, rejected_rows = watched.accepted, watched.rows - watched.accepted
    if contract.series is not None:  # whose rows without a number may be yet to come
        accepted_rows = report.get("accepted_rows", accepted_rows)
        rejected_rows = report.get("rejected_rows", rejected_rows)
    named = {*(feature.name for feature in contract.columns), contract.target.name, *contract.id, *contract.ignore}
    named |= set(contract.row_columns)
    return Verdict(
        model=contract.name,
        accepted=cause is None,
        cause=cause,
        rows=watched.rows,
        accepted_rows=accepted_rows,
        rejected_rows=rejected_rows,
        unit=watched.facts.unit if watched.facts else "line",
        rejected=tuple(watched.rejected),
        reasons=tuple(report.get("reasons", ())),
        classes={name: watched.classes[at] for at, name in enumerate(contract.target.classes)},
        numbers=None if contract.target.classes else watched.range,
        id=tuple(name for name in contract.id if name in columns),
        ignored=tuple(name for name in contract.ignore if name in columns),
        passed_over=tuple(name for name in columns if name not in named),
        becomes=becomes,
        series=report.get("series"),
        split=report.get("split"),
        suspects=tuple(report.get("suspects", ())),
        weights=report.get("weights"),
    )


def _with_values(path: Path, read: Reader, rejected: Sequence[RejectedRow]) -> list[RejectedRow]:
    """Return rows of JSON Lines with their values: a line names its own columns, in any order."""
    columns = tuple(dict.fromkeys(row.column for row in rejected if row.column))
    waiting, found = {row.index for row in rejected}, dict[tuple[int, str], str | None]()
    with blocks_of(path) as blocks, read(blocks, Wanted(features=(), others=columns)) as rows:
        for some in rows:
            for index in [index for index in waiting if some.first <= index < some.first + len(some.numbers)]:
                found |= {(index, column): some.texts[column][index - some.first] for column in columns}
                waiting.remove(index)
            if not waiting:
                break
    return [replace(row, value=found.get((row.index, row.column))) for row in rejected]


class _Watched:
    """A reader that remembers what it gave: the first rows that were refused, and how many rows are of each class."""

    def __init__(self, read: Reader, contract: Contract) -> None:
        self._read = read
        self._classes = contract.target.classes
        self._may_lack = None if contract.series is None else contract.target.as_feature
        """What a row may lack that is yet to come."""
        self.facts: Facts | None = None
        self.rows = 0
        self.accepted = 0
        self.range: tuple[float, float] | None = None
        self.classes = Counter[int]()
        self.rejected: list[RejectedRow] = []

    def __call__(self, blocks: Iterator[bytes], wanted: Wanted) -> Rows:
        rows = self._read(blocks, wanted)
        self.facts = rows.facts
        return _WatchedRows(rows, self)

    def note(self, rows: EncodedRows) -> None:
        self.rows += len(rows.numbers)
        kept = np.ones(len(rows.numbers), dtype=bool)
        kept[list(rows.refused)] = False
        self.accepted += int(kept.sum())
        self._note_truth(rows.numbers[kept, -1])
        for at, refused in sorted(rows.refused.items()):
            if len(self.rejected) >= SHOWN:
                break
            if self._may_lack is not None and lacks_number(refused, self._may_lack):
                continue
            self.rejected += [
                RejectedRow(
                    location=refused.location,
                    index=rows.first + at,
                    column=column,
                    reason=reason,
                    value=self._value(refused, column),
                )
                for column, reason in refused.faults
            ]

    def _note_truth(self, truth: np.ndarray) -> None:
        if self._classes:
            for position, count in zip(*np.unique(truth.astype(int), return_counts=True), strict=True):
                self.classes[int(position)] += int(count)
        elif len(truth):
            known = () if self.range is None else self.range
            self.range = (float(min((truth.min(), *known))), float(max((truth.max(), *known))))

    def _value(self, refused: Refused, column: str) -> str | None:
        """Return the cell of a column, where cells are in the order of the columns."""
        columns = self.facts.columns if self.facts else ()
        if self.facts is None or self.facts.format == "JSON Lines" or column not in columns:
            return None
        at = columns.index(column)
        return refused.cells[at] if at < len(refused.cells) else None


class _WatchedRows:
    """The rows of a table, noted as they go by."""

    def __init__(self, rows: Rows, watched: _Watched) -> None:
        self._rows = rows
        self._watched = watched
        self.facts = rows.facts

    def __iter__(self) -> Iterator[EncodedRows]:
        for some in self._rows:
            self._watched.note(some)
            yield some

    def __enter__(self) -> Self:
        self._rows.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._rows.__exit__(kind, problem, trace)
