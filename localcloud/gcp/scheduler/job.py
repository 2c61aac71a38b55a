"""One job of Cloud Scheduler: when its next attempt is due. It has no thread and no clock of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

ATTEMPT_SECONDS = (15, 1800)
MAX_RETRIES = 5


@dataclass(frozen=True, kw_only=True)
class Target:
    """The request that a job sends, with an OAuth token, an OIDC token or neither."""

    uri: str
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    oauth_account: str = ""
    oidc_account: str = ""
    audience: str = ""


@dataclass(frozen=True, kw_only=True)
class RetryConfig:
    """When a failed attempt is repeated. Durations are in seconds.

    https://cloud.google.com/scheduler/docs/reference/rest/v1/projects.locations.jobs#RetryConfig.
    Attempts are repeated until there were `count` repetitions and `max_duration` has passed; a
    `max_duration` of 0 leaves it to the count.
    """

    count: int = 0
    max_duration: float = 0
    min_backoff: float = 5
    max_backoff: float = 3600
    max_doublings: int = 5

    def pause(self, repetition: int) -> float:
        """Return the seconds before a repetition, from 1: doubled `max_doublings` times, then growing linearly."""
        doubled = self.min_backoff * 2 ** min(repetition - 1, self.max_doublings)
        further = max(repetition - 1 - self.max_doublings, 0)
        return min(self.max_backoff, doubled * (1 + further))

    def gives_up(self, repetitions: int, elapsed: float) -> bool:
        """Return whether a run ends after this many repetitions and seconds."""
        if self.count == 0 and self.max_duration == 0:
            return True
        return repetitions >= self.count and (self.max_duration == 0 or elapsed >= self.max_duration)


@dataclass(frozen=True, kw_only=True)
class JobArgs:
    """A job as it is declared. Raises `ValueError` for what Cloud Scheduler would refuse."""

    name: str
    schedule: str
    target: Target
    time_zone: str = "Etc/UTC"
    retry: RetryConfig = RetryConfig()
    attempt_deadline_seconds: float = 180

    def __post_init__(self) -> None:
        shortest, longest = ATTEMPT_SECONDS
        seconds = self.attempt_deadline_seconds
        if not shortest <= seconds <= longest:
            raise ValueError(
                f"job {self.name}: attempt deadline is {seconds} seconds; accepted: {shortest} to {longest}"
            )
        if not 0 <= self.retry.count <= MAX_RETRIES:
            raise ValueError(f"job {self.name}: retry count is {self.retry.count}; accepted: 0 to {MAX_RETRIES}")
        if self.target.oauth_account and self.target.oidc_account:
            raise ValueError(f"job {self.name}: an OAuth and an OIDC token; accepted: one of them")


class Job:
    """A schedule and its runs: a run is one attempt, and its repetitions after failures.

    `following(time)` returns the first scheduled time after another. Times are in seconds since 1970.
    """

    def __init__(self, args: JobArgs, following: Callable[[float], float], now: float) -> None:
        self.args = args
        self._following = following
        self.due = following(now)
        self.under_way = False
        self.paused = False
        """Whether no run of it begins."""
        self.scheduled = self.due
        """The scheduled time of the current run."""
        self._repetitions = 0
        self._first = 0.0

    def hasten(self, now: float) -> None:
        """Make a run due at once. Does nothing while an attempt is under way."""
        if not self.under_way:
            self.due = self.scheduled = now
            self._repetitions = 0

    def pause(self) -> None:
        """Begin no run from now on. One that is under way is not repeated."""
        self.paused = True
        self._repetitions = 0

    def resume(self, now: float) -> None:
        """Begin runs again, at the next scheduled time."""
        if self.paused:
            self.paused = False
            self.due = self._following(now)

    def begin(self, now: float) -> bool:
        """Return whether an attempt is due. If so, it is under way until `end`."""
        if self.under_way or self.paused or self.due > now:
            return False
        if self._repetitions == 0:
            self._first, self.scheduled = now, self.due
        self.under_way = True
        return True

    def end(self, succeeded: bool, now: float) -> float | None:
        """End an attempt. Return the time at which it is repeated; None when the run has ended."""
        self.under_way = False
        if succeeded or self.args.retry.gives_up(self._repetitions, now - self._first):
            self._repetitions = 0
            self.due = self._following(now)
            return None
        self._repetitions += 1
        self.due = now + self.args.retry.pause(self._repetitions)
        return self.due
