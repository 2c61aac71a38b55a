"""What stops a stack on AWS: its requests, its parts, and the demands that it reads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials

from functions.adapters.aws.parts import MappingPart, parts
from functions.adapters.aws.signed import Credentials, signed
from functions.adapters.aws.stop import demand_of
from functions.core.stopping.asked_part import Refused
from functions.core.stopping.demand import BUDGET, Action
from functions.core.stopping.part import NoSuchPart

NAMED = {"schedule": ["nightly"], "mapping": ["uuid"], "ready": ["predict:live"], "function": ["predict"]}
SCHEDULE = {
    "Name": "nightly",
    "Arn": "arn:aws:scheduler:eu-west-1:123456789012:schedule/default/nightly",
    "CreationDate": 1.0,
    "LastModificationDate": 1.0,
    "GroupName": "default",
    "ScheduleExpression": "cron(0 3 * * ? *)",
    "FlexibleTimeWindow": {"Mode": "OFF"},
    "Target": {"Arn": "arn", "RoleArn": "role", "Input": "{}"},
    "State": "ENABLED",
}


class Account:
    """Lambda and EventBridge Scheduler, as far as they are asked."""

    def __init__(self) -> None:
        self.reserved: int | None = None
        self.ready: int | None = 3
        self.mapping = "Enabled"
        self.schedule: Mapping[str, Any] = SCHEDULE

    def ask(
        self, service: str, method: str, path: str, body: Mapping[str, Any] | None = None, /, **query: str
    ) -> dict[str, Any]:
        match service, path.split("/"):
            case "lambda", [_, "2017-10-31" | "2019-09-30", "functions", "predict", "concurrency"]:
                if method != "GET":
                    self.reserved = None if body is None else body["ReservedConcurrentExecutions"]
                return {} if self.reserved is None else {"ReservedConcurrentExecutions": self.reserved}
            case "lambda", [_, "2019-09-30", "functions", "predict", "provisioned-concurrency"] if query == {
                "Qualifier": "live"
            }:
                if method != "GET":
                    self.ready = None if body is None else body["ProvisionedConcurrentExecutions"]
                elif self.ready is None:
                    raise Refused(path, 404, "there is none")
                return {"RequestedProvisionedConcurrentExecutions": self.ready}
            case "lambda", [_, "2015-03-31", "event-source-mappings", "uuid"]:
                if method == "PUT" and body is not None:
                    self.mapping = "Enabling" if body["Enabled"] else "Disabling"
                    return {"State": self.mapping}
                self.mapping = {"Enabling": "Enabled", "Disabling": "Disabled"}.get(self.mapping, self.mapping)
                return {"State": self.mapping}
            case "scheduler", [_, "schedules", "nightly"]:
                if method == "PUT" and body is not None:
                    kept = {name: SCHEDULE[name] for name in ("Name", "Arn", "CreationDate", "LastModificationDate")}
                    self.schedule = {**kept, **body}
                return dict(self.schedule)
        raise Refused(path, 404, "not here")


def test_every_part_is_stopped_in_turn_and_put_back_as_it_was() -> None:
    account = Account()
    made = parts(NAMED, account.ask)
    assert [part.name for part in made] == [
        "schedule nightly",
        "consumer uuid",
        "ready copies of predict:live",
        "function predict",
    ]
    before = [part.state() for part in made]
    assert not any(part.is_stopped(state) for part, state in zip(made, before, strict=True))
    for part in made:
        if isinstance(part, MappingPart):
            object.__setattr__(part, "sleep", lambda _: None)
        part.stop()
    assert all(part.is_stopped(part.state()) for part in made)
    assert (account.reserved, account.ready, account.mapping) == (0, None, "Disabled")
    assert account.schedule == {**SCHEDULE, "State": "DISABLED"}
    for part, state in zip(made[::-1], before[::-1], strict=True):
        part.resume(state)
    assert [part.state() for part in made] == before
    assert (account.reserved, account.ready, account.mapping, account.schedule) == (None, 3, "Enabled", SCHEDULE)


def test_a_bound_of_copies_is_put_back_too() -> None:
    account = Account()
    account.reserved = 8
    (part,) = parts({**{name: [] for name in NAMED}, "function": ["predict"]}, account.ask)
    before = part.state()
    part.stop()
    part.resume(before)
    assert account.reserved == 8


@pytest.mark.parametrize("kind", ["schedule", "mapping", "function"])
def test_what_is_not_there_any_more_is_told_as_such(kind: str) -> None:
    (part,) = parts({**{name: [] for name in NAMED}, kind: ["gone"]}, Account().ask)
    with pytest.raises(NoSuchPart, match="gone"):
        part.state()


def test_a_consumer_that_goes_on_taking_messages_keeps_its_function_from_being_stopped() -> None:
    def ask(*_: Any, **__: Any) -> dict[str, Any]:
        return {"State": "Disabling"}

    with pytest.raises(TimeoutError, match="still takes messages"):
        MappingPart(called="uuid", ask=ask, sleep=lambda _: None).stop()


@pytest.mark.parametrize("token", ["", "a/session+token="])
@pytest.mark.parametrize(
    ("service", "method", "path", "body"),
    [
        ("lambda", "PUT", "/2017-10-31/functions/predict-1a2b3c4/concurrency", b'{"ReservedConcurrentExecutions": 0}'),
        ("lambda", "GET", "/2019-09-30/functions/a%2Fb/provisioned-concurrency?Qualifier=live", b""),
        ("scheduler", "GET", "/schedules/nightly%20one", b""),
    ],
)
def test_a_request_is_signed_as_awss_own_client_signs_it(
    service: str, method: str, path: str, body: bytes, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, url = datetime(2026, 12, 1, 13, 9, 3, tzinfo=UTC), f"https://{service}.eu-west-1.amazonaws.com{path}"
    ours = signed(
        Credentials(key="AKIDEXAMPLE", secret="a/secret", token=token),
        f"{service}/eu-west-1",
        method,
        url,
        body,
        now,
    )
    request = AWSRequest(method=method, url=url, data=body, headers={"content-type": "application/json"})
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda *_: now.replace(tzinfo=None))
    SigV4Auth(BotoCredentials("AKIDEXAMPLE", "a/secret", token or None), service, "eu-west-1").add_auth(request)
    assert ours["authorization"] == request.headers["Authorization"]


def test_what_the_topic_passes_on_is_the_budgets_demand() -> None:
    told = {
        "Type": "Notification",
        "TopicArn": "arn:aws:sns:eu-west-1:123456789012:stop-queue-1-spent",
        "Subject": "AWS Budgets: budget-month has exceeded your alert threshold",
        "Message": "Dear AWS Customer,\n...",
        "Timestamp": "2026-12-09T04:11:00.000Z",
    }
    demand = demand_of(json.dumps(told))
    assert (demand.action, demand.by, demand.month, demand.spent) == (Action.STOP, BUDGET, "2026-12", None)
    assert demand.why.startswith("AWS Budgets: budget-month")
    with pytest.raises(ValueError, match="neither when nor what"):
        demand_of(json.dumps({"Type": "Notification"}))
    with pytest.raises(ValueError, match="demands none"):
        demand_of("{}")
