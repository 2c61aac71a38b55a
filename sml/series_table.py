"""A table of series as rows to forecast: those without a number after the last that is known, each with its lags."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from functions.core.dataset.read_apart import open_rows
from functions.core.dataset.series_rows import SeriesRows, ToCome, Unforecastable
from functions.core.dataset.table import UnreadableTable
from functions.core.dataset.wanted import Wanted
from functions.core.registry.versions import features_of
from models.feature import Feature
from models.series import Series
from sml.mistake import Mistake
from sml.table_rows import table_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from functions.core.dataset.wanted import Facts

_MOST_ROWS = 5_000_000
"""Of a table."""


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """A row to forecast."""

    keys: dict[str, str]
    """Of which series it is, and when: by the columns that say so."""
    asked: dict[str, Any] | str
    """The row as a request has it; or why it is not answered."""


@dataclass(frozen=True, kw_only=True)
class SeriesTable:
    """The tables that a version of a forecast is asked about, by its card."""

    series: Series
    target: Feature
    lags: tuple[Feature, ...]
    columns: tuple[Feature, ...]
    """The other features."""

    @classmethod
    def of(cls, card: Mapping[str, Any]) -> SeriesTable:
        """Return what the card of a version of a forecast says."""
        series, features = Series.model_validate_json(json.dumps(card["series"])), features_of(card)
        name = card["target"]["name"]
        count = len(series.features(Feature(name=name)))
        columns, lags = features[: len(features) - count], features[len(features) - count :]
        target = Feature(name=name, minimum=lags[0].minimum, maximum=lags[0].maximum)
        return cls(series=series, target=target, lags=lags, columns=columns)

    def forecasts(self, blocks: Callable[[], Iterator[bytes]], where: str, most: int) -> list[Forecast] | None:
        """Return the first `most` rows that are to be forecast; None for a table that has lags as its columns.

        `blocks` begins the file anew. Raise `Mistake` where there is no such row, or no series.
        """
        dates = (one for one in self.columns if one.name == self.series.time)  # which says how they are written
        wanted = Wanted(features=(*dates, self.target), group=self.series.group, time=self.series.time)
        rows = SeriesRows(self.target, self.series)
        try:
            with open_rows(blocks(), wanted) as opened:
                if not self._is_of_series(opened.facts, where):
                    return None
                unit = opened.facts.unit
                for some in opened:
                    if some.keys is not None:
                        kept = np.ones(len(some.numbers), dtype=bool)
                        kept[list(some.refused)] = False
                        rows.add(some, some.keys, kept)
            self._require_places(rows, unit, where)
            to_come = rows.to_come()
        except (UnreadableTable, Unforecastable) as problem:
            raise Mistake(f"{where}: {problem}") from None
        if not to_come:
            told = f"add rows with an empty {self.target.name}, and what else the model takes"
            raise Mistake(f"{where} has no row to forecast, after the last known {self.target.name}; {told}")
        return list(self._asked(to_come[:most], blocks(), where, unit))

    def _is_of_series(self, facts: Facts, where: str) -> bool:
        """Return whether a table has the columns of series, and no lags. Raise `Mistake` where some of them lack."""
        there = set(facts.columns)
        if self.series.time not in there or any(lag.name in there for lag in self.lags):
            return False
        lacking = [name for name in (*self.series.keys, self.target.name) if name not in there]
        if lacking:
            told = f"of {', '.join(self.series.keys)} and {self.target.name}, or of {', '.join(_few(self.lags))}"
            raise Mistake(f"{where} has no {lacking[0]}; accepted: a table {told}")
        return True

    def _require_places(self, rows: SeriesRows, unit: str, where: str) -> None:
        if (lost := rows.displaced) is not None:
            keys = ("", *self.series.keys)
            faults = "; ".join(f"{key or 'the row'} {reason}" for key, reason in lost.faults if key in keys)
            raise Mistake(f"{where}: {unit} {lost.location}: {faults}; a row counts where it is, so each has to tell")

    def _asked(self, to_come: list[ToCome], blocks: Iterator[bytes], where: str, unit: str) -> Iterator[Forecast]:
        wanted, last = {one.index for one in to_come}, max(one.index for one in to_come)
        read = islice(enumerate(table_rows(blocks, self.columns, where, _MOST_ROWS)), last + 1)
        others = {index: row for index, row in read if index in wanted}
        for one in to_come:
            keys = {self.series.time: one.time}
            if self.series.group is not None and one.group is not None:
                keys[self.series.group] = one.group
            yield Forecast(keys=keys, asked=self._row(one, others[one.index], unit))

    def _row(self, one: ToCome, others: dict[str, Any] | str, unit: str) -> dict[str, Any] | str:
        """Return a row as a request has it, or why it cannot be forecast."""
        if isinstance(others, str):
            return others
        begin, most = f"{unit} {one.location}: ", self.series.ahead
        if one.ahead > most:
            return (
                f"{begin}is {one.ahead} rows after the last known {self.target.name}; a forecast is {most} ahead at"
                f" most, by {self.lags[0].name}"
            )
        lags = {lag.name: value for lag, value in zip(self.lags, one.lags, strict=True)}
        if lacking := [name for name, value in lags.items() if math.isnan(value)]:
            return f"{begin}{lacking[0]} is not known: its series begins later, or lacks a number there"
        return {**others, **lags}


def _few(lags: tuple[Feature, ...]) -> list[str]:
    return [lag.name for lag in lags[:3]] + (["..."] if len(lags) > 3 else [])
