"""Several tables of the same columns as one: a dataset, and rows that were labelled since."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from functions.core.dataset.expected_columns import check_columns
from functions.core.dataset.rejected_dataset import RejectedDataset
from functions.core.dataset.row_keys import RowKeys
from functions.core.dataset.table import UnreadableTable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from functions.core.dataset.encoded_rows import EncodedRows
    from functions.core.dataset.wanted import Reader, Rows, Wanted
    from models.contract import Contract

SHOWN = 5
"""Reasons that are told of rows that are set aside."""


class JoinedTables:
    """The rows of a table, and after them those of further tables.

    Of the further ones, rows that are refused are passed over and counted: they have no line in the first.
    """

    def __init__(
        self, first: Rows, further: Mapping[str, Iterable[bytes]], read: Reader, wanted: Wanted, contract: Contract
    ) -> None:
        """`further` are the blocks of each further table, by what it is called."""
        self._first = first
        self._further = further
        self._read = read
        self._wanted = wanted
        self._contract = contract
        at = {term.name: position for position, term in enumerate(contract.terms)}
        self._learns = {name: at[name] for name in contract.learns}
        self._places: dict[str, dict[str, int]] = {name: {} for name in self._learns}
        """The position of each category, by column, in the order in which the tables have them."""
        self.rows, self.refused = 0, 0
        """Of the further tables."""
        self._reasons: dict[str, int] = {}

    def __iter__(self) -> Iterator[EncodedRows]:
        """Yield the rows. Raise `UnreadableTable`, and `RejectedDataset` where a further table is not of the kind."""
        for some in self._first:
            for name, texts in some.learnt.items():
                places = self._places[name]
                places |= {text: len(places) + number for number, text in enumerate(texts)}
            yield some
        for name, blocks in self._further.items():
            try:
                with self._read(iter(blocks), self._wanted) as rows:
                    check_columns(rows.facts, self._contract)
                    yield from self._renumbered(rows)
            except (UnreadableTable, RejectedDataset) as problem:
                raise RejectedDataset(f"{name}: {problem}") from problem

    def document(self) -> dict[str, Any]:
        """Return what there is to say of the further tables."""
        most = sorted(self._reasons.items(), key=lambda one: -one[1])[:SHOWN]
        reasons = [{"reason": reason, "count": count} for reason, count in most]
        return {
            "tables": list(self._further), "rows": self.rows, "rejected_rows": self.refused, "reasons": reasons
        }  # fmt: skip

    def _renumbered(self, rows: Iterable[EncodedRows]) -> Iterator[EncodedRows]:
        """Yield the rows of a table that are accepted, with the positions that categories have in all tables."""
        own: dict[str, list[int]] = {name: [] for name in self._learns}
        for some in rows:
            kept = np.ones(len(some.numbers), dtype=bool)
            kept[list(some.refused)] = False
            self.rows += len(kept)
            self.refused += len(some.refused)
            for refused in some.refused.values():
                for column, why in refused.faults:
                    reason = f"{column} {why}".strip()
                    self._reasons[reason] = self._reasons.get(reason, 0) + 1
            numbers, learnt = some.numbers[kept], {}
            for name, texts in some.learnt.items():
                places = self._places[name]
                learnt[name] = [text for text in texts if text not in places]
                own[name] += [places.setdefault(text, len(places)) for text in texts]
                column = numbers[:, self._learns[name]]
                there = ~np.isnan(column)
                column[there] = np.array(own[name], dtype=numbers.dtype)[column[there].astype(np.int64)]
            yield replace(some, numbers=numbers, refused={}, learnt=learnt, keys=_kept(some.keys, kept), rounded={})


def _kept(keys: RowKeys | None, kept: np.ndarray) -> RowKeys | None:
    if keys is None:
        return None
    groups: Sequence[str] | None = keys.groups
    return RowKeys(
        groups=None if groups is None else [groups[at] for at in np.flatnonzero(kept).tolist()],
        times=None if keys.times is None else keys.times[kept],
        dated=keys.dated,
        weights=None if keys.weights is None else keys.weights[kept],
    )
