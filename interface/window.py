"""The window of a schedule: in which hours a training may begin, and by when it does at the latest.

The settings validate it once; it travels to the function that prepares as JSON, and is the same type there.
All times are in UTC, as those of a schedule are: a day has 86,400 seconds.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from typing import Self

DAY_SECONDS = 86_400
HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")
NOW = "{now}"
"""What stands in the URL of a forecast for the time at which it is read, as `2026-11-30T20:00Z`."""


@dataclass(frozen=True, kw_only=True)
class Window:
    """When a training begins that a schedule has started."""

    deadline_seconds: float
    """After its start by the schedule: it does not begin later."""
    run_seconds: float
    """How long a run is expected to take."""
    between: str | None = None
    """The hours in which it may begin, both ends included: `22:00-06:00`. None: in any."""
    forecast: str | None = None
    """Where a forecast of the grid is: a URL, or `layout.FORECAST` in the data store. None: nobody is asked."""

    def to_json(self) -> str:
        """Return the window as `from_json` reads it; equal windows give equal text."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote. Raise `TypeError` for other members."""
        return cls(**json.loads(text))

    def parts(self, begin: float, end: float) -> list[tuple[float, float]]:
        """Return the times from `begin` to `end` at which it may begin: first and last moment of each part, rising.

        All are seconds since 1970.
        """
        if begin > end:
            return []
        if self.between is None:
            return [(begin, end)]
        first, last = seconds_of_day(self.between)
        length = (last - first) % DAY_SECONDS
        midnight = begin // DAY_SECONDS * DAY_SECONDS
        days = range(-1, int((end - midnight) // DAY_SECONDS) + 1)
        found = [(opens, opens + length) for opens in (midnight + day * DAY_SECONDS + first for day in days)]
        return [(max(opens, begin), min(closes, end)) for opens, closes in found if opens <= end and closes >= begin]


def seconds_of_day(between: str) -> tuple[int, int]:
    """Return when hours such as `22:00-06:00` begin and end, in seconds of the day.

    Raise `ValueError` for another text, and for hours that begin when they end.
    """
    found = HOURS.fullmatch(between)
    if found is None:
        raise ValueError("two times of the day are needed, as in 22:00-06:00")
    first, last = (int(found[at]) * 3600 + int(found[at + 1]) * 60 for at in (1, 3))
    if first == last:
        raise ValueError("they begin when they end; without any it may begin in every hour")
    return first, last
