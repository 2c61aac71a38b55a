"""On both embedded clouds: the stack is stopped, by hand and by its budget, and goes on as it was."""

from __future__ import annotations

import http.client
import json
from datetime import UTC, datetime
from urllib.parse import urlsplit

from models.breast_cancer.sample import TARGET
from tests.loop.running import MODEL, PREDICT, Running, rows

RECORD = ".stopped/stack/record.json"


def answered(running: Running) -> int:
    """Return the status of a prediction. What refuses it does not always speak JSON."""
    case = {name: value for name, value in rows(0, 1)[0].items() if name != TARGET}
    connection = http.client.HTTPConnection(urlsplit(running.stack.outputs["endpoint"]).netloc, timeout=60)
    try:
        body = json.dumps({"instances": [case]})
        connection.request("POST", PREDICT, body, {"content-type": "application/json"})
        return connection.getresponse().status
    finally:
        connection.close()


def test_a_stack_stops_whoever_asks_keeps_its_messages_and_goes_on_as_it_was(running: Running) -> None:
    rehearsed = running.sml("stop", "--rehearse", "--json").document
    assert {part["stopped"] for part in rehearsed} == {False}
    assert answered(running) == 200
    said = running.sml("stop", "--reason", "a rehearsal")
    assert (said.code, "is stopped since" in said.out) == (0, True), said
    assert answered(running) in (429, 503)
    assert not running.stack.deploy(), "an update finds nothing to put back"
    assert answered(running) in (429, 503)
    assert running.sml("status", "--json").document["stopped"]["why"] == "a rehearsal"
    assert {part["stopped"] for part in running.sml("stop", "--rehearse", "--json").document} == {True}
    running.jobs.put(f"{MODEL}/in/waits.jsonl", json.dumps(rows(0, 1)[0]).encode() + b"\n")
    before = json.loads(running.models.get(RECORD))
    assert running.sml("stop").code == 0
    assert json.loads(running.models.get(RECORD))["before"] == before["before"]
    assert running.sml("resume").code == 0
    assert answered(running) == 200
    after = running.sml("stop", "--rehearse", "--json").document
    assert [part["state"] for part in after] == [part["state"] for part in rehearsed]
    running.wait(lambda: running.jobs.keys(f"{MODEL}/out/waits") or None, "the job that waited")
    assert running.sml("status", "--json").document["stopped"] is None


def test_the_budget_stops_the_stack_and_is_overruled_for_the_month(running: Running) -> None:
    now = datetime.now(UTC)
    said = {
        "s3": {"Type": "Notification", "Timestamp": now.isoformat(), "Subject": "AWS Budgets: over", "TopicArn": "x"},
        "gs": {"costAmount": 51.2, "currencyCode": "USD", "costIntervalStart": f"{now:%Y-%m}-01T08:00:00Z"},
    }[str(running.stack.outputs["data_url"]).partition("://")[0]]

    def stopped() -> bool | None:
        found = running.sml("status", "--json").document["stopped"] or {}
        return (found.get("phase"), found.get("by")) == ("stopped", "the budget") or None

    try:
        running.sml("send", "stop", json.dumps(said))
        running.wait(stopped, "the budget to stop the stack")
        assert "by the budget" in running.sml("status").out
    finally:
        assert running.sml("resume").code == 0
    running.sml("send", "stop", json.dumps(said))
    assert {part["stopped"] for part in running.sml("stop", "--rehearse", "--json").document} == {False}
    assert answered(running) == 200
