"""A stack is stopped and resumed by a person: what is sent, what is waited for, and what is told."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from functions.core.stopping.record import Phase, Records, StopRecord
from localcloud.support.http_server import HttpServer, Request, Response, json_response
from tests.sml.staged import MODEL, Staged

QUEUE = {
    "logs": "arn:aws:logs:eu-west-1:1:log-group:stop-logs-1",
    "queue": "https://sqs.eu-west-1.amazonaws.com/1/stop",
}
STOPPED = StopRecord(phase=Phase.STOPPED, at="2026-12-01T13:00:00+00:00", by="the budget", why="51.20 USD")
PARTS = [
    {"name": "schedule nightly", "state": {"state": "ENABLED"}, "stopped": False},
    {"name": "function predict", "state": {"reserved": None}, "stopped": False},
    {"name": "function train", "state": {"reserved": 0}, "stopped": True},
]


@pytest.fixture
def stoppable(staged: Staged) -> Staged:
    staged.outputs["functions"]["stop"] = QUEUE
    return staged


def obeying(staged: Staged, act: Callable[[Records, dict[str, Any]], object]) -> threading.Thread:
    """Carry out the next demand as the function would, in a thread."""

    def wait() -> None:
        end = time.monotonic() + 20
        while not staged.sent and time.monotonic() < end:
            time.sleep(0.01)
        act(Records(staged.registry), staged.sent[-1][1])

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def test_a_stop_is_sent_with_who_and_why_and_told_once_it_is_done(stoppable: Staged) -> None:
    def stop(records: Records, message: dict[str, Any]) -> None:
        answered = message["id"]
        records.change(lambda _: replace(STOPPED, by=message["by"], why=message["why"], answered=answered))

    thread = obeying(stoppable, stop)
    said = stoppable.sml("stop", "--reason", "too dear")
    thread.join()
    ((function, message),) = stoppable.sent
    assert (function, message["action"], message["why"]) == ("stop", "stop", "too dear")
    assert (said.code, f"by {message['by']}" in said.out, "resume" in said.out) == (0, True, True)


def test_a_rehearsal_lists_every_part_and_what_a_stop_would_do(stoppable: Staged) -> None:
    thread = obeying(stoppable, lambda records, sent: records.write_rehearsal({"id": sent["id"], "parts": PARTS}))
    said = stoppable.sml("stop", "--rehearse")
    thread.join()
    assert [message["action"] for _, message in stoppable.sent] == ["rehearse"]
    shown = [" ".join(line.split()) for line in said.out.splitlines()[1:]]
    assert shown == [
        'schedule nightly state "ENABLED" stop it',
        "function predict reserved not set stop it",
        "function train reserved 0 leave it: it is stopped",
    ]


def test_a_resume_is_told_once_it_is_done(stoppable: Staged) -> None:
    Records(stoppable.registry).change(lambda _: STOPPED)
    thread = obeying(stoppable, lambda records, sent: records.change(lambda _: StopRecord(answered=sent["id"])))
    said = stoppable.sml("resume")
    thread.join()
    assert (said.code, "runs as before" in said.out) == (0, True)


def test_a_resume_of_a_stack_that_runs_says_that_it_was_not_stopped(stoppable: Staged) -> None:
    thread = obeying(stoppable, lambda records, sent: records.change(lambda _: StopRecord(answered=sent["id"])))
    said = stoppable.sml("resume")
    thread.join()
    assert (said.code, said.out) == (0, "local runs; it was not stopped\n")


def test_who_uploads_or_trains_while_a_stack_is_stopped_is_told(stoppable: Staged, tmp_path: Path) -> None:
    Records(stoppable.registry).change(lambda _: STOPPED)
    table = tmp_path / "data.csv"
    table.write_text("a,b\n1,2\n")
    halted = "the stack local is stopped since 2026-12-01T13:00:00+00:00, by the budget: `sml resume` has it go on"
    for more in ((), ("--wait",)):
        said = stoppable.sml("upload", MODEL, str(table), *more)
        assert (said.code, halted in said.err, f"then `sml retrain {MODEL}`" in said.err) == (1, True, True)
    assert stoppable.data.exists(f"{MODEL}/incoming/data.csv")
    for more in ((), ("--labelled",), ("--window",)):
        said = stoppable.sml("retrain", MODEL, *more)
        assert (said.code, halted in said.err, stoppable.started) == (1, True, [])


@pytest.mark.parametrize("status", [429, 503])
def test_who_is_refused_by_the_cloud_is_told_that_the_stack_is_stopped(stoppable: Staged, status: int) -> None:
    def refuses(_: Request) -> Response:
        return json_response(status, {"message": "Rate Exceeded."})

    Records(stoppable.registry).change(lambda _: STOPPED)
    with HttpServer(refuses, limit=1000) as server:
        stoppable.outputs["endpoint"] = server.url
        api = stoppable.sml("status").out
    assert f"{status}: Rate Exceeded; the stack local is stopped since 2026-12-01T13:00:00+00:00, by the budget" in api


def test_what_is_not_done_in_time_says_where_the_log_is(stoppable: Staged) -> None:
    said = stoppable.sml("stop", "--timeout", "1")
    assert (said.code, "is not stopped after 1 s" in said.err, "logs stop" in said.err) == (4, True, True)


def test_a_stack_without_the_function_says_which_setting_brings_it(staged: Staged) -> None:
    for command in ("stop", "resume"):
        said = staged.sml(command)
        assert (said.code, "budget.stop_at" in said.err, said.err.count("\n")) == (1, True, 1)
    assert staged.sml("status", "--json").document["stopped"] is None


def test_the_status_says_by_whom_and_why_a_stack_is_stopped(stoppable: Staged) -> None:
    assert stoppable.sml("status", "--json").document["stopped"] is None
    Records(stoppable.registry).change(lambda _: STOPPED)
    said = stoppable.sml("status").out
    assert "stopped since 2026-12-01T13:00:00+00:00, by the budget: 51.20 USD; `sml resume" in said
    assert stoppable.sml("status", "--json").document["stopped"]["phase"] == "stopped"
