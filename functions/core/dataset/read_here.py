"""Read a table in this process: without bounds on its memory and time, as tests and the bounded process do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from functions.core.dataset.encoded_rows import encoded_rows
from functions.core.dataset.opening import open_table
from functions.core.dataset.row_keys import KeyReader, weighing
from functions.core.dataset.wanted import Facts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from functions.core.dataset.encoded_rows import EncodedRows
    from functions.core.dataset.table import Table
    from functions.core.dataset.wanted import Wanted


class RowsHere:
    """The rows of a table, read as they are asked for."""

    def __init__(self, table: Table, wanted: Wanted) -> None:
        style = table.style
        keys = {"group": wanted.group, "time": wanted.time, "weight": wanted.weight}
        self.facts = Facts(
            format=table.format,
            unit=table.unit,
            columns=table.columns,
            delimiter=table.delimiter,
            decimal="." if style is None else style.decimal,
            thousands="" if style is None else style.thousands,
        )
        self._rows = encoded_rows(
            table,
            wanted.features,
            wanted.others,
            dtype=wanted.dtype,
            most_cells=wanted.most_cells,
            skip=wanted.skip,
            keys=KeyReader(table, wanted.features, **keys, latest=wanted.latest) if any(keys.values()) else None,
        )

    def __iter__(self) -> Iterator[EncodedRows]:
        return self._rows

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is to be ended."""


def open_rows(blocks: Iterator[bytes], wanted: Wanted) -> RowsHere:
    """Open the table in the blocks of a file. Raise `UnreadableTable`."""
    return RowsHere(_table(blocks, wanted), wanted)


def _table(blocks: Iterator[bytes], wanted: Wanted) -> Table:
    whole = wanted.resumed
    others = (*wanted.others, *(name for name in (wanted.group, wanted.time) if name is not None))
    # Weights tell with the other numbers how a file writes them.
    features = wanted.features if wanted.weight is None else (*wanted.features, weighing(wanted.weight))
    if whole is None:
        return open_table(blocks, features, others, most_bytes=wanted.most_bytes, lists=wanted.lists)
    if whole.format == "CSV":
        from functions.core.dataset.csv_table import resume_csv  # noqa: PLC0415 - it loads Arrow

        return resume_csv(blocks, whole, features, others)
    from functions.core.dataset.json_lines import open_json_lines  # noqa: PLC0415

    return open_json_lines(blocks, features, others, lists=wanted.lists)
