"""What must hold of what is watched: from the whole graph to what is wrong, a sentence each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tests.graph import Graph, Resource
from tests.infra.gcp import whole as w

OWN = re.compile(r"logging_googleapis_com:user_(\w+?)(?:_bucket)?\{")


def _condition(policy: Resource) -> Mapping[str, Any]:
    return policy.inputs["conditions"][0]["conditionPrometheusQueryLanguage"]


def every_dead_letter_has_an_alarm(graph: Graph) -> list[str]:
    topics = {resource.inputs.get("deadLetterPolicy", {}).get("deadLetterTopic") for resource, _ in w.pushed(graph)}
    queries = [_condition(policy)["query"] for policy in graph.of(w.ALERT)]
    counted = [query for query in queries if "subscription_num_undelivered_messages" in query]
    return [
        f"{kept.name}: nobody hears of its messages"
        for kept in graph.of(w.SUBSCRIPTION)
        if kept.inputs["topic"] in topics and not any(_names(query, kept.outputs["name"]) for query in counted)
    ]


def _names(query: str, name: str) -> bool:
    """Does a query select a resource, alone or among others?"""
    return re.search(rf'["|]{re.escape(name)}["|]', query) is not None


def alarms_read_what_is_written(graph: Graph) -> list[str]:
    """A policy on a metric that is not there never fires; and one that asks for its data is refused at first."""
    written = {re.sub("[^A-Za-z0-9]", "_", metric.outputs["name"]) for metric in graph.of(w.METRIC)}
    unwritten = [
        f"{policy.name}: nothing writes {metric}"
        for policy in graph.of(w.ALERT)
        for metric in OWN.findall(_condition(policy)["query"])
        if metric not in written
    ]
    early = [
        policy.name for policy in graph.of(w.ALERT) if _condition(policy).get("disableMetricValidation") is not True
    ]
    return [*unwritten, *(f"{name}: wants data of a metric before there is any" for name in early)]


def who_is_told_is_told_of_every_alarm(graph: Graph) -> list[str]:
    channels = {
        channel.outputs.get("id") or f"{channel.name}-id"
        for channel in graph.of(w.CHANNEL)
        if channel.name.startswith("monitor-")
    }
    return [
        f"{policy.name}: tells not everybody"
        for policy in graph.of(w.ALERT)
        if set(policy.inputs.get("notificationChannels") or ()) != channels
    ]


RULES = (every_dead_letter_has_an_alarm, alarms_read_what_is_written, who_is_told_is_told_of_every_alarm)
