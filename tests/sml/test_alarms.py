"""The alarms of a stack: on this machine, in an account of AWS and in a project of GCP."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from botocore.exceptions import ClientError

from sml.alarm import State
from sml.gcp.account import Account as Gcp
from tests.sml.called import called
from tests.sml.staged import OUTPUTS, Staged

SINCE = datetime(2026, 11, 30, 4, 44, tzinfo=UTC)
ALARMS = {"errors": "monitor-errors-1", "drift": "monitor-drift-1", "latency": "monitor-latency-1"}


def here(name: str, *, firing: bool = False) -> dict[str, Any]:
    since = SINCE.timestamp() if firing else None
    return {"name": name, "id": name, "text": f"about {name}", "firing": firing, "since": since}


def test_alarms_that_are_firing_stand_first_and_end_the_command_with_1(staged: Staged) -> None:
    staged.alarms = [here("errors"), here("queue-age"), here("throttles", firing=True)]
    said = staged.sml("alarms")
    lines = [line.split() for line in said.out.splitlines()]
    assert [line[0] for line in lines] == ["alarm", "throttles", "errors", "queue-age"]
    assert lines[1][1:3] == ["firing", "2026-11-30T04:44:00+00:00"]
    assert said.code == 1
    assert staged.sml("alarms", "--json").document[0] == {
        "name": "throttles",
        "state": "firing",
        "since": "2026-11-30T04:44:00+00:00",
        "text": "about throttles",
    }
    staged.alarms = [here("errors")]
    assert staged.sml("alarms").code == 0


def test_a_stack_without_alarms_says_why(staged: Staged) -> None:
    said = staged.sml("alarms")
    assert (said.code, "alerts: {alarms: false}" in said.out) == (0, True)
    assert "the stack has none" in staged.sml("status").out


def test_the_status_names_what_is_firing(staged: Staged) -> None:
    staged.alarms = [here("errors", firing=True), here("drift", firing=True), here("latency")]
    assert "firing: errors, drift: `sml alarms" in staged.sml("status").out
    assert staged.sml("status", "--json").document["alarms"] == {"firing": ["errors", "drift"], "of": 3}
    staged.alarms = [here("latency")]
    assert "none firing of 1" in staged.sml("status").out


class CloudWatch:
    """The alarms of an account."""

    def __init__(self) -> None:
        self.states = {"monitor-errors-1": "ALARM", "monitor-drift-1": "OK"}
        self.asked: list[Any] = []
        self.refusal: Exception | None = None

    def client(self, service: str, region_name: str) -> CloudWatch:
        assert (service, region_name) == ("cloudwatch", "eu-west-1")
        return self

    def describe_alarms(self, **asked: Any) -> Any:
        self.asked.append(asked["AlarmNames"])
        if self.refusal:
            raise self.refusal
        known = [name for name in asked["AlarmNames"] if name in self.states]
        alarms = [
            {"AlarmName": name, "StateValue": self.states[name], "AlarmDescription": f"of {name}"} for name in known
        ]
        return {"MetricAlarms": [{**one, "StateUpdatedTimestamp": SINCE} for one in alarms]}


@pytest.fixture
def cloudwatch(monkeypatch: pytest.MonkeyPatch) -> CloudWatch:
    watch = CloudWatch()
    monkeypatch.setattr(boto3, "client", watch.client)
    return watch


def elsewhere(tmp_path: Path, **outputs: Any) -> Any:
    file = tmp_path / "outputs.json"
    file.write_text(json.dumps({**OUTPUTS, **outputs}), encoding="utf-8")
    return called("alarms", "--json", "--outputs", str(file), state=tmp_path)


def test_cloudwatch_tells_of_the_stacks_own_alarms(cloudwatch: CloudWatch, tmp_path: Path) -> None:
    said = elsewhere(tmp_path, alarms=ALARMS)
    assert [(one["name"], one["state"]) for one in said.document] == [
        ("errors", "firing"),
        ("drift", "quiet"),
        ("latency", "gone"),
    ]
    assert (said.document[0]["since"], said.document[0]["text"]) == (SINCE.isoformat(), "of monitor-errors-1")
    assert (said.code, cloudwatch.asked) == (1, [list(ALARMS.values())])
    cloudwatch.asked.clear()
    elsewhere(tmp_path, alarms={f"a{number}": f"n{number}" for number in range(101)})
    assert [len(asked) for asked in cloudwatch.asked] == [100, 1]


def test_what_aws_refuses_is_a_sentence_and_an_older_stack_has_no_alarms(
    cloudwatch: CloudWatch, tmp_path: Path
) -> None:
    assert elsewhere(tmp_path).document == []
    error = {"Error": {"Code": "AccessDenied", "Message": "you may not"}}
    cloudwatch.refusal = ClientError(error, "DescribeAlarms")
    said = elsewhere(tmp_path, alarms=ALARMS)
    assert (said.code, "AWS refused to show the alarms: AccessDenied: you may not" in said.err) == (1, True)


def test_cloud_monitoring_tells_of_policies_and_of_what_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def ask(_: str, path: str, *__: Any, **___: Any) -> Any:
        place, query = urlsplit(f"https://{path}"), parse_qs(urlsplit(path).query)
        asked.append((place.path, query.get("filter"), query.get("pageToken")))
        if place.path.endswith("alertPolicies"):
            first = "pageToken" not in query
            name = "errors" if first else "drift"
            policy = {"name": f"projects/7/alertPolicies/{name}", "documentation": {"content": f"of {name}"}}
            return {"alertPolicies": [policy], **({"nextPageToken": "more"} if first else {})}
        opened = {"policy": {"name": "projects/7/alertPolicies/errors"}, "openTime": "2026-11-30T04:44:00Z"}
        return {"alerts": [opened]}

    monkeypatch.setattr("sml.gcp.account.ask", ask)
    names = {name: f"projects/p/alertPolicies/{name}" for name in ALARMS}
    workflow = "projects/p/locations/l/workflows/w"
    found = Gcp().alarms({"workflow": workflow, "alarms": names})
    assert [(one.name, one.state, one.text) for one in found] == [
        ("errors", State.FIRING, "of errors"),
        ("drift", State.QUIET, "of drift"),
        ("latency", State.GONE, ""),
    ]
    assert found[0].since == SINCE.timestamp()
    assert asked == [
        ("/v3/projects/p/alertPolicies", None, None),
        ("/v3/projects/p/alertPolicies", None, ["more"]),
        ("/v3/projects/p/alerts", ['state="OPEN"'], None),
    ]
    assert Gcp().alarms({"workflow": workflow}) == []
