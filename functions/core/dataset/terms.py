"""The features of a table as terms, batch by batch: where the numbers of each stand, and what was learnt so far."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from functions.core.dataset.table import UnreadableTable
from models.feature import COMPOUND, Feature

if TYPE_CHECKING:
    from collections.abc import Sequence

    from functions.core.dataset.column import EncodedColumn, Encoding
    from functions.core.dataset.table import Column

MOST_DIFFERENT = 100_000
"""Values of a column among which its categories are looked for."""


class Terms:
    """Makes the terms of one table's features, whose categories it learns on the way."""

    def __init__(self, features: Sequence[Feature]) -> None:
        from models.terms import spans_of  # noqa: PLC0415 - the reader of tables starts without it

        self.features = tuple(features)
        spans = spans_of(features)
        self.width = max((span.stop for span in spans.values()), default=0)
        self._single = {one.name: spans[one.name].start for one in features if one.kind not in COMPOUND}
        """The positions of the features that are terms themselves."""
        self._several = {one.name: spans[one.name] for one in features if one.kind in COMPOUND}
        self._places: dict[str, dict[str, int]] = {one.name: {} for one in features if one.must_learn}
        self._told = dict.fromkeys(self._places, 0)
        self._seen: dict[str, np.ndarray] = {}
        self._texts: dict[str, list[str]] = {}

    def read(
        self, feature: Feature, values: Column, encoding: Encoding, numbers: np.ndarray, rows: np.ndarray | slice
    ) -> EncodedColumn:
        """Return a column of a batch as its feature reads it, and write it into `numbers` if it is a term itself.

        `fill` makes several terms of the others.
        """
        if feature.name in self._single:
            column = encoding.encode(feature, values, self._places.get(feature.name))
            numbers[rows, self._single[feature.name]] = column.numbers
            return column
        places: dict[str, int] | None = {} if feature.kind == "text" else None
        column = replace(encoding, dtype="float64").encode(feature, values, places)
        self._seen[feature.name] = column.numbers
        self._texts[feature.name] = list(places or ())
        return column

    def fill(self, numbers: np.ndarray, rows: np.ndarray) -> None:
        """Write the terms of features that have several into `numbers` [all rows, terms], at the `rows` read."""
        for feature in self.features:
            if feature.name in self._several:
                numbers[rows, self._several[feature.name]] = self._numbers(feature)

    def learnt(self) -> dict[str, list[str]]:
        """Return the categories that were found since this was last asked. Raise `UnreadableTable` for too many."""
        found = {}
        for name, places in self._places.items():
            if len(places) > MOST_DIFFERENT:
                raise UnreadableTable(f"{name} has {too_many(MOST_DIFFERENT)}")
            found[name] = list(places)[self._told[name] :]
            self._told[name] = len(places)
        return found

    def _numbers(self, feature: Feature) -> np.ndarray:
        """Return the terms of a feature, [rows, terms]: those of each different value are made once."""
        from models.terms import counts_of, days_between, parts_of  # noqa: PLC0415

        seen = self._seen[feature.name]
        if feature.kind == "text":
            width = feature.words or 0
            table = np.array([counts_of(text, width) for text in [*self._texts[feature.name], None]])
            return table[np.where(np.isnan(seen), len(table) - 1, seen).astype(np.int64)]
        different, where = np.unique(seen, return_inverse=True)
        parts = [parts_of(feature, seconds) for seconds in different.tolist()]
        span = self._several[feature.name]
        width = span.stop - span.start - bool(feature.since)
        numbers = np.array(parts, dtype=np.float64).reshape(len(different), width)[where]
        if not feature.since:
            return numbers
        return np.column_stack([numbers, days_between(self._seen[feature.since], seen)])


def too_many(most: int) -> str:
    """Return what is wrong with a column of more than `most` different values."""
    return (
        f"more than {most:,} different values, too many to learn categories of: it looks like an identifier,"
        " which belongs under id, or a text, which kind: text takes"
    )
