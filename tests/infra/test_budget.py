"""A budget: what its settings must say, what it declares where nothing is stopped, and what an update leaves alone."""

from __future__ import annotations

import json
from types import ModuleType
from typing import Any

import pulumi
import pytest

from infra import budgeting, clouds
from infra.aws.charges import POLLS
from infra.estimate.coverage import NEVER_CALLED, UNKNOWN, not_priced
from infra.estimate.use import Per
from infra.settings import Settings
from tests.infra.aws import whole as aws
from tests.infra.estimate import stacks
from tests.infra.gcp import whole as gcp

ACCOUNT = "01A2B3-4C5D6E-7F8091"
WHOLE: dict[str, ModuleType] = {"aws": aws, "gcp": gcp}


def parsed(cloud: str, **budget: Any) -> Settings:
    document = {"cloud": cloud, "models": ["breast_cancer"], "budget": budget}
    return Settings.parse(document, where="Pulumi.dev.yaml")


@pytest.mark.parametrize(
    ("cloud", "budget", "told"),
    [
        ("gcp", {"usd_a_month": 50}, "budget.billing_account is missing: .* accepted: the id of the billing account"),
        ("aws", {"usd_a_month": 50, "billing_account": ACCOUNT}, "budget.billing_account: .* nothing reads this"),
    ],
)
def test_a_budget_names_who_pays_where_that_is_asked_for_and_nowhere_else(
    cloud: str, budget: dict[str, Any], told: str
) -> None:
    with pytest.raises(pulumi.RunError, match=told) as refused:
        budgeting.require(clouds.find(cloud), parsed(cloud, **budget))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("budget", "told"),
    [
        ({}, "budget.usd_a_month: is required"),
        ({"usd_a_month": 0}, "budget.usd_a_month: found 0; accepted"),
        ({"usd_a_month": 5, "stop_at": 3}, "budget.stop_at: found 3; accepted"),
        ({"usd_a_month": 5, "warn_at": [0.5, 0.5]}, "named twice"),
        ({"usd_a_month": 5, "warn_at": 0.5}, "found 0.5; accepted: a list, up to 4; each: a number, 0.05 to 2"),
        ({"usd_a_month": 5, "billing_account": "mine"}, "the id of a billing account"),
    ],
)
def test_a_budget_out_of_range_is_refused_with_what_is_accepted(budget: dict[str, Any], told: str) -> None:
    with pytest.raises(pulumi.RunError, match=told):
        parsed("gcp", **budget)


@pytest.mark.parametrize("cloud", WHOLE)
def test_a_stack_whose_budget_stops_nothing_has_no_function_that_could(cloud: str) -> None:
    account = {"billing_account": ACCOUNT} if cloud == "gcp" else {}
    graph = WHOLE[cloud].whole(budget={"usd_a_month": 50, **account})
    assert not [resource.name for resource in graph if resource.name.startswith("stop-")]
    assert graph.one(WHOLE[cloud].BUDGET)
    waiting = {"aws": ("messageRetentionSeconds", 4 * 86_400), "gcp": ("messageRetentionDuration", "604800s")}
    name, value = waiting[cloud]
    kept = {resource.inputs.get(name) for resource in graph if resource.name in ("jobs-queue", "jobs-subscription")}
    assert kept == {value}


def test_without_a_webhook_and_a_stop_the_budget_mails_and_needs_no_topic() -> None:
    graph = aws.whole(budget={"usd_a_month": 50, "warn_at": [0.25]})
    (told,) = graph.one(aws.BUDGET).inputs["notifications"]
    assert (told["threshold"], told["subscriberEmailAddresses"]) == (25, ["ml@example.org"])
    assert [topic.name for topic in graph.of(aws.TOPIC)] == ["monitor-topic"]


def test_a_webhook_hears_of_every_share() -> None:
    alerts = {"webhook": "https://hooks.example.org/x"}
    graph = aws.whole(alerts=alerts, budget={"usd_a_month": 50, "stop_at": 1})
    hooked = {one.inputs["topic"] for one in graph.of(aws.TOPIC_SUBSCRIPTION) if one.inputs["protocol"] == "https"}
    told = [set(one["subscriberSnsTopicArns"]) for one in graph.one(aws.BUDGET).inputs["notifications"]]
    assert len(told) == 3
    assert all(topics <= hooked for topics in told)


def test_nobody_is_told_where_nobody_is_named() -> None:
    graph = aws.whole(alerts={}, budget={"usd_a_month": 50})
    assert graph.one(aws.BUDGET).inputs.get("notifications", []) == []


def test_an_update_without_a_refresh_finds_nothing_to_put_back() -> None:
    """The engine compares what the program states: of what a stop changes, that is nothing."""
    graph = aws.graph()
    assert not [one.name for one in graph.of(aws.MAPPING) if "enabled" in one.inputs]
    assert not [one.name for one in graph.of(aws.SCHEDULE) if "state" in one.inputs]
    assert not [one.name for one in graph.of(aws.FUNCTION) if "reservedConcurrentExecutions" in one.inputs]
    kept = gcp.graph()
    assert not [one.name for one in kept.of(gcp.JOB) if "paused" in one.inputs]


def test_copies_that_are_kept_ready_are_among_what_is_stopped() -> None:
    graph = aws.whole(scaling={"profile": "latency", "minimum": 2})
    own = graph.one(aws.FUNCTION, "stop-function")
    named = json.loads(own.inputs["environment"]["variables"]["STOPS"])
    assert named["ready"] == ["predict-function-1a2b3c4:live"]
    ready = graph.one(aws.ALIAS, "predict-alias").outputs["arn"]
    granted = [one["Resource"] for one in aws.statements_of(graph, own.inputs["role"]) if "Provisioned" in str(one)]
    assert granted == [[ready]]


@pytest.mark.parametrize("cloud", WHOLE)
def test_a_budget_costs_nothing_and_the_function_that_stops_what_its_queue_and_alarms_cost(cloud: str) -> None:
    account = {"billing_account": ACCOUNT} if cloud == "gcp" else {}
    without = stacks.bill(cloud, alerts={"alarms": False})
    watched = stacks.bill(cloud, alerts={"alarms": False}, budget={"usd_a_month": 50, **account})
    stopping = stacks.bill(cloud, alerts={"alarms": False}, budget={"usd_a_month": 50, "stop_at": 1, **account})
    units = [(per, without.per(per).usd) for per in Per]
    assert [(per, watched.per(per).usd) for per in Per] == units
    more = {per: (stopping.per(per).usd or 0) - (usd or 0) for per, usd in units}
    polled = POLLS * without.unit_usd("sqs.request") if cloud == "aws" else 0.0
    assert more == pytest.approx({**dict.fromkeys(Per, 0.0), Per.MONTH: polled})
    unpriced = [covered.why for covered in not_priced(stopping)]
    assert not {UNKNOWN, NEVER_CALLED} & set(unpriced)
