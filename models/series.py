"""A series: the same number again and again, and what of its past a model gets to forecast it by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

from pydantic import Field

from models.complaint import Words, mistake
from models.feature import Feature
from models.section import Section
from models.task import NOUNS

if TYPE_CHECKING:
    from models.split import Split
    from models.task import Task

FARTHEST: Final = 400
"""Rows: the same day of the last year, and a month more."""
MOST: Final = 64

Rows = Annotated[
    tuple[int, ...], Words(f"a list of whole numbers from 1 to {FARTHEST}, each above the one before, {MOST} at most")
]


class Series(Section):
    """The keys of `series`: which rows follow each other, and which earlier ones become features."""

    time: Annotated[str, Field(min_length=1), Words("the name of a column")]
    """The column of dates, times or numbers that puts rows in order."""
    group: Annotated[str | None, Field(min_length=1), Words("the name of a column")] = None
    """A column: each of its values has a series of its own."""
    lags: Rows
    """The target so many rows of its series earlier; the least is how far ahead a forecast is made."""
    means: Rows = ()
    """The mean of so many numbers, of which the last is that of the least lag."""

    @property
    def ahead(self) -> int:
        """How many rows ahead of the last known number a forecast can be made."""
        return self.lags[0]

    @property
    def reach(self) -> int:
        """How many rows back the features of a row go."""
        return max(self.lags[-1], self.lags[0] + max(self.means, default=1) - 1)

    @property
    def keys(self) -> tuple[str, ...]:
        """The columns that say which row follows which."""
        return (self.time,) if self.group is None else (self.time, self.group)

    def features(self, target: Feature) -> tuple[Feature, ...]:
        """Return the features that the past of the target, a number, becomes: the lags, then the means."""
        declared = [(f"{target.name}_lag_{lag}", f"{target.name} {_rows(lag)} earlier") for lag in self.lags]
        until = f"the last of them {_rows(self.ahead)} earlier"
        declared += [(f"{target.name}_mean_{rows}", f"mean of {_rows(rows)}, {until}") for rows in self.means]
        return tuple(
            Feature(name=name, minimum=target.minimum, maximum=target.maximum, description=told)
            for name, told in declared
        )


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count} rows"


def check_presence(series: Series | None, task: Task) -> None:
    """Refuse a forecast without a series, and a series of another task."""
    if task != "forecasting":
        raise mistake(f"goes with task: forecasting; {NOUNS[task]} takes its rows in any order", "series")
    if series is None:
        told = "is missing; accepted: a mapping with time, lags and, where there are several series, group"
        raise mistake(told, "series")


def check_series(series: Series, target: str, named: list[str]) -> None:
    """Refuse a series that does not fit the rest of a contract. `named` are its other columns."""
    for key, column in (("time", series.time), ("group", series.group)):
        if column == target:
            raise mistake(f"{target} is the target; accepted: another column", "series", key)
    if series.group == series.time:
        raise mistake(f"{series.time} is the time; accepted: a column that tells series apart", "series", "group")
    for key, kind in (("lags", "lag"), ("means", "mean")):
        _check_rows(getattr(series, key), key)
        for rows in getattr(series, key):
            if (name := f"{target}_{kind}_{rows}") in named:
                raise mistake(f"{name} is the name of what {rows} becomes; name that column otherwise", "series", key)


def _check_rows(rows: tuple[int, ...], key: str) -> None:
    accepted = f"accepted: whole numbers from 1 to {FARTHEST}, each above the one before, {MOST} at most"
    if not rows and key == "lags":
        raise mistake(f"is an empty list; {accepted}", "series", key)
    if len(rows) > MOST:
        raise mistake(f"is a list of {len(rows)}; {accepted}", "series", key)
    for at, count in enumerate(rows):
        if not 1 <= count <= FARTHEST:
            raise mistake(f"is {count}; {accepted}", "series", key, at)
        if at and count <= rows[at - 1]:
            raise mistake(f"is {count}, after {rows[at - 1]}; {accepted}", "series", key, at)


def check_split(series: Series, split: Split) -> None:
    """Refuse a split of a series by anything but its time."""
    if split.group is not None:
        raise mistake(f"goes without series, whose rows are split by {series.time}", "search", "group")
    if split.time not in (None, series.time):
        told = f"is {split.time}; accepted: {series.time}, the time of series, which is also what stands for none"
        raise mistake(told, "search", "time")
