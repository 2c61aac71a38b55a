"""Jobs: when they are due, repeated, and given up."""

from __future__ import annotations

import datetime
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localcloud.gcp.outbound import Request, sender
from localcloud.gcp.pubsub.pubsub import NotFound
from localcloud.gcp.scheduler.job import JobArgs, RetryConfig, Target
from localcloud.gcp.scheduler.scheduler import Scheduler, following
from localcloud.gcp.workflows import Workflows
from localcloud.gcp.workflows.rest import ExecutionsApi

NAME = "projects/p/locations/eu/jobs/retrain"
WORKFLOW = "projects/p/locations/eu/workflows/training"
EXECUTIONS = f"https://workflowexecutions.googleapis.com/v1/{WORKFLOW}/executions"
MONDAY_3 = datetime.datetime(2026, 6, 1, 3, tzinfo=datetime.UTC).timestamp()


@dataclass
class Bench:
    """A scheduler whose clock and receiver the test holds; what is under way ends when the test says so."""

    now: float = MONDAY_3 - 3600
    sent: list[Request] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    waiting: list[Callable[[], None]] = field(default_factory=list)
    later: bool = False

    def __post_init__(self) -> None:
        self.scheduler = Scheduler(
            send=self.send,
            token=lambda account, audience: f"{account}|{audience}",
            log=self.lines.append,
            now=lambda: self.now,
            run=lambda work: self.waiting.append(work) if self.later else work(),
        )

    def send(self, request: Request) -> int:
        self.sent.append(request)
        status = self.statuses.pop(0) if self.statuses else 200
        if not status:
            raise ConnectionResetError("reset")
        return status

    def job(self, schedule: str = "0 3 * * 1", **rest: Any) -> None:
        target = rest.pop("target", Target(uri="http://127.0.0.1:1/"))
        self.scheduler.create(JobArgs(name=NAME, schedule=schedule, target=target, **rest))

    def moments(self, times: int) -> list[float]:
        """Return the times of the next attempts, in seconds after the first."""
        moments = []
        for _ in range(times):
            due = self.scheduler.pump()
            assert due is not None
            self.now = due
            before = len(self.sent)
            self.scheduler.pump()
            assert len(self.sent) == before + 1
            moments.append(self.now)
        return [moment - moments[0] for moment in moments]


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_job_is_sent_when_it_is_due_and_not_before(bench: Bench) -> None:
    bench.job()
    assert bench.scheduler.pump() == MONDAY_3
    bench.now = MONDAY_3 - 0.001
    bench.scheduler.pump()
    assert bench.sent == []
    bench.now = MONDAY_3
    bench.scheduler.pump()
    assert bench.scheduler.pump() == MONDAY_3 + 7 * 24 * 3600
    assert len(bench.sent) == 1


def test_the_request_is_the_target_with_what_the_scheduler_says_of_itself(bench: Bench) -> None:
    target = Target(uri="http://127.0.0.1:1/x", method="PUT", headers={"X-Mine": "1"}, body=b"{}", oidc_account="a@p")
    bench.job(target=target, attempt_deadline_seconds=30)
    bench.moments(1)
    request = bench.sent[0]
    assert (request.method, request.url, request.body, request.seconds) == ("PUT", "http://127.0.0.1:1/x", b"{}", 30)
    assert request.headers == {
        "X-Mine": "1",
        "User-Agent": "Google-Cloud-Scheduler",
        "X-CloudScheduler": "true",
        "X-CloudScheduler-JobName": "retrain",
        "X-CloudScheduler-ScheduleTime": "2026-06-01T03:00:00.000Z",
        "Authorization": "Bearer a@p|http://127.0.0.1:1/x",
    }


@pytest.mark.parametrize(
    ("target", "bearer"),
    [
        (Target(uri="http://127.0.0.1:1/", oauth_account="a@p"), "Bearer a@p|None"),
        (Target(uri="http://127.0.0.1:1/", oidc_account="a@p", audience="me"), "Bearer a@p|me"),
        (Target(uri="http://127.0.0.1:1/"), None),
    ],
)
def test_it_is_sent_as_the_account_that_the_target_names(bench: Bench, target: Target, bearer: str | None) -> None:
    bench.job(target=target)
    bench.moments(1)
    assert bench.sent[0].headers.get("Authorization") == bearer


def test_run_now_sends_at_once_and_the_schedule_stays(bench: Bench) -> None:
    bench.job()
    bench.scheduler.run(NAME)
    bench.scheduler.pump()
    assert bench.scheduler.pump() == MONDAY_3
    assert len(bench.sent) == 1
    with pytest.raises(NotFound, match="jobs/other"):
        bench.scheduler.run("projects/p/locations/eu/jobs/other")


def test_a_failed_attempt_is_repeated_as_the_policy_says_and_said(bench: Bench) -> None:
    bench.job(retry=RetryConfig(count=3, min_backoff=30, max_backoff=100, max_doublings=5))
    bench.statuses = [500, 0, 404, 503, 500]
    assert bench.moments(4) == [0, 30, 90, 190]
    assert bench.scheduler.pump() == MONDAY_3 + 7 * 24 * 3600
    assert bench.lines == [
        f"{NAME}: its request was answered with 500; again in 30 s",
        f"{NAME}: its request was not sent: reset; again in 60 s",
        f"{NAME}: its request was answered with 404; again in 100 s",
        f"{NAME}: its request was answered with 503; given up",
    ]


def test_a_success_ends_the_repetitions(bench: Bench) -> None:
    bench.job(retry=RetryConfig(count=5, min_backoff=30))
    bench.statuses = [500, 201]
    assert bench.moments(3) == [0, 30, 7 * 24 * 3600]


def test_each_run_has_its_own_repetitions(bench: Bench) -> None:
    bench.job(retry=RetryConfig(count=1, min_backoff=30))
    bench.statuses = [500, 500, 500, 200]
    week = 7 * 24 * 3600
    assert bench.moments(4) == [0, 30, week, week + 30]
    assert bench.sent[3].headers["X-CloudScheduler-ScheduleTime"] == "2026-06-08T03:00:00.000Z"


def test_without_a_policy_nothing_is_repeated(bench: Bench) -> None:
    bench.job()
    bench.statuses = [500]
    assert bench.moments(2) == [0, 7 * 24 * 3600]


def test_repetitions_go_on_until_both_limits_are_reached(bench: Bench) -> None:
    bench.job(retry=RetryConfig(count=2, max_duration=100, min_backoff=30, max_backoff=30))
    bench.statuses = [500] * 9
    assert bench.moments(6) == [0, 30, 60, 90, 120, 7 * 24 * 3600]


@pytest.mark.parametrize(
    ("config", "pauses"),
    [
        (RetryConfig(min_backoff=10, max_backoff=300, max_doublings=3), [10, 20, 40, 80, 160, 240, 300, 300]),
        (RetryConfig(min_backoff=5, max_backoff=60, max_doublings=0), [5, 10, 15, 20]),
        (RetryConfig(min_backoff=30, max_backoff=600, max_doublings=5), [30, 60, 120, 240, 480, 600, 600]),
    ],
)
def test_pauses_double_and_then_grow_evenly(config: RetryConfig, pauses: list[float]) -> None:
    assert [config.pause(repetition + 1) for repetition in range(len(pauses))] == pauses


def test_a_run_that_is_still_tried_leaves_out_the_next(bench: Bench) -> None:
    bench.later = True
    bench.job("* * * * *")
    bench.now = MONDAY_3
    bench.scheduler.pump()
    for _ in range(3):
        bench.now += 60
        bench.scheduler.pump()
    assert len(bench.waiting) == 1
    bench.waiting.pop()()
    assert bench.scheduler.pump() == MONDAY_3 + 240
    assert len(bench.sent) == 1


def test_a_deleted_job_is_sent_no_more(bench: Bench) -> None:
    bench.job()
    bench.scheduler.delete(NAME)
    bench.now = MONDAY_3
    assert bench.scheduler.pump() is None
    assert bench.sent == []


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"schedule": "61 * * * *"}, "minute"),
        ({"schedule": "0 0 30 2 *"}, "day-of-month"),
        ({"time_zone": "Europe/Vienna"}, "accepted: Etc/UTC, UTC"),
        ({"attempt_deadline_seconds": 14}, "accepted: 15 to 1800"),
        ({"retry": RetryConfig(count=6)}, "accepted: 0 to 5"),
        ({"target": Target(uri="http://127.0.0.1:1/", oauth_account="a", oidc_account="b")}, "one of them"),
    ],
)
def test_a_job_that_cannot_be_is_refused(bench: Bench, wrong: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        bench.job(**wrong)


def test_the_thread_sends_a_job_that_is_run() -> None:
    sent = threading.Event()

    def send(_: Request) -> int:
        sent.set()
        return 200

    scheduler = Scheduler(send=send, token=lambda *_: "t", log=lambda _: None)
    scheduler.create(JobArgs(name=NAME, schedule="0 3 29 2 *", target=Target(uri="http://127.0.0.1:1/")))
    scheduler.start()
    try:
        scheduler.run(NAME)
        assert sent.wait(timeout=30)
    finally:
        scheduler.stop()
        scheduler.stop()


def test_a_job_starts_a_workflow_through_the_executions_api(bench: Bench) -> None:
    workflows = Workflows(token=lambda *_: "t", log=lambda _: None)
    workflows.deploy(WORKFLOW, "main: {params: [input], steps: [{a: {return: '${input.model}'}}]}", "w@p")
    api = ExecutionsApi(
        workflows, lambda token, permission, _: (token, permission) == ("starter@p|None", "workflows.executions.create")
    )
    bench.scheduler._send = sender({"workflowexecutions.googleapis.com": api.answer})
    body = json.dumps({"argument": json.dumps({"model": "m"})}).encode()
    bench.job(target=Target(uri=EXECUTIONS, body=body, oauth_account="starter@p"))
    bench.scheduler.run(NAME)
    bench.scheduler.pump()
    deadline = time.monotonic() + 30
    while not (done := workflows.executions(WORKFLOW, "SUCCEEDED")):
        assert time.monotonic() < deadline
        time.sleep(0.002)
    assert done[0].result == "m"
    bench.job(target=Target(uri=EXECUTIONS, body=body, oauth_account="stranger@p"))
    bench.scheduler.run(NAME)
    bench.scheduler.pump()
    assert bench.lines == [f"{NAME}: its request was answered with 403; given up"]


def test_other_hosts_are_out_of_reach() -> None:
    with pytest.raises(OSError, match="not on this machine"):
        sender({})(Request(method="GET", url="https://example.com/", headers={}, body=b"", seconds=1))


def some(least: int, most: int) -> st.SearchStrategy[frozenset[int] | None]:
    return st.none() | st.frozensets(st.integers(least, most), min_size=1, max_size=4)


def field(values: frozenset[int] | None) -> str:
    return "*" if values is None else ",".join(map(str, sorted(values)))


@given(
    minutes=some(0, 59),
    hours=some(0, 23),
    days=some(1, 28),
    months_=some(1, 12),
    after=st.integers(1_700_000_000, 1_900_000_000),
)
def test_the_next_moment_is_the_first_that_fits(
    minutes: frozenset[int] | None,
    hours: frozenset[int] | None,
    days: frozenset[int] | None,
    months_: frozenset[int] | None,
    after: int,
) -> None:
    times = following(" ".join(map(field, (minutes, hours, days, months_, None))), after)
    assert times > after
    assert times % 60 == 0
    moment = datetime.datetime.fromtimestamp(times, datetime.UTC)
    fields = ((minutes, moment.minute), (hours, moment.hour), (days, moment.day), (months_, moment.month))
    assert all(allowed is None or value in allowed for allowed, value in fields)
    earliest = datetime.datetime.fromtimestamp(after, datetime.UTC)
    for ahead in range(1, min(int(times - after) // 60, 3000)):
        other = earliest + datetime.timedelta(minutes=ahead)
        between = ((minutes, other.minute), (hours, other.hour), (days, other.day), (months_, other.month))
        assert not all(allowed is None or value in allowed for allowed, value in between)


@pytest.mark.parametrize(("text", "weekday"), [("0 0 * * 0", 6), ("0 0 * * 7", 6), ("0 0 * * 3", 2)])
def test_a_day_of_the_week_is_counted_from_sunday(text: str, weekday: int) -> None:
    times = following(text, MONDAY_3)
    assert datetime.datetime.fromtimestamp(times, datetime.UTC).weekday() == weekday


def test_a_leap_day_comes_when_there_is_one() -> None:
    times = following("30 4 29 2 *", MONDAY_3)
    assert datetime.datetime.fromtimestamp(times, datetime.UTC) == datetime.datetime(
        2028, 2, 29, 4, 30, tzinfo=datetime.UTC
    )


def test_a_job_that_is_paused_sends_nothing_and_goes_on_at_its_next_time() -> None:
    bench = Bench()
    bench.job()
    bench.scheduler.pause(NAME)
    bench.now = MONDAY_3 + 1
    bench.scheduler.pump()
    assert (bench.sent, bench.scheduler.paused(NAME)) == ([], True)
    bench.job()
    assert bench.scheduler.paused(NAME), "a job that is declared anew stays paused"
    bench.scheduler.resume(NAME)
    bench.scheduler.pump()
    assert bench.sent == []
    bench.now = MONDAY_3 + 7 * 86_400
    bench.scheduler.pump()
    assert len(bench.sent) == 1
    with pytest.raises(NotFound):
        bench.scheduler.pause("projects/p/locations/eu/jobs/another")
