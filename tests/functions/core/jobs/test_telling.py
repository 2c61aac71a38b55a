from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from functions.core.http.problem import Problem
from functions.core.jobs.job import Job, dead_letter_reason
from functions.core.jobs.telling import Telling
from functions.core.jobs.webhook import Webhook
from functions.core.runtime.consumer import Delivery
from tests.functions import jobbing
from tests.functions.jobbing import ATTEMPTS
from tests.functions.serving import MODEL, Bench, said

ONE = json.dumps({"instances": [[1, 9]]}).encode()
LAST = Delivery(number=ATTEMPTS, seconds_left=lambda: 30.0)


@pytest.fixture
def bench() -> Bench:
    bench = Bench()
    bench.champion()
    return bench


def telling(bench: Bench, webhook: Webhook) -> Telling:
    return Telling(jobbing.worker(bench, bench.jobs), webhook, bench.jobs, (MODEL,), bench.log, attempts=ATTEMPTS)


class Receiver:
    """Receives events, or answers with another status."""

    def __init__(self) -> None:
        self.status = 204
        self.events: list[tuple[str, dict[str, Any]]] = []

    def __call__(self, _: str, headers: Mapping[str, str], body: bytes) -> int:
        if self.status == 204:
            self.events.append((headers["webhook-id"], json.loads(body)))
        return self.status


@pytest.mark.parametrize(
    ("name", "content", "status", "facts"),
    [
        ("j", ONE, "done", {"version"}),
        ("j.jsonl", b"[1, 9]\n[1]\n", "done", {"version", "rows", "refused"}),
        ("j", b"no JSON", "failed", set()),
    ],
)
def test_whoever_waits_is_told_once_how_a_job_ended(
    name: str, content: bytes, status: str, facts: set[str], bench: Bench
) -> None:
    receiver = Receiver()
    told = telling(bench, Webhook("https://receiver", "s" * 24, send=receiver, clock=bench.clock))
    bench.jobs.put(f"{MODEL}/in/{name}", content)
    for _ in range(3):
        told.work(f"{MODEL}/in/{name}")
    [(identity, event)] = receiver.events
    assert identity == f"{MODEL}/{name}/{status}"
    assert event["type"] == f"job.{status}"
    assert event["timestamp"] == "2026-09-21T14:13:20+00:00"
    assert event["data"].items() >= {"id": name, "model": MODEL, "status": status}.items()
    assert set(event["data"]) == {"id", "model", "status"} | facts


def test_whoever_waits_is_told_when_a_job_was_cancelled_or_given_up(bench: Bench) -> None:
    receiver = Receiver()
    told = telling(bench, Webhook("https://receiver", "s" * 24, send=receiver))
    job = Job(model=MODEL, name="j")
    bench.jobs.put(job.input, ONE)
    bench.jobs.put(job.cancelled, b"{}")
    bench.jobs.put(f"{MODEL}/in/k", ONE)
    told.work(job.input)
    other = Bench(jobs=bench.jobs)
    with pytest.raises(Problem):
        telling(other, Webhook("https://receiver", "s" * 24, send=receiver)).work(f"{MODEL}/in/k", LAST)
    assert [event["type"] for _, event in receiver.events] == ["job.cancelled", "job.failed"]


def test_an_event_that_is_not_received_is_sent_again_and_the_job_is_done_all_the_same(bench: Bench) -> None:
    receiver = Receiver()
    receiver.status = 503
    told = telling(bench, Webhook("https://receiver", "s" * 24, send=receiver))
    bench.jobs.put(f"{MODEL}/in/j", ONE)
    with pytest.raises(OSError, match="the webhook answered 503; accepted: 2xx"):
        told.work(f"{MODEL}/in/j")
    assert list(bench.jobs.keys(f"{MODEL}/out")) == [f"{MODEL}/out/j.json"]
    receiver.status = 204
    told.work(f"{MODEL}/in/j", Delivery(number=2))
    assert len(receiver.events) == 1


def test_where_an_event_is_never_received_the_dead_letter_has_a_reason_and_the_job_stays_done(bench: Bench) -> None:
    receiver, job = Receiver(), Job(model=MODEL, name="j")
    receiver.status = 503
    told = telling(bench, Webhook("https://receiver", "s" * 24, send=receiver))
    bench.jobs.put(job.input, ONE)
    with pytest.raises(OSError, match="503"):
        told.work(job.input)
    assert not list(bench.jobs.keys(f"{MODEL}/dead"))
    with pytest.raises(OSError, match="503"):
        told.work(job.input, LAST)
    reason = bench.jobs.get_json(dead_letter_reason(job.input))["reason"]
    assert reason == "the job is over, and its event was not received: the webhook answered 503; accepted: 2xx"
    assert said(bench.send("GET", f"/v2/models/{MODEL}/jobs/j"))["status"] == "done"
