"""What stops a stack on GCP: its parts, and the demands that it reads."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

import pytest

from functions.adapters.gcp.parts import ServicePart, parts
from functions.adapters.gcp.stop import demand_of
from functions.core.stopping.asked_part import Refused
from functions.core.stopping.demand import BUDGET, Action, Demand
from functions.core.stopping.part import NoSuchPart

WHERE = "projects/p/locations/europe-west1"
JOB, SUBSCRIPTION, SERVICE = f"{WHERE}/jobs/nightly", "projects/p/subscriptions/jobs", f"{WHERE}/services/predict"
NAMED = {"job": [JOB], "subscription": [SUBSCRIPTION], "service": [SERVICE]}
PUSH = {"pushEndpoint": "https://jobs", "oidcToken": {"serviceAccountEmail": "courier", "audience": "https://jobs"}}


class Project:
    """Cloud Run, Pub/Sub and Cloud Scheduler, as far as they are asked."""

    def __init__(self, scaling: Mapping[str, Any] | None = None) -> None:
        self.scaling = dict(scaling or {})
        self.push: Mapping[str, Any] = PUSH
        self.job = "ENABLED"
        self.settling = 0
        self.asked: list[Mapping[str, Any] | None] = []

    def ask(
        self, host: str, method: str, path: str, body: Mapping[str, Any] | None = None, /, **query: str
    ) -> dict[str, Any]:
        match host, method, path:
            case "run.googleapis.com", _, _ if path == f"/v2/{SERVICE}":
                if method == "PATCH" and body is not None and query == {"updateMask": "scaling"}:
                    self.scaling, self.settling = dict(body["scaling"]), 2
                    self.asked.append(body)
                    return {"name": "operation"}
                self.settling -= 1
                template = {"scaling": {"maxInstanceCount": 8}}
                return {"scaling": self.scaling, "template": template, "reconciling": self.settling > 0}
            case "pubsub.googleapis.com", "GET", _ if path == f"/v1/{SUBSCRIPTION}":
                return {"pushConfig": self.push}
            case "pubsub.googleapis.com", "POST", _ if path == f"/v1/{SUBSCRIPTION}:modifyPushConfig" and body:
                self.push = body["pushConfig"]
                return {}
            case "cloudscheduler.googleapis.com", "GET", _ if path == f"/v1/{JOB}":
                return {"state": self.job}
            case "cloudscheduler.googleapis.com", "POST", _ if path.startswith(f"/v1/{JOB}:"):
                self.job = {"pause": "PAUSED", "resume": "ENABLED"}[path.rpartition(":")[2]]
                return {}
        raise Refused(path, 404, "not here")


@pytest.mark.parametrize("scaling", [{}, {"minInstanceCount": 1, "maxInstanceCount": 5}])
def test_every_part_is_stopped_in_turn_and_put_back_as_it_was(scaling: dict[str, int]) -> None:
    project = Project(scaling)
    made = parts(NAMED, project.ask)
    assert [part.name for part in made] == ["schedule nightly", "subscription jobs", "function predict"]
    before = [part.state() for part in made]
    assert not any(part.is_stopped(state) for part, state in zip(made, before, strict=True))
    for part in made:
        if isinstance(part, ServicePart):
            object.__setattr__(part, "sleep", lambda _: None)
        part.stop()
    assert all(part.is_stopped(part.state()) for part in made)
    assert (project.scaling, project.push, project.job) == (
        {"scalingMode": "MANUAL", "manualInstanceCount": 0},
        {},
        "PAUSED",
    )
    for part, state in zip(made[::-1], before[::-1], strict=True):
        part.resume(state)
    # Both bounds, or Cloud Run takes the number of instances that there were for them.
    bounds = scaling or {"minInstanceCount": 0, "maxInstanceCount": 8}
    assert project.scaling == {"scalingMode": "AUTOMATIC", **bounds}
    assert (project.push, project.job) == (PUSH, "ENABLED")


def test_a_service_whose_count_of_zero_is_left_out_is_stopped() -> None:
    part = parts({**NAMED, "job": [], "subscription": []}, Project({"scalingMode": "MANUAL"}).ask)[0]
    assert part.is_stopped(part.state())


def test_a_job_that_was_paused_before_stays_so() -> None:
    project = Project()
    project.job = "PAUSED"
    part = parts({**NAMED, "service": [], "subscription": []}, project.ask)[0]
    part.resume(part.state())
    assert project.job == "PAUSED"


@pytest.mark.parametrize("kind", NAMED)
def test_what_is_not_there_any_more_is_told_as_such(kind: str) -> None:
    (part,) = parts({**{name: [] for name in NAMED}, kind: ["projects/p/gone"]}, Project().ask)
    with pytest.raises(NoSuchPart, match="gone"):
        part.state()


def message(content: object) -> dict[str, Any]:
    return {"data": base64.b64encode(json.dumps(content).encode()).decode()}


def test_a_cost_that_cloud_billing_tells_is_the_budgets_demand() -> None:
    told = {
        "budgetDisplayName": "serverless-ml/prod",
        "costAmount": 51.2,
        "costIntervalStart": "2026-12-01T08:00:00Z",
        "budgetAmount": 50.0,
        "budgetAmountType": "SPECIFIED_AMOUNT",
        "currencyCode": "EUR",
    }
    demand = demand_of(message(told))
    why = "51.20 EUR since 2026-12-01"
    assert demand == Demand(action=Action.STOP, by=BUDGET, why=why, month="2026-12", spent=51.2)
    for wrong in ({**told, "costAmount": "much"}, {**told, "costIntervalStart": None}):
        with pytest.raises(ValueError, match="neither what was spent"):
            demand_of(message(wrong))
    person = Demand(action=Action.RESUME, by="ada", id="7")
    assert demand_of(message(person.document())) == person
