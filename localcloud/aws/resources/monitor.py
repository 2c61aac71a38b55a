"""Filters and alarms, which localcloud/aws/alarms.py evaluates, and the topic that hears of them."""

from __future__ import annotations

from localcloud.aws.existence import asks, identity, reads_policy
from localcloud.aws.session import Session
from localcloud.engine.program import Registered
from localcloud.engine.resource_handler import Order, Resource, ResourceHandler, put

ALARM = (
    "alarmDescription",
    "comparisonOperator",
    "dimensions",
    "evaluationPeriods",
    "extendedStatistic",
    "metricName",
    "metricQueries",
    "namespace",
    "period",
    "statistic",
    "threshold",
    "treatMissingData",
)
UNTOLD = "who is up here reads it in the terminal of `make up`, and by `sml alarms`"


def _filter(order: Order) -> Registered:
    name = order.name(limit=512)
    return Registered(id=name, outputs={**order.inputs, "name": name})


def _alarm(order: Order) -> Registered:
    name = order.name(limit=255)
    return Registered(
        id=name, outputs={**order.inputs, "name": name, "arn": order.session.arn("cloudwatch", f"alarm:{name}")}
    )


def _topic(order: Order) -> Registered:
    name = order.name(limit=256)
    arn = order.session.client("sns").create_topic(Name=name)["TopicArn"]
    return Registered(id=arn, outputs={**order.inputs, "name": name, "arn": arn})


def _delete_topic(session: Session, resource: Resource) -> None:
    session.client("sns").delete_topic(TopicArn=resource.id)


def _policy(order: Order) -> Registered:
    arn, document = order.inputs["arn"], order.inputs["policy"]
    order.session.client("sns").set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=document)
    return Registered(id=arn, outputs=order.inputs)


_TOPIC = {"TopicArn": identity}

HANDLERS = {
    "aws:cloudwatch/logMetricFilter:LogMetricFilter": put(
        _filter,
        takes=frozenset({"name", "logGroupName", "pattern", "metricTransformation"}),
        fixed=frozenset({"name", "logGroupName"}),
    ),
    "aws:cloudwatch/metricAlarm:MetricAlarm": put(
        _alarm,
        takes=frozenset({"name", *ALARM}),
        ignores={"alarmActions": UNTOLD, "okActions": UNTOLD},
        fixed=frozenset({"name"}),
    ),
    "aws:sns/topic:Topic": ResourceHandler(
        create=_topic,
        delete=_delete_topic,
        exists=asks("sns", "get_topic_attributes", _TOPIC),
        takes=frozenset({"name"}),
        fixed=frozenset({"name"}),
    ),
    "aws:sns/topicPolicy:TopicPolicy": put(
        _policy,
        exists=asks("sns", "get_topic_attributes", _TOPIC),
        reads=reads_policy("sns", "get_topic_attributes", _TOPIC, lambda answer: answer["Attributes"]["Policy"]),
        takes=frozenset({"arn", "policy"}),
        fixed=frozenset({"arn"}),
    ),
}
"""A subscription is not created: see `ABSENT`."""
