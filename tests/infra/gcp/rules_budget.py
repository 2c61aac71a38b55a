"""What must hold of a budget, and of the function that stops the stack: from the whole graph to what is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from infra.gcp.stop import PERMISSIONS
from tests.graph import ABSENT, Graph, Resource
from tests.infra.gcp import whole as w
from tests.infra.gcp.broken import Break, account, change, drop, service

STOP = "stop-function"
MONTH = 31 * 86_400


def the_budget_is_of_this_stack_and_stops_it(graph: Graph) -> list[str]:
    budget = graph.one(w.BUDGET)
    counted, told = budget.inputs.get("budgetFilter") or {}, budget.inputs.get("allUpdatesRule") or {}
    problems = []
    if (counted.get("labels"), counted.get("projects")) != ({"stack": "test"}, ["projects/123456789012"]):
        problems.append(f"{budget.name}: counts what is not of the stack")
    if counted.get("calendarPeriod") != "MONTH":
        problems.append(f"{budget.name}: is not of a month")
    if told.get("pubsubTopic") != graph.one(w.TOPIC, "stop-topic").outputs["id"]:
        problems.append(f"{budget.name}: tells not the function that stops the stack")
    channels = {
        each.outputs.get("id") or f"{each.name}-id" for each in graph.of(w.CHANNEL) if each.name.startswith("budget-")
    }
    if set(told.get("monitoringNotificationChannels", ())) != channels or not channels:
        problems.append(f"{budget.name}: tells not everybody")
    return problems


def _named(graph: Graph) -> dict[str, list[str]]:
    return json.loads(w.variables(graph.one(w.FUNCTION, STOP))["STOPS"])


def everything_that_works_is_stopped_but_who_stops(graph: Graph) -> list[str]:
    named = _named(graph)
    works = {
        "service": {each.outputs["serviceConfig"]["service"] for each in graph.of(w.FUNCTION) if each.name != STOP},
        "subscription": {
            each.outputs["id"]
            for each in graph.of(w.SUBSCRIPTION)
            if each.inputs.get("pushConfig") and each.name != "stop-subscription"
        },
        "job": {each.outputs.get("id") or f"{each.name}-id" for each in graph.of(w.JOB)},
    }
    problems = [
        f"{STOP}: leaves the {kind} {name} at work"
        for kind, names in works.items()
        for name in sorted(names - set(named[kind]))
    ]
    own = graph.one(w.FUNCTION, STOP).outputs["serviceConfig"]["service"]
    return problems + [f"{STOP}: stops itself"] * (own in named["service"])


def who_stops_may_do_so_and_nothing_more(graph: Graph) -> list[str]:
    member = w.member(w.service(graph.one(w.FUNCTION, STOP))["serviceAccountEmail"])
    roles = {each.outputs["name"]: each for each in graph.of(w.CUSTOM_ROLE)}
    by_kind = {each.name.removeprefix("stop-"): name for name, each in roles.items()}
    problems = [
        f"{each.name}: holds other permissions than it is for"
        for each in roles.values()
        if tuple(each.inputs["permissions"]) != PERMISSIONS[each.name.removeprefix("stop-")]
    ]
    granted = [each for each in graph if each.name.startswith(w.STOPPING) and "role" in each.inputs]
    problems += [f"{each.name}: is for another than who stops" for each in granted if each.inputs["member"] != member]
    problems += [
        f"{each.name}: grants {each.inputs['role']}"
        for each in granted
        if each.inputs["role"] != _expected(each, by_kind)
    ]
    named = _named(graph)
    services = {each.inputs["name"] for each in granted if each.type == w.INVOKER}
    lacking = {name.rpartition("/")[2] for name in named["service"]} - services
    problems += [f"{STOP}: may not stop {name}" for name in sorted(lacking)]
    subscriptions = {each.inputs["subscription"] for each in granted if each.type == w.SUBSCRIPTION_MEMBER}
    problems += [f"{STOP}: may not stop {name}" for name in sorted(set(named["subscription"]) - subscriptions)]
    accounts = {each.inputs["serviceAccountId"].rpartition("/")[2] for each in granted if each.type == w.ACCOUNT_MEMBER}
    made = {each.outputs["email"] for each in graph.of(w.ACCOUNT)}
    acting = made & {w.service(each).get("serviceAccountEmail") for each in graph.of(w.FUNCTION) if each.name != STOP}
    return problems + [f"{STOP}: may not act as {name}" for name in sorted(acting - accounts)]


def _expected(grant: Resource, by_kind: Mapping[str, str]) -> str:
    kinds = {w.INVOKER: "services", w.SUBSCRIPTION_MEMBER: "subscriptions", w.PROJECT_MEMBER: "jobs"}
    return by_kind[kinds[grant.type]] if grant.type in kinds else "roles/iam.serviceAccountUser"


def messages_outlast_a_stop(graph: Graph) -> list[str]:
    return [
        f"{each.name}: forgets messages within a month"
        for each in graph.of(w.SUBSCRIPTION)
        if each.inputs.get("pushConfig") and each.inputs.get("messageRetentionDuration") != f"{MONTH}s"
    ]


def _stops(edit: Callable[[dict[str, list[str]]], object]) -> Break:
    """Return a break of what the function is told to stop."""

    def edited(graph: Graph) -> Graph:
        named = _named(graph)
        edit(named)
        variables = {**w.variables(graph.one(w.FUNCTION, STOP)), "STOPS": json.dumps(named)}
        return service("stop", environmentVariables=variables)(graph)

    return edited


def _without(key: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda old: {name: value for name, value in old.items() if name != key}


RULES = (
    the_budget_is_of_this_stack_and_stops_it,
    everything_that_works_is_stopped_but_who_stops,
    who_stops_may_do_so_and_nothing_more,
    messages_outlast_a_stop,
)
BROKEN: Mapping[str, tuple[Break, ...]] = {
    "the_budget_is_of_this_stack_and_stops_it": (
        change(w.BUDGET, "budget-month", budgetFilter=_without("labels")),
        change(w.BUDGET, "budget-month", budgetFilter=_without("projects")),
        change(w.BUDGET, "budget-month", budgetFilter=_without("calendarPeriod")),
        change(w.BUDGET, "budget-month", allUpdatesRule=_without("pubsubTopic")),
        change(w.BUDGET, "budget-month", allUpdatesRule=_without("monitoringNotificationChannels")),
        change(w.BUDGET, "budget-month", allUpdatesRule=ABSENT),
    ),
    "everything_that_works_is_stopped_but_who_stops": (
        _stops(lambda named: named["job"].pop()),
        _stops(lambda named: named["subscription"].clear()),
    ),
    "who_stops_may_do_so_and_nothing_more": (
        drop(w.INVOKER, "stop-service-predict"),
        drop(w.SUBSCRIPTION_MEMBER, "stop-pushes-jobs"),
        drop(w.ACCOUNT_MEMBER, "stop-as-train"),
        change(w.PROJECT_MEMBER, "stop-jobs", role="roles/cloudscheduler.admin"),
        change(w.ACCOUNT_MEMBER, "stop-as-train", member=w.member(account("train-identity"))),
        change(w.CUSTOM_ROLE, "stop-jobs", permissions=lambda old: [*old, "cloudscheduler.jobs.delete"]),
    ),
    "messages_outlast_a_stop": (
        change(w.SUBSCRIPTION, "jobs-subscription", messageRetentionDuration=f"{7 * 86_400}s"),
    ),
}
