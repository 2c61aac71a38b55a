"""CloudWatch's filters and alarms, as the embedded AWS evaluates them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from localcloud.aws.session import Session
from localcloud.engine.alarms import Counted, Monitoring, Rule, Sample, Selector, quantile
from localcloud.engine.events import Answer
from localcloud.engine.resource_handler import Resource

ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
FILTER = "aws:cloudwatch/logMetricFilter:LogMetricFilter"
FUNCTION = "aws:lambda/function:Function"
TERM = re.compile(r'\(\$\.([\w.]+) = (?:"([^"]*)"|(\*))\)')
PATTERN = re.compile(rf"\{{ ({TERM.pattern}(?: && {TERM.pattern})*) \}}")
SUM = re.compile(r"FILL\(m0, 0\) \+ FILL\(m1, 0\)")
SHARE = re.compile(r"IF\(m1 >= (\d+), FILL\(m0, 0\) / m1, 0\)")
STATISTICS: Mapping[str, Callable[[Sequence[float]], float | None]] = {
    "Sum": lambda values: sum(values) if values else None,
    "Maximum": lambda values: max(values, default=None),
    "p95": lambda values: quantile(values, 0.95),
}
COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
}
BREACHING = {"breaching": True, "notBreaching": False}
PERIOD_SECONDS = 60
FAILED = {"FAILED": "ExecutionsFailed", "TIMED_OUT": "ExecutionsTimedOut"}


def monitoring(resources: Iterable[Resource]) -> Monitoring:
    """Read the filters and alarms among resources. Raise `ValueError` for one of a form that is not emulated."""
    every = tuple(resources)
    groups: dict[str, set[str]] = {}
    for one in every:
        if one.declared.type == FUNCTION:
            groups.setdefault(one.inputs.get("loggingConfig", {}).get("logGroup", ""), set()).add(one.id)
    return Monitoring(
        counted=[_counted(one, groups) for one in every if one.declared.type == FILTER],
        rules=[_rule(one) for one in every if one.declared.type == ALARM],
    )


def counted(session: Session, resources: Iterable[Resource], answers: Iterable[Answer], now: float) -> Iterator[Sample]:
    """Yield what the services of the emulator count, of what alarms among the resources read."""
    read = [metric for one in resources if one.declared.type == ALARM for metric in _metrics(one)]
    for metric, labels in dict.fromkeys((_name(one), tuple(sorted(_dimensions(one).items()))) for one in read):
        if (source := SOURCES.get(metric)) is not None:
            for at, value in source(session, dict(labels), answers, now):
                yield Sample(metric=metric, at=at, value=value, labels=dict(labels))


Found = Iterator[tuple[float, float]]
"""Times, in seconds since 1970, and values."""
Source = Callable[[Session, Mapping[str, str], Iterable[Answer], float], Found]


def _answered(_: Session, __: Mapping[str, str], answers: Iterable[Answer], ___: float) -> Found:
    yield from ((answer.at, 1.0) for answer in answers)


def _faults(_: Session, __: Mapping[str, str], answers: Iterable[Answer], ___: float) -> Found:
    yield from ((answer.at, 1.0) for answer in answers if answer.status >= 500)


def _told(namespace: str, metric: str, statistic: str) -> Source:
    """Return the source of what the emulator's own CloudWatch tells of each minute of a day."""

    def source(session: Session, dimensions: Mapping[str, str], _: Iterable[Answer], now: float) -> Found:
        until = datetime.fromtimestamp(now, UTC) + timedelta(seconds=PERIOD_SECONDS)
        asked = {
            "Namespace": namespace,
            "MetricName": metric,
            "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
            "StartTime": until - timedelta(days=1),
            "EndTime": until,
            "Period": PERIOD_SECONDS,
            "Statistics": [statistic],
        }
        for point in session.client("cloudwatch").get_metric_statistics(**asked)["Datapoints"]:
            yield min(point["Timestamp"].timestamp(), now), float(point[statistic])

    return source


def _kept(session: Session, dimensions: Mapping[str, str], _: Iterable[Answer], now: float) -> Found:
    queues = session.client("sqs")
    url = queues.get_queue_url(QueueName=dimensions["QueueName"])["QueueUrl"]
    asked = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
    yield now, float(asked["Attributes"]["ApproximateNumberOfMessages"])


def _ended(status: str) -> Source:
    def source(session: Session, dimensions: Mapping[str, str], _: Iterable[Answer], now: float) -> Found:
        machine = dimensions["StateMachineArn"]
        pages = session.client("stepfunctions").get_paginator("list_executions")
        for page in pages.paginate(stateMachineArn=machine, statusFilter=status):
            for execution in page["executions"]:
                ended = execution.get("stopDate")
                yield (now if ended is None else ended.timestamp()), 1.0

    return source


SOURCES: Mapping[str, Source] = {
    "AWS/ApiGateway Count": _answered,
    "AWS/ApiGateway 5xx": _faults,
    "AWS/Lambda Throttles": _told("AWS/Lambda", "Throttles", "Sum"),
    "AWS/SQS ApproximateAgeOfOldestMessage": _told("AWS/SQS", "ApproximateAgeOfOldestMessage", "Maximum"),
    "AWS/SQS ApproximateNumberOfMessagesVisible": _kept,
    **{f"AWS/States {metric}": _ended(status) for status, metric in FAILED.items()},
}
"""What the emulator tells of each metric of a service."""


def _counted(declared: Resource, groups: Mapping[str, set[str]]) -> Counted:
    pattern, told = declared.inputs["pattern"], declared.inputs["metricTransformation"]
    if not PATTERN.fullmatch(pattern):
        raise ValueError(f"{declared.declared.name}: the pattern {pattern} is none that is emulated")
    terms = TERM.findall(pattern)
    value = "" if told["value"] == "1" else told["value"].removeprefix("$.")
    return Counted(
        metric=_name({"namespace": told["namespace"], "metricName": told["name"]}),
        functions=frozenset(groups.get(declared.inputs["logGroupName"], ())),
        having={name: wanted for name, wanted, anything in terms if not anything},
        value=value,
        labels={name: field.removeprefix("$.") for name, field in (told.get("dimensions") or {}).items()},
        whole=True,
    )


def _rule(declared: Resource) -> Rule:
    inputs = declared.inputs
    compare = COMPARISONS[inputs["comparisonOperator"]]
    missing, threshold = BREACHING[inputs["treatMissingData"]], float(inputs["threshold"])
    value = _value(declared)

    def holds(samples: Sequence[Sample], now: float) -> bool:
        found = value(samples, now)
        return missing if found is None else compare(found, threshold)

    reads = frozenset(_name(metric) for metric in _metrics(declared))
    return Rule(name=declared.outputs["name"], text=inputs["alarmDescription"], holds=holds, reads=reads)


def _value(declared: Resource) -> Callable[[Sequence[Sample], float], float | None]:
    """Return what computes the value of an alarm; None where nothing was measured."""
    inputs, metrics = declared.inputs, _metrics(declared)
    chosen = [Selector(metric=_name(one), labels=_exact(one), exactly=True) for one in metrics]
    computed = [query["expression"] for query in inputs.get("metricQueries") or () if query.get("expression")]
    if not computed:
        reduce = STATISTICS[inputs.get("extendedStatistic") or inputs["statistic"]]
        return lambda samples, now: reduce(chosen[0].values(samples, now - inputs["period"], now))
    seconds = metrics[0]["period"]

    def sums(samples: Sequence[Sample], now: float) -> list[float]:
        return [sum(selector.values(samples, now - seconds, now)) for selector in chosen]

    if SUM.fullmatch(computed[0]):
        return lambda samples, now: sum(sums(samples, now))
    if (share := SHARE.fullmatch(computed[0])) is not None:
        fewest = int(share[1])

        def shared(samples: Sequence[Sample], now: float) -> float:
            part, whole = sums(samples, now)
            return part / whole if whole >= fewest else 0.0

        return shared
    raise ValueError(f"{declared.declared.name}: the expression {computed[0]} is none that is emulated")


def _metrics(declared: Resource) -> list[Mapping[str, Any]]:
    """Return the metrics that an alarm reads, in the order of its queries."""
    queries = declared.inputs.get("metricQueries")
    if not queries:
        return [declared.inputs]
    return [query["metric"] for query in sorted(queries, key=lambda query: query["id"]) if query.get("metric")]


def _name(metric: Mapping[str, Any]) -> str:
    return f"{metric['namespace']} {metric['metricName']}"


def _dimensions(metric: Mapping[str, Any]) -> Mapping[str, str]:
    return metric.get("dimensions") or {}


def _exact(metric: Mapping[str, Any]) -> dict[str, str]:
    return {name: re.escape(value) for name, value in _dimensions(metric).items()}
