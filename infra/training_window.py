"""The setting `training.window`: when a training begins that the schedule starts, and what cannot be meant by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from infra import cron
from infra.section import Section, Words
from interface import layout
from interface.window import DAY_SECONDS, Window, seconds_of_day

if TYPE_CHECKING:
    from collections.abc import Iterator

MINUTE, HOUR = 60, 3600
FORECAST = rf"^(https://[A-Za-z0-9.-]+(:\d+)?(/[!-~]*)?|http://127\.0\.0\.1:\d+(/[!-~]*)?|{layout.FORECAST})$"


def _between(text: str) -> str:
    seconds_of_day(text)
    return text


class TrainingWindow(Section):
    """When a training begins that the schedule starts."""

    deadline_hours: int = Field(ge=1, le=72)
    """After the time of the schedule: it begins then at the latest."""
    between: Annotated[
        str | None,
        AfterValidator(lambda text: text and _between(text)),
        Words("two times of the day, UTC, as in 22:00-06:00"),
    ] = None
    """The hours in which it may begin."""
    forecast: Annotated[
        str | None,
        Field(pattern=FORECAST, max_length=500),
        Words(f"https://..., without a user; http://127.0.0.1:... for a local stack; or {layout.FORECAST}"),
    ] = None
    """Where a forecast of the grid's intensity is. Without one it begins as soon as it may."""
    run_minutes: int = Field(default=60, ge=1, le=1440)
    """How long a run is expected to take."""

    @property
    def plan(self) -> Window:
        """The window that the function gets that prepares."""
        return Window(
            deadline_seconds=self.deadline_hours * HOUR,
            run_seconds=self.run_minutes * MINUTE,
            between=self.between,
            forecast=self.forecast,
        )

    def __str__(self) -> str:
        hours = "in any hour" if self.between is None else f"within {self.between} UTC"
        latest = f"{self.deadline_hours} hour{'s' * (self.deadline_hours != 1)} later at the latest"
        if self.forecast is None:
            return f"as soon as they may {hours}, {latest}; no forecast is asked"
        where = (
            f"<data_url>/<model>/{layout.FORECAST}"
            if self.forecast == layout.FORECAST
            else urlsplit(self.forecast).netloc
        )
        return f"{hours}, {latest}, in the slot of {self.run_minutes} minutes with the lowest forecast of {where}"


def problems(schedule: str | None, window: TrainingWindow | None) -> Iterator[tuple[tuple[str, ...], object, str, str]]:
    """Yield what cannot be meant: the keys below `training`, what was found there, why not, and what is accepted."""
    if window is None:
        return
    if schedule is None:
        yield ("window",), "a window", "nothing starts a training that could wait for it", "a window beside a schedule"
        return
    if window.between is None and window.forecast is None:
        yield (
            ("window",),
            "neither between nor forecast",
            "every training would begin at once",
            "at least one of the two",
        )
    due = cron.parse(schedule)
    gap = cron.shortest_gap(due)
    if window.deadline_hours * 60 > gap:
        yield (
            ("window", "deadline_hours"),
            window.deadline_hours,
            f"it is due again after {_told(gap)}, and the next training would wait beside this one",
            f"a deadline before the schedule {schedule} is due",
        )
    missed = [
        at
        for at in cron.times_of_day(due)
        if not window.plan.parts(at * MINUTE, at * MINUTE + window.deadline_hours * HOUR)
    ]
    if missed:
        at, end = missed[0], (missed[0] * MINUTE + window.deadline_hours * HOUR) % DAY_SECONDS // MINUTE
        yield (
            ("window", "between"),
            window.between,
            f"a training that is due at {_clock(at)} begins at {_clock(end)} at the latest, before these hours come",
            "hours of which some come before the deadline",
        )


def _told(minutes: int) -> str:
    return f"{minutes // 60} hours" if minutes % 60 == 0 else f"{minutes} minutes"


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"
