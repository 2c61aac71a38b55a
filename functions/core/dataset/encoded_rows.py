"""The rows of a table as the numbers that a model takes, and the reasons for those that it does not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from functions.core.dataset.column import Encoding, plain_values
from functions.core.dataset.number_style import PLAIN
from functions.core.dataset.terms import Terms
from models.feature import COMPOUND

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from functions.core.dataset.row_keys import KeyReader, RowKeys
    from functions.core.dataset.table import Batch, Column, Table
    from models.feature import Feature

Fault = tuple[str, str]
"""A column, "" for the whole row, and what is wrong with it."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Refused:
    """A row that is set aside."""

    location: int
    """Its line or row number in the file."""
    faults: Sequence[Fault]
    cells: Sequence[str]
    """The row itself as text, if it was asked for."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Rounded:
    """Whole numbers of a column that the model does not get as they are."""

    count: int
    location: int
    """Of the first of them."""
    value: int
    becomes: int


@dataclass(frozen=True, kw_only=True, eq=False)
class EncodedRows:
    """Some consecutive rows."""

    numbers: np.ndarray
    """[rows, terms]; a row that is refused has NaN somewhere, or arbitrary numbers."""
    refused: Mapping[int, Refused]
    """By position among the rows."""
    texts: Mapping[str, Sequence[str | None]]
    """The columns that are read as they are, by name: a text for each row."""
    rounded: Mapping[str, Rounded]
    """By column."""
    end: int
    """Where the rows after these begin in the file."""
    first: int = 0
    """How many rows of the table are before these."""
    learnt: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """By column that is to learn its categories: those that no earlier row has, by their positions."""
    keys: RowKeys | None = None
    """What they are split by, where that was asked for."""


def encoded_rows(
    table: Table,
    features: Sequence[Feature],
    others: Sequence[str],
    *,
    dtype: str,
    most_cells: int,
    skip: int = 0,
    keys: KeyReader | None = None,
) -> Iterator[EncodedRows]:
    """Yield the rows of a table, encoded by its columns, from those on that hold the row after the first `skip`.

    A feature whose column is not there is missing in every row. Of the first `most_cells` rows that are
    refused, the cells are given. `keys` reads what they are split by. Raise `UnreadableTable`.
    """
    encoder = _BatchEncoder(
        encoding=Encoding(typed=table.typed, style=table.style or PLAIN, dtype=dtype),
        features=features,
        terms=Terms(features) if any(one.kind in COMPOUND or one.must_learn for one in features) else None,
        others=others,
        keys=keys,
    )
    first = 0
    for batch in table.batches:
        if first + batch.rows > skip:
            rows = encoder.encode(batch, most_cells, first)
            most_cells -= len(rows.refused)
            yield rows
        first += batch.rows


@dataclass(frozen=True, kw_only=True, eq=False)
class _BatchEncoder:
    """What encodes the batches of one table."""

    encoding: Encoding
    features: Sequence[Feature]
    terms: Terms | None
    """None where each feature is a term by itself."""
    others: Sequence[str]
    keys: KeyReader | None

    def encode(self, batch: Batch, most_cells: int, first: int) -> EncodedRows:
        """Return the rows of a batch, before which there are `first`; of the refused, give cells of `most_cells`."""
        encoding, features, terms = self.encoding, self.features, self.terms
        well_formed, there = np.arange(batch.rows), slice(None)
        if batch.malformed:
            well_formed = there = np.delete(well_formed, list(batch.malformed))
        numbers = np.full((batch.rows, len(features) if terms is None else terms.width), np.nan, dtype=encoding.dtype)
        faults: dict[int, list[Fault]] = {at: [("", reason)] for at, reason in batch.malformed.items()}
        rounded: dict[str, Rounded] = {}
        for at, feature in enumerate(features):
            values = batch.columns.get(feature.name)
            cells = [None] * len(well_formed) if values is None else values
            if terms is None:
                column = encoding.encode(feature, cells)
                numbers[there, at] = column.numbers
            else:
                column = terms.read(feature, cells, encoding, numbers, there)
            for position, reason in column.reasons.items():
                faults.setdefault(int(well_formed[position]), []).append((feature.name, reason))
            if len(column.rounded) and values is not None:
                earliest = int(column.rounded[0])
                rounded[feature.name] = Rounded(
                    count=len(column.rounded),
                    location=int(batch.locations[int(well_formed[earliest])]),
                    value=int(column.before[0]),
                    becomes=int(column.numbers[earliest]),
                )
        if terms is not None:
            terms.fill(numbers, well_formed)
        keys, keyless = (None, ()) if self.keys is None else self.keys.read(batch, well_formed)
        for at, fault in keyless:
            told = faults.setdefault(at, [])
            if fault[0] not in (column for column, _ in told):  # a feature may say of its own column what is wrong
                told.append(fault)
        refused = {
            at: Refused(
                location=int(batch.locations[at]),
                faults=reasons,
                cells=tuple(batch.cells(at)) if number < most_cells else (),
            )
            for number, (at, reasons) in enumerate(sorted(faults.items()))
        }
        texts = {name: _texts(batch.columns.get(name), well_formed, batch.rows) for name in self.others}
        return EncodedRows(
            numbers=numbers,
            refused=refused,
            texts=texts,
            rounded=rounded,
            end=batch.end,
            first=first,
            learnt={} if terms is None else terms.learnt(),
            keys=keys,
        )


def _texts(values: Column | None, well_formed: np.ndarray, rows: int) -> list[str | None]:
    """Return the values of a column as text for each row, None where there is none."""
    texts: list[str | None] = [None] * rows
    if values is not None:
        plain = values if isinstance(values, list) else plain_values(values)
        for at, value in zip(well_formed.tolist(), plain, strict=True):
            texts[at] = None if value is None else value if isinstance(value, str) else str(value)
    return texts
