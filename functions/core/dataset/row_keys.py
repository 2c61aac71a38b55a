"""What the rows of a table are split by, or put in order, the group of each or its time, and what they weigh."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from functions.core.dataset.column import NO_DAY, Encoding, is_moment, plain_values
from functions.core.dataset.number_style import PLAIN
from functions.core.dataset.times import Times
from models.feature import BLANK, WHOLE_NUMBER, Feature
from models.moment import DAY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from functions.core.dataset.table import Batch, Table

Keyless = tuple[int, tuple[str, str]]
"""The position of a row without a key, and the column and what is wrong with it."""
_ACCEPTED = "accepted: a text or a number that all rows of a group have"
FUTURE = "is in the future: it is later than the file by more than a day"
"""What is said of the time of a row that cannot have been yet."""


@dataclass(frozen=True, kw_only=True, eq=False)
class RowKeys:
    """The keys of some rows; arbitrary for a row whose key is refused."""

    groups: Sequence[str] | None = None
    times: np.ndarray | None = None
    """float64 [rows]"""
    dated: bool = False
    """Whether the times are seconds since 1970, and no numbers of another kind."""
    weights: np.ndarray | None = None
    """float64 [rows], in 32 bits as every number of a table is"""


def weighing(name: str) -> Feature:
    """Return how the weights of rows are read: as the numbers of a feature are."""
    return Feature(name=name, minimum=0)


class KeyReader:
    """Reads the keys of a table's rows, batch by batch."""

    def __init__(
        self,
        table: Table,
        features: Sequence[Feature],
        *,
        group: str | None = None,
        time: str | None = None,
        weight: str | None = None,
        latest: float | None = None,
    ) -> None:
        """A column of times that is a date among `features` is read as that; one later than `latest` is refused."""
        self._group, self._time, self._weight = group, time, weight
        # The clocks of the world differ by less than a day: a time without a zone is taken for one in UTC.
        self._latest = math.inf if latest is None else latest + DAY
        dates = (one for one in features if one.name == time and one.kind in ("date", "datetime"))
        style = table.style or PLAIN
        self._times = Times(style, next(dates, None))
        self._encoding = Encoding(typed=table.typed, style=style)

    def read(self, batch: Batch, well_formed: np.ndarray) -> tuple[RowKeys, list[Keyless]]:
        """Return the keys of a batch, and which rows have none, by position. `well_formed` are those of its columns."""
        faults: list[Keyless] = []
        groups: list[str] | None = None
        times: np.ndarray | None = None
        if self._group is not None:
            groups = [""] * batch.rows
            for at, value in zip(well_formed.tolist(), _values(batch, self._group, len(well_formed)), strict=True):
                text, reason = group_of(value)
                groups[at] = text
                if reason:
                    faults.append((at, (self._group, reason)))
        if self._time is not None:
            times = np.full(batch.rows, np.nan)
            column = batch.columns.get(self._time)
            times[well_formed], reasons = self._times.read([None] * len(well_formed) if column is None else column)
            if self._times.dated:
                reasons |= dict.fromkeys(np.flatnonzero(times[well_formed] > self._latest).tolist(), FUTURE)
            faults += [(int(well_formed[at]), (self._time, reason)) for at, reason in reasons.items()]
        weights = None if self._weight is None else self._weights(self._weight, batch, well_formed, faults)
        return RowKeys(groups=groups, times=times, dated=bool(self._times.dated), weights=weights), faults

    def _weights(self, name: str, batch: Batch, well_formed: np.ndarray, faults: list[Keyless]) -> np.ndarray:
        """Return what rows weigh, float64 [rows], and add to `faults` which have no weight."""
        column = batch.columns.get(name)
        read = self._encoding.encode(weighing(name), [None] * len(well_formed) if column is None else column)
        faults += [(int(well_formed[at]), (name, reason)) for at, reason in read.reasons.items()]
        weights = np.full(batch.rows, np.nan)
        weights[well_formed] = read.numbers
        return weights


def _values(batch: Batch, name: str, rows: int) -> list[Any]:
    column = batch.columns.get(name)
    if column is None:
        return [None] * rows
    if isinstance(column, list):
        return column
    values = plain_values(column)
    return [None if value == NO_DAY else value for value in values] if is_moment(column) else values


def group_of(value: object) -> tuple[str, str]:
    """Return the group that a value names, the same however a file writes it, and why it names none, or nothing."""
    if isinstance(value, list | dict):
        return "", f"is a list or an object; {_ACCEPTED}"
    if isinstance(value, bool):
        return str(value).lower(), ""
    text = "" if value is None else str(value)
    if text.strip().lower() in BLANK:
        return "", f"is missing; {_ACCEPTED}"
    whole = WHOLE_NUMBER.fullmatch(text.strip())
    return (whole[1] if whole else text), ""


class CollectedKeys:
    """The keys of the rows that are accepted."""

    def __init__(self) -> None:
        self._codes: dict[str, int] = {}
        self._groups: list[np.ndarray] = []
        self._times: list[np.ndarray] = []
        self._weights: list[np.ndarray] = []
        self.dated = False

    def add(self, keys: RowKeys, kept: np.ndarray) -> None:
        """Add the keys of some rows, of which some are `kept`: bool [rows]."""
        if keys.groups is not None:
            codes = self._codes
            these = [codes.setdefault(keys.groups[at], len(codes)) for at in np.flatnonzero(kept).tolist()]
            self._groups.append(np.array(these, dtype=np.int64))
        if keys.times is not None:
            self._times.append(keys.times[kept])
            self.dated |= keys.dated
        if keys.weights is not None:
            self._weights.append(keys.weights[kept])

    def of(self, rows: np.ndarray) -> CollectedKeys:
        """Return the keys of some of the rows, by a mask bool [rows]."""
        some = CollectedKeys()
        some.dated = self.dated
        some._codes = self._codes
        some._groups = [] if self.groups is None else [self.groups[rows]]
        some._times = [] if self.times is None else [self.times[rows]]
        some._weights = [] if self.weights is None else [self.weights[rows]]
        return some

    @property
    def names(self) -> tuple[str, ...]:
        """What the groups are called, by their numbers."""
        return tuple(self._codes)

    @property
    def groups(self) -> np.ndarray | None:
        """A number for the group of each row, int64 [rows]: the first row's is 0."""
        return np.concatenate(self._groups) if self._groups else None

    @property
    def times(self) -> np.ndarray | None:
        """float64 [rows]: seconds since 1970 where they are `dated`."""
        return np.concatenate(self._times) if self._times else None

    @property
    def weights(self) -> np.ndarray | None:
        """float64 [rows]"""
        return np.concatenate(self._weights) if self._weights else None
