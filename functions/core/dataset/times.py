"""When a row was: a column of dates, times or numbers, as numbers that can be put in order and subtracted."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from functions.core.dataset import arrow_memory
from models.feature import Feature, UnacceptableValue

if TYPE_CHECKING:
    from arro3.core import Array

    from functions.core.dataset.number_style import NumberStyle
    from functions.core.dataset.table import Column

ACCEPTED = "accepted: dates as in 2026-01-31, times as in 2026-01-31T08:00:00+01:00, or numbers"
_ISO = Feature(name="", kind="datetime")
"""What reads a date or a time of ISO 8601."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PARTS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_DAY = 86_400
Time = tuple[float, bool]
"""Seconds since 1970 and True, or a number and False."""


class Times:
    """Reads one column, batch by batch: its first time decides whether it holds dates or numbers."""

    def __init__(self, style: NumberStyle, date: Feature | None = None) -> None:
        """`style` is how the numbers of a text file are written, `date` how its dates are, where it is a feature."""
        self._style = style
        self._date = date
        self._missing = f"is missing; {ACCEPTED if date is None else f'accepted: {date.accepts}'}"
        self.dated: bool | None = None
        """Whether they are dates, or times, in seconds since 1970; None before the first of them."""

    def read(self, values: Column) -> tuple[np.ndarray, dict[int, str]]:
        """Return the times, float64 [values], and by position why one is none. A time without a zone is in UTC."""
        stamps = None if isinstance(values, list) else _stamps(values)
        if stamps is not None and self.dated is not False:
            self.dated = True
            missing = np.flatnonzero(np.isnan(stamps)).tolist()
            return stamps, dict.fromkeys(missing, self._missing)
        plain: list[Any] = values if isinstance(values, list) else list(values.to_pylist())
        known: dict[tuple[type, Any], Time | str] = {}
        times, reasons = np.full(len(plain), np.nan), dict[int, str]()
        for at, value in enumerate(plain):
            key = (type(value), value if isinstance(value, str | int | float) else str(value))
            outcome = known[key] if key in known else known.setdefault(key, self._time_of(value))
            if isinstance(outcome, str):
                reasons[at] = outcome
                continue
            self.dated = outcome[1] if self.dated is None else self.dated
            if outcome[1] == self.dated:
                times[at] = outcome[0]
            else:
                reasons[at] = f"is {_kind(outcome[1])}, and the first of the column is {_kind(self.dated)}"
        return times, reasons

    def _time_of(self, value: object) -> Time | str:
        if self._date is None:
            return time_of(value, self._style)
        from models.moment import seconds_of  # noqa: PLC0415 - most columns of times are no feature

        if self._date.is_blank(value):
            return self._missing
        try:
            return seconds_of(self._date, value), True
        except UnacceptableValue as problem:
            return str(problem)


def time_of(value: object, style: NumberStyle) -> Time | str:
    """Return a time by a JSON value, the text of a cell, or what Parquet holds; or why it is none."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return f"is missing; {ACCEPTED}"
    if isinstance(value, datetime):
        return _seconds(value), True
    if isinstance(value, str):
        return _time_in(value.strip(), style)
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if math.isfinite(number):
            return number, False
    return f"is no time; {ACCEPTED}"


def _time_in(text: str, style: NumberStyle) -> Time | str:
    plain = style.plain(text)
    if plain is not None and plain.isascii() and "_" not in plain:
        try:
            number = float(plain)
        except ValueError:
            pass
        else:
            if math.isfinite(number):
                return number, False
    from models.moment import seconds_of  # noqa: PLC0415 - most columns of times are numbers, or Arrow's

    try:
        return seconds_of(_ISO, text), True
    except UnacceptableValue:
        return f"is no time; {ACCEPTED}"


def _seconds(time: datetime) -> float:
    return ((time if time.tzinfo else time.replace(tzinfo=UTC)) - _EPOCH) / timedelta(seconds=1)


def _stamps(array: Array) -> np.ndarray | None:
    """Return the seconds since 1970 of an array of timestamps or dates, NaN where one is missing; None for others."""
    from arro3.core import DataType  # noqa: PLC0415 - only tables of Arrow need it

    kind = array.type
    if DataType.is_date32(kind):
        whole, unit = arrow_memory.values(array.cast(DataType.int32()), "<i4").astype(np.float64), 1 / _DAY
    elif DataType.is_date64(kind):
        whole, unit = arrow_memory.values(array.cast(DataType.int64()), "<i8"), _PARTS["ms"]
    elif DataType.is_timestamp(kind):
        whole, unit = arrow_memory.values(array.cast(DataType.int64()), "<i8"), _PARTS[cast("str", kind.time_unit)]
    else:
        return None
    return np.where(arrow_memory.present(array), whole / unit, np.nan)


def _kind(dated: bool) -> str:
    return "a date" if dated else "a number"


def shown(time: float, *, dated: bool) -> str:
    """Return a time as people write it: 2026-01-31, 2026-01-31 08:00:00, or a number."""
    if not dated:
        return f"{time:.12g}"
    try:
        moment = _EPOCH + timedelta(seconds=time)
    except OverflowError:
        return f"{time:.12g} s since 1970"
    day = f"{moment:%Y-%m-%d}" if moment.year >= 1000 else moment.date().isoformat()
    return day if time % _DAY == 0 else f"{day} {moment:%H:%M:%S}"
