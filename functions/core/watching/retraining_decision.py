"""Whether a model is trained again now: by what was seen, by what there is to learn from, and by what came of before.

Nothing is read and no clock asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from functions.core.registry.runs import Status
from models.moment import DAY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from interface.retraining import RetrainingPolicy

HOUR = 3600
LONGEST_SECONDS = 7 * DAY
"""A cool-down is not made longer than that."""
MONTH_DAYS = 30
LOST_SECONDS = DAY
"""A training of which nothing is known for so long came to nothing: its file was lost, or had been trained on."""
LOST = "lost"
"""What is stored of such a one in place of a state."""
CAME_TO_NOTHING = frozenset(
    {LOST, Status.REFUSED, Status.ROLLED_BACK, Status.REJECTED, Status.FAILED, Status.SUPERSEDED}
)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A training that was asked for."""

    at: float
    """Seconds since 1970."""
    cause: str
    source: str
    """The key of the request, in the data store."""
    until: str
    """The last day whose labelled rows it has."""
    rows: int
    """How many of them it has that the one before had not."""
    status: str | None = None
    """What is known of its run; None where nothing is."""
    seconds: float = 0.0
    """How long it took."""
    told: bool = False
    """Whether somebody was told that it came to nothing."""

    @property
    def is_settled(self) -> bool:
        """Whether nothing more is to come of it: one that waits for a person's word may still be promoted."""
        return self.status in CAME_TO_NOTHING or self.status == Status.PROMOTED

    def is_under_way(self, now: float) -> bool:
        return not self.came_to_nothing(now) and self.status != Status.PROMOTED

    def came_to_nothing(self, now: float) -> bool:
        return self.is_lost(now) or self.status in CAME_TO_NOTHING

    def is_lost(self, now: float) -> bool:
        return self.status is None and now - self.at > LOST_SECONDS


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What has a model trained again, or not."""

    causes: Sequence[tuple[str, str]]
    """What was seen: one of `training_request.CAUSES` each, and the sentence that says so."""
    rows: int
    """Rows that were labelled since the last training was asked for."""
    lacks: Sequence[str] = ()
    """Columns of a dataset that labelled rows lack."""
    base: str = ""
    """Why there is no dataset to add them to; empty where there is one."""
    since: float | None = None
    """When the live version was registered, in seconds since 1970; None where nobody knows."""


@dataclass(frozen=True, kw_only=True)
class Decision:
    """Whether a training is asked for, and why."""

    begin: bool
    cause: str | None
    """None: nothing was seen that has the model trained again."""
    said: str


def decide(policy: RetrainingPolicy, seen: Seen, past: Sequence[Asked], now: float) -> Decision:
    """Return whether a training is asked for at `now`, in seconds since 1970. `past` are those of before, in order.

    Of several causes the first counts that the policy knows: drift, quality, rows, schedule.
    """
    cause, why = _cause(policy, seen, past, now)
    if cause is None:
        return Decision(begin=False, cause=None, said="nothing was seen that has the model trained again")
    against = _against(policy, seen, past, now)
    return Decision(begin=not against, cause=cause, said=f"{why}; {against}" if against else why)


def cool_down_seconds(policy: RetrainingPolicy, past: Sequence[Asked], now: float) -> float:
    """Return how long after the last training none is asked for: twice as long after each that came to nothing."""
    if not past:
        return 0.0
    shortest = max(policy.cool_down_hours * HOUR, 2 * past[-1].seconds)
    in_vain = 0
    for asked in reversed(past):
        if not asked.came_to_nothing(now):
            break
        in_vain += 1
    return min(shortest * 2**in_vain, LONGEST_SECONDS)


def _cause(policy: RetrainingPolicy, seen: Seen, past: Sequence[Asked], now: float) -> tuple[str | None, str]:
    found = dict(seen.causes)
    for cause, wanted in (("drift", policy.drift), ("quality", policy.quality)):
        if wanted and cause in found:
            return cause, found[cause]
    if policy.rows is not None and seen.rows >= policy.rows:
        return (
            "rows",
            f"{seen.rows:,} rows were labelled since the last training; {policy.rows:,} have it trained again",
        )
    last = past[-1].at if past else seen.since
    if policy.days is not None and last is not None and now - last >= policy.days * DAY:
        days = int((now - last) / DAY)
        return "schedule", f"the last training was {days} days ago; every {policy.days} it is trained again"
    return None, ""


def _against(policy: RetrainingPolicy, seen: Seen, past: Sequence[Asked], now: float) -> str:
    """Return why no training is asked for although there is a cause; nothing where nothing speaks against it."""
    if past and past[-1].is_under_way(now):
        return f"the training that was asked for on {_day(past[-1].at)} is under way"
    return _nothing_to_learn(policy, seen) or _too_soon(policy, past, now)


def _nothing_to_learn(policy: RetrainingPolicy, seen: Seen) -> str:
    if seen.base:
        return seen.base
    if seen.lacks:
        lacking = ", ".join(seen.lacks)
        return (
            f"labelled rows lack {lacking}, which no request has or no capture keeps:"
            " upload a dataset that has such rows, too"
        )
    if seen.rows < policy.minimum_rows:
        return (
            f"there is nothing to learn from: {seen.rows:,} rows were labelled since the last training,"
            f" and {policy.minimum_rows:,} are needed (retraining.minimum_rows)"
        )
    return ""


def _too_soon(policy: RetrainingPolicy, past: Sequence[Asked], now: float) -> str:
    waits = cool_down_seconds(policy, past, now)
    if past and now - past[-1].at < waits:
        why = ", since what came of it is no better" if past[-1].came_to_nothing(now) else ""
        last, following = _day(past[-1].at), _moment(past[-1].at + waits)
        return f"the last training was asked for on {last}, and the next is not before {following}{why}"
    lately = [asked for asked in past if now - asked.at < MONTH_DAYS * DAY]
    if len(lately) >= policy.runs_a_month:
        return f"{len(lately)} were asked for in {MONTH_DAYS} days, the most (retraining.runs_a_month)"
    return ""


def _day(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d}"


def _moment(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M} UTC"
