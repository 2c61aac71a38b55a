"""The choice of the time at which a scheduled training begins. Nothing is read and no clock asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from functions.core.dataset.forecast import Forecast
    from interface.window import Window

DIGITS = 6
"""Of a mean intensity: two that differ less are the same, and the earlier one is chosen."""


@dataclass(frozen=True, kw_only=True)
class Slot:
    """When a training begins, in seconds since 1970."""

    at: float
    grams: float | None = None
    """The mean intensity over the run, per kWh; None where no forecast was of use."""
    outside: bool = False
    """Whether no hour that the window allows was left."""


def choose(window: Window, since: float, now: float, forecast: Forecast | None = None) -> Slot:
    """Return the slot of a training that its schedule started at `since`, as of `now`.

    Of the times that are left in the window it is the one whose run has the lowest mean intensity, the earliest of
    equals. Only runs that the forecast covers are compared; without any it is the first time that is left, and the
    deadline where none is.
    """
    deadline = since + window.deadline_seconds
    if now >= deadline:
        return Slot(at=now, grams=None if forecast is None else forecast.mean(now, window.run_seconds))
    parts = window.parts(max(since, now), deadline)
    if not parts:
        return Slot(at=deadline, outside=True)
    if forecast is not None:
        found = [
            (round(mean, DIGITS), start)
            for start in _turning(window, forecast, parts)
            if (mean := forecast.mean(start, window.run_seconds)) is not None
        ]
        if found:
            grams, at = min(found)
            return Slot(at=at, grams=grams)
    return Slot(at=parts[0][0])


def _turning(window: Window, forecast: Forecast, parts: list[tuple[float, float]]) -> Iterator[float]:
    """Yield the starts among which the best one is.

    Between two neighbours of them the mean rises, falls or stays: it turns only where a run begins or ends at an edge
    of the forecast.
    """
    edges = {start for edge in forecast.edges for start in (edge, edge - window.run_seconds)}
    for first, last in parts:
        yield from {first, last, *(start for start in edges if first <= start <= last)}
