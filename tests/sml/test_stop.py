"""A stack is stopped and resumed by a person: what is sent, what is waited for, and what is told."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from functions.core.stopping.record import Phase, Records, StopRecord
from tests.sml.staged import Staged

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
