"""One job of Cloud Scheduler: when its next attempt is due. No thread, no clock of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

ATTEMPT_SECONDS = (15, 1800)
MOST_RETRIES = 5


@dataclass(frozen=True, kw_only=True)
class Target:
    """The request that a job sends, with a token for at most one of the two kinds of account."""

    uri: str
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    oauth_account: str = ""
    oidc_account: str = ""
    audience: str = ""


@dataclass(frozen=True, kw_only=True)
class RetryConfig:
    """Seconds, as https://cloud.google.com/scheduler/docs/reference/rest/v1/projects.locations.jobs#RetryConfig.

    A failed attempt is repeated until there were `count` repetitions and `longest` is over; a
    `longest` of 0 leaves it to the count.
    """

    count: int = 0
    longest: float = 0
    min_backoff: float = 5
    max_backoff: float = 3600
    max_doublings: int = 5

    def pause(self, repetition: int) -> float:
        """Before the first, second... repetition: doubled so often, then longer by the same amount each time."""
        doubled = self.min_backoff * 2 ** min(repetition - 1, self.max_doublings)
        further = max(repetition - 1 - self.max_doublings, 0)
        return min(self.max_backoff, doubled * (1 + further))

    def gives_up(self, repetitions: int, elapsed: float) -> bool:
        if self.count == 0 and self.longest == 0:
            return True
        return repetitions >= self.count and (self.longest == 0 or elapsed >= self.longest)


@dataclass(frozen=True, kw_only=True)
class JobArgs:
    """A job as it is declared. Raises `ValueError` for what Cloud Scheduler would not take."""

    name: str
    schedule: str
    target: Target
    time_zone: str = "Etc/UTC"
    retry: RetryConfig = RetryConfig()
    attempt_deadline_seconds: float = 180

    def __post_init__(self) -> None:
        least, most = ATTEMPT_SECONDS
        if not least <= self.attempt_deadline_seconds <= most:
            found = self.attempt_deadline_seconds
            raise ValueError(f"job {self.name}: attempt deadline is {found} seconds; accepted: {least} to {most}")
        if not 0 <= self.retry.count <= MOST_RETRIES:
            raise ValueError(f"job {self.name}: retry count is {self.retry.count}; accepted: 0 to {MOST_RETRIES}")
        if self.target.oauth_account and self.target.oidc_account:
            raise ValueError(f"job {self.name}: an OAuth and an OIDC token; accepted: one of them")


class Job:
    """A schedule with its attempts: a run is one attempt, and its repetitions after failures."""

    def __init__(self, args: JobArgs, following: Callable[[float], float], now: float) -> None:
        self.args = args
        self._following = following
        self.due = following(now)
        self.under_way = False
        self.scheduled = self.due
        """When the run at hand was meant to begin."""
        self._repetitions = 0
        self._first = 0.0

    def hasten(self, now: float) -> None:
        """Due at once, as a run of its own; nothing changes for one that is under way."""
        if not self.under_way:
            self.due = self.scheduled = now
            self._repetitions = 0

    def begin(self, now: float) -> bool:
        """Whether an attempt is to be made now. It is then under way until `end`."""
        if self.under_way or self.due > now:
            return False
        if self._repetitions == 0:
            self._first, self.scheduled = now, self.due
        self.under_way = True
        return True

    def end(self, done: bool, now: float) -> float | None:
        """The attempt is over. When it is repeated, or None: the run is over, and the next one waits for its time."""
        self.under_way = False
        if done or self.args.retry.gives_up(self._repetitions, now - self._first):
            self._repetitions = 0
            self.due = self._following(now)
            return None
        self._repetitions += 1
        self.due = now + self.args.retry.pause(self._repetitions)
        return self.due
