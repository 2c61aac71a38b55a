"""Whether the rows of a table are to be split by a group, and what there is to split them by instead of at random."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from functions.core.dataset.number_style import PLAIN
from functions.core.dataset.times import time_of
from sml.init.words import is_date, words_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sml.init.guess import Guess
    from sml.init.table import Column

FEWEST_GROUPS = 20
FEWEST_ROWS = 2
"""Of a group, on average: with fewer, hardly any has several rows."""
_WHOSE = frozenset(
    {"patient", "customer", "client", "user", "member", "subject", "person", "employee", "student", "household"}
    | {"account", "company", "driver", "vehicle", "machine", "device", "sensor", "store", "shop", "session"}
)
"""Words for those of whom a table has several rows, and a model meets others."""


@dataclass(frozen=True, kw_only=True)
class SplitGuess:
    """What the rows are to be split by."""

    group: str | None = None
    """A column; None for a split at random."""
    why: str = ""
    groups: tuple[str, ...] = ()
    """Columns that may be meant, where it is not sure."""
    times: tuple[str, ...] = ()
    """Columns that say when a row was."""

    @property
    def without_group(self) -> SplitGuess:
        """The guess for a table whose groups are too few to be split by."""
        return SplitGuess(groups=self.groups or tuple(filter(None, (self.group,))), times=self.times)


def guess_split(columns: Sequence[Column], guesses: Sequence[Guess]) -> SplitGuess:
    """Return what the columns of a table say; `guesses` are what becomes of each."""
    aside = {one.name for one in guesses if one.feature is None}
    repeating = [
        one for one in columns if one.name in aside and _repeats(one) and not _WHOSE.isdisjoint(words_of(one.name))
    ]
    dates = {one.name for one in guesses if one.feature is not None and one.feature.kind in ("date", "datetime")}
    times = tuple(one.name for one in columns if _holds_times(one, declared=one.name in dates))
    if len(repeating) != 1:
        return SplitGuess(groups=tuple(one.name for one in repeating), times=times)
    [column] = repeating
    rows = len(column.values)
    why = f"{rows:,} rows are of {len(column.counts):,}: the model is tested on others than those that it learnt from"
    return SplitGuess(group=column.name, why=why, times=times)


def _repeats(column: Column) -> bool:
    return not column.missing and FEWEST_GROUPS <= len(column.counts) <= len(column.values) / FEWEST_ROWS


def _holds_times(column: Column, *, declared: bool) -> bool:
    """Return whether each cell is a time: as the feature reads it that the column becomes, or as any column does."""
    return bool(column.counts) and not column.missing and (declared or all(_is_day(value) for value in column.counts))


def _is_day(text: str) -> bool:
    found = time_of(text, PLAIN)
    return is_date(text) and not isinstance(found, str) and found[1]
