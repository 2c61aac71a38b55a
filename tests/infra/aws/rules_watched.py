"""What must hold of what is watched: from the whole graph to what is wrong, a sentence each."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tests.graph import Graph, Resource
from tests.infra.aws import whole as w

OWN = "serverless-ml/"
"""How the namespace of a stack's own metrics begins."""
SENDER = "cloudwatch.amazonaws.com"


def _read(alarm: Resource) -> Iterator[Mapping[str, Any]]:
    """Yield the metrics that an alarm reads."""
    queries = alarm.inputs.get("metricQueries")
    yield from (query["metric"] for query in queries if query.get("metric")) if queries else (alarm.inputs,)


def every_dead_letter_has_an_alarm(graph: Graph) -> list[str]:
    watched = {
        (metric.get("dimensions") or {}).get("QueueName")
        for alarm in graph.of(w.ALARM)
        if alarm.inputs.get("threshold") == 1
        for metric in _read(alarm)
        if metric.get("metricName") == "ApproximateNumberOfMessagesVisible"
    }
    return [
        f"{queue.name}: nobody hears of its messages"
        for queue in graph.of(w.QUEUE)
        if "redrivePolicy" not in queue.inputs and queue.outputs["name"] not in watched
    ]


def alarms_read_what_is_written(graph: Graph) -> list[str]:
    """An alarm on a metric that no filter makes, or on a filter of no log, never fires."""
    groups = {group.outputs["name"] for group in graph.of(w.LOG_GROUP)}
    written = {
        (told["namespace"], told["name"])
        for each in graph.of(w.LOG_FILTER)
        if each.inputs["logGroupName"] in groups and not (told := each.inputs["metricTransformation"]).get("dimensions")
    }
    return [
        f"{alarm.name}: nothing writes {metric['metricName']}"
        for alarm in graph.of(w.ALARM)
        for metric in _read(alarm)
        if metric["namespace"].startswith(OWN) and (metric["namespace"], metric["metricName"]) not in written
    ]


def who_is_told_is_told_by_alarms_alone(graph: Graph) -> list[str]:
    problems = []
    for topic in (each for each in graph.of(w.TOPIC) if each.name == "monitor-topic"):
        arn = topic.outputs["arn"]
        policies = [json.loads(one.inputs["policy"]) for one in graph.of(w.TOPIC_POLICY) if one.inputs["arn"] == arn]
        allowed = [each for policy in policies for each in policy["Statement"] if each["Effect"] == "Allow"]
        conditions = [each.get("Condition", {}) for each in allowed if each["Principal"] == {"Service": SENDER}]
        guarded = [
            one["StringEquals"]["aws:SourceAccount"] == arn.split(":")[4]
            for one in conditions
            if one.get("ArnLike", {}).get("aws:SourceArn", "").endswith(":alarm:*")
        ]
        if len(allowed) != 1 or guarded != [True]:
            problems.append(f"{topic.name}: others than alarms of the account may send")
        if not any(w.refuses_plain_http(policy["Statement"], "sns:Publish", arn) for policy in policies):
            problems.append(f"{topic.name}: takes messages in plain text")
        told = [alarm.name for alarm in graph.of(w.ALARM) if alarm.inputs.get("alarmActions") != [arn]]
        problems += [f"{name}: tells nobody that it fires" for name in told]
        silent = [alarm.name for alarm in graph.of(w.ALARM) if alarm.inputs.get("okActions") != [arn]]
        problems += [f"{name}: tells nobody that it has ended" for name in silent]
    return problems


RULES = (every_dead_letter_has_an_alarm, alarms_read_what_is_written, who_is_told_is_told_by_alarms_alone)
