"""The alarms of every stack, a row each: what is measured, from where on it is an alarm, and what a person is told.

The table knows no cloud. Each cloud's `monitor.py` says how its own service measures a row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from infra.alerts import Alerts

DOCS = "docs/watching.md#alarms"
MINUTE, HOUR, DAY = 60, 3600, 86_400
FEWEST = 100
"""Requests in a window below which a share of them says nothing."""
MODEL = ("model", "version", "variant")
"""The fields of a line that say who answered."""


@dataclass(frozen=True, kw_only=True)
class Lines:
    """A metric of the lines that functions log: each line with these fields counts, or tells a value."""

    name: str
    by: tuple[str, ...]
    """The functions that log them, by their rows in the table; `predict` stands for all that answer the API."""
    having: tuple[tuple[str, str], ...]
    """The fields of a line, a dot between a field and one in it, and their values."""
    value: str = ""
    """The field that is measured; empty where lines are counted."""
    labels: tuple[str, ...] = ()
    """The fields that tell apart what the metric is of."""


class Measured(Enum):
    """What a cloud itself measures of a stack."""

    REQUESTS = "requests"
    """That the API answered, whatever the answer."""
    ERRORS = "errors"
    """That it answered with a status of 500 or above."""
    THROTTLES = "throttles"
    """Calls of a function that answers the API for which there was no copy."""
    QUEUE_SECONDS = "queue seconds"
    """How long the oldest message has waited for its consumer."""
    DEAD_LETTERS = "dead letters"
    FAILED_EXECUTIONS = "failed executions"
    """Of the training workflow, those that timed out among them."""


class How(Enum):
    """What becomes of the values of a window."""

    SUM = "sum"
    MOST = "most"
    P95 = "95 % point"
    SHARE = "share"
    """The sum, divided by that of all requests; 0 where these are fewer than `FEWEST`."""
    SILENCE = "silence"
    """The sum, which is an alarm when it is below the threshold, and when there is none."""


@dataclass(frozen=True, kw_only=True)
class Alarm:
    name: str
    of: Lines | Measured
    how: How = How.SUM
    threshold: float = 1
    """From it on it is an alarm; with `SILENCE` below it."""
    window_seconds: int = 5 * MINUTE
    says: str
    """What a person is told has happened."""
    do: str
    """What he does next."""

    @property
    def text(self) -> str:
        """What a person is sent."""
        return f"{self.says} Next: {self.do} {DOCS}"


LATENCY = Lines(name="Latency", by=("predict",), having=(("event", "request"),), value="ms", labels=MODEL)
STARTS = Lines(name="Starts", by=("predict",), having=(("event", "started"),))
LOAD_FAILED = Lines(name="LoadFailed", by=("predict", "jobs"), having=(("metric", "LoadFailed"),), labels=MODEL[:2])
DRIFT = Lines(name="Drift", by=("watch",), having=(("metric", "Drift"),), labels=MODEL[:2])
QUALITY = Lines(name="QualityBelowFloor", by=("watch",), having=(("metric", "QualityBelowFloor"),), labels=MODEL[:2])
IN_VAIN = Lines(name="TrainedInVain", by=("watch",), having=(("metric", "TrainedInVain"),), labels=MODEL[:1])
NOT_AGAIN = Lines(name="NotTrainedAgain", by=("watch",), having=(("metric", "NotTrainedAgain"),), labels=MODEL[:1])
ROLLED_BACK = Lines(name="RolledBack", by=("rollout",), having=(("answer.status", "rolled_back"),), labels=MODEL[:1])
RUN_ENDED = Lines(name="RunEnded", by=("supervise",), having=(("metric", "RunEnded"),), labels=MODEL[:1])


BURNING: Mapping[str, tuple[float, int, str]] = {
    "burn-fast": (14.4, HOUR, "two days"),
    "burn-slow": (6.0, 6 * HOUR, "five days"),
}
"""How many times as fast as a month allows faults come, in which window, and when all that a month allows are used up:
https://sre.google/workbook/alerting-on-slos/"""

ROWS: tuple[Alarm, ...] = (
    Alarm(
        name="errors",
        of=Measured.ERRORS,
        threshold=5,
        says="The API answered five requests or more within five minutes with a status of 500 or above.",
        do="`sml logs predict --level error` says why; after a release `sml rollback MODEL` takes it back.",
    ),
    Alarm(
        name="throttles",
        of=Measured.THROTTLES,
        threshold=5,
        says="Five calls or more within five minutes found no copy of the function that answers the API.",
        do="raise functions.predict.concurrency or the account's quota, or lower api.throttling.rate.",
    ),
    Alarm(
        name="cold-starts",
        of=STARTS,
        threshold=60,
        window_seconds=15 * MINUTE,
        says="Copies of the function that answers the API started 60 times or more within a quarter of an hour.",
        do="`sml logs predict` says whether a fault ends them; if none, a scaling.profile may keep some ready.",
    ),
    Alarm(
        name="queue-age",
        of=Measured.QUEUE_SECONDS,
        how=How.MOST,
        threshold=15 * MINUTE,
        says="The oldest message of a queue has waited for a quarter of an hour.",
        do="`sml logs jobs` says whether jobs are done at all; raise functions.jobs.concurrency if they are.",
    ),
    Alarm(
        name="dead-letters",
        of=Measured.DEAD_LETTERS,
        how=How.MOST,
        says="A message failed every attempt, and is kept as a dead letter.",
        do="`sml logs FUNCTION --level error` says why; once that is mended, `sml redrive FUNCTION` sends it again. One"
        " that a schedule or an arrival could not deliver stays until it is deleted in the cloud's console.",
    ),
    Alarm(
        name="failed-executions",
        of=Measured.FAILED_EXECUTIONS,
        says="An execution of the training workflow failed.",
        do="`sml runs MODEL` names the run, and `sml show MODEL RUN` its cause.",
    ),
    Alarm(
        name="stuck-executions",
        of=RUN_ENDED,
        window_seconds=15 * MINUTE,
        says="A run was ended on which nothing worked any more.",
        do="`sml show MODEL RUN` says what it was doing; upload the dataset again to begin another.",
    ),
    Alarm(
        name="load-failed",
        of=LOAD_FAILED,
        window_seconds=15 * MINUTE,
        says="A version does not load, and another one answers in its place.",
        do="`sml logs predict --level error` says which and why; `sml registry verify` looks at every object.",
    ),
    Alarm(
        name="drift",
        of=DRIFT,
        window_seconds=DAY,
        says="The rows that come are not as those that the live version learnt from, two windows in a row.",
        do="`sml drift MODEL` names the columns; train on rows of these days.",
    ),
    Alarm(
        name="quality",
        of=QUALITY,
        window_seconds=DAY,
        says="The answers of a live version are worse than its floor, by what callers told later.",
        do="`sml quality MODEL` says how much; `sml retrain MODEL --labelled` trains on the rows with their truths.",
    ),
    Alarm(
        name="trained-in-vain",
        of=IN_VAIN,
        window_seconds=DAY,
        says="A model was trained again by itself, and nothing came of it: what was live stays.",
        do="`sml retrain MODEL --past` says what came of it; look at the truths before the next one learns from them.",
    ),
    Alarm(
        name="not-trained-again",
        of=NOT_AGAIN,
        window_seconds=DAY,
        says="A model ought to be trained again, and is not.",
        do="`sml retrain MODEL --past` says what speaks against it, as that too few truths were told.",
    ),
    Alarm(
        name="rolled-back",
        of=ROLLED_BACK,
        window_seconds=HOUR,
        says="A version was rolled back.",
        do="`sml runs MODEL` names its run, and `sml show MODEL RUN` says why.",
    ),
)
"""Those whose bounds are the same in every stack. Another one is a row here, and a row in docs/watching.md."""


def alarms(alerts: Alerts) -> tuple[Alarm, ...]:
    """Return the alarms of a stack by its settings; none where they say so."""
    if not alerts.alarms:
        return ()
    return (*ROWS, _slow(alerts.latency_ms), *_burning(alerts.objective), *_silent(alerts.silence_minutes))


def metrics(chosen: tuple[Alarm, ...]) -> tuple[Lines, ...]:
    """Return the metrics of lines that alarms read, each once."""
    return tuple(dict.fromkeys(alarm.of for alarm in chosen if isinstance(alarm.of, Lines)))


def _slow(ms: int) -> Alarm:
    return Alarm(
        name="latency",
        of=LATENCY,
        how=How.P95,
        threshold=ms,
        window_seconds=15 * MINUTE,
        says=f"One request in twenty took {ms:,} ms or longer in the function, over a quarter of an hour.",
        do="`sml tune` says which memory is fast enough; `sml versions MODEL` says what was promoted last.",
    )


def _burning(objective: float) -> tuple[Alarm, ...]:
    allowed = 1 - objective / 100
    return tuple(
        Alarm(
            name=name,
            of=Measured.ERRORS,
            how=How.SHARE,
            threshold=round(times * allowed, 6),
            window_seconds=window,
            says=f"At the share of faults of the last {window // HOUR} h, all that {objective:g} % a month allows are"
            f" used up in {spent}.",
            do="`sml logs predict --level error` says why; after a release `sml rollback MODEL` takes it back.",
        )
        for name, (times, window, spent) in BURNING.items()
    )


def _silent(minutes: int | None) -> tuple[Alarm, ...]:
    if minutes is None:
        return ()
    return (
        Alarm(
            name="no-traffic",
            of=Measured.REQUESTS,
            how=How.SILENCE,
            window_seconds=minutes * MINUTE,
            says=f"No request came within {minutes} minutes.",
            do="`sml status` says whether the API answers; then ask those who call it.",
        ),
    )
