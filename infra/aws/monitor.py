"""CloudWatch alarms over metrics of log lines and of the services, and the topic that they are told to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import pulumi
import pulumi_aws as aws

from infra.alarms import FEWEST, MODEL, Alarm, How, Lines, Measured, metrics
from infra.aws.access import Statement, document, tls_only
from infra.aws.account import account_id, arn_like
from infra.aws.arrival import Arrival
from infra.aws.dashboard import body
from infra.aws.gateway import Api
from infra.aws.queue import Queue
from infra.aws.schedule import Schedule
from infra.vocabulary import MonitorArgs

STATISTICS = {How.SUM: "Sum", How.SHARE: "Sum", How.SILENCE: "Sum", How.MOST: "Maximum"}
"""https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html"""
CONSOLE = "https://{}.console.aws.amazon.com/cloudwatch/home?region={}#dashboards/dashboard/{}"
EXECUTIONS = ("ExecutionsFailed", "ExecutionsTimedOut")
Metric = dict[str, Any]


class Monitor(pulumi.ComponentResource):
    """A filter for each metric of log lines, the alarms of each row, and, for those who are told, a topic.

    A row about functions or queues is an alarm for each of them: that costs as much as one over all, and says which.

    Filters read the log after the line is written: no request waits for them. A metric that tells apart who answered
    has filters of its own, since CloudWatch counts a line with dimensions under all of them and under nothing else.
    Only CloudWatch's alarms of this account may send to the topic. It is not encrypted by a key: AWS's own key for SNS
    lets no alarm send, and what is sent holds nothing of a request.
    https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
    """

    alarms: pulumi.Output[Mapping[str, str]]
    dashboard: pulumi.Output[str]

    def __init__(self, name: str, args: MonitorArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("serverless-ml:aws:Monitor", name, None, opts)
        self._name, self._args = name, args
        self._opts = pulumi.ResourceOptions(parent=self)
        self._namespace = f"serverless-ml/{pulumi.get_project()}/{pulumi.get_stack()}"
        told = [self._topic().arn] if args.email or args.webhook else []
        for lines in metrics(args.alarms):
            self._filters(lines)
        each = [named for alarm in args.alarms for named in self._alarms(alarm, told)]
        made = {name: alarm.name for name, alarm in each}
        self.alarms = pulumi.Output.all(**made)
        drawn = pulumi.Output.all(**{name: alarm.arn for name, alarm in each})
        self.dashboard = self._dashboard(drawn) if args.dashboard else pulumi.Output.from_input("")
        self.register_outputs({"alarms": self.alarms, "dashboard": self.dashboard})

    def _topic(self) -> aws.sns.Topic:
        topic = aws.sns.Topic(f"{self._name}-topic", opts=self._opts)
        account = account_id(self)
        aws.sns.TopicPolicy(
            f"{self._name}-topic-policy",
            arn=topic.arn,
            policy=document([_sending(topic, account), tls_only("sns:Publish", topic.arn)]),
            opts=self._opts,
        )
        told = {f"email-{at}": ("email", address) for at, address in enumerate(self._args.email, start=1)}
        told |= {"webhook": ("https", self._args.webhook)} if self._args.webhook else {}
        for at, (protocol, endpoint) in told.items():
            aws.sns.TopicSubscription(
                f"{self._name}-{at}", topic=topic.arn, protocol=protocol, endpoint=endpoint, opts=self._opts
            )
        return topic

    def _dashboard(self, alarms: pulumi.Output[dict[str, str]]) -> pulumi.Output[str]:
        """Draw the alarms, by their ARNs, and return the address."""
        dashboard = aws.cloudwatch.Dashboard(
            f"{self._name}-dashboard",
            # It is of the account, and Pulumi names none.
            dashboard_name=re.sub(r"[^A-Za-z0-9_-]", "-", f"{pulumi.get_project()}-{pulumi.get_stack()}"),
            dashboard_body=alarms.apply(partial(body, self._namespace)),
            opts=self._opts,
        )
        region = alarms.apply(lambda arns: next(iter(arns.values())).split(":")[3])
        return pulumi.Output.format(CONSOLE, region, region, dashboard.dashboard_name)

    def _filters(self, lines: Lines) -> None:
        for row in lines.by:
            for at, function in self._args.functions[row].items():
                group = function.logs.apply(_group_name)
                self._filter(f"{lines.name.lower()}-{at}", group, lines, {})
                if set(MODEL) <= set(lines.labels):
                    dimensions = {label: f"$.{label}" for label in lines.labels}
                    self._filter(f"{lines.name.lower()}-{at}-by-version", group, lines, dimensions)

    def _filter(self, what: str, group: pulumi.Output[str], lines: Lines, dimensions: dict[str, str]) -> None:
        aws.cloudwatch.LogMetricFilter(
            f"{self._name}-{what}",
            log_group_name=group,
            pattern=pattern(lines),
            metric_transformation={
                "name": lines.name,
                "namespace": self._namespace,
                "value": f"$.{lines.value}" if lines.value else "1",
                **({"dimensions": dimensions} if dimensions else {}),
            },
            opts=self._opts,
        )

    def _alarms(
        self, alarm: Alarm, told: Sequence[pulumi.Output[str]]
    ) -> Iterator[tuple[str, aws.cloudwatch.MetricAlarm]]:
        silent = alarm.how is How.SILENCE
        make = partial(
            aws.cloudwatch.MetricAlarm,
            alarm_description=f"{pulumi.get_project()}/{pulumi.get_stack()}: {alarm.text}",
            comparison_operator="LessThanThreshold" if silent else "GreaterThanOrEqualToThreshold",
            threshold=alarm.threshold,
            evaluation_periods=1,
            treat_missing_data="breaching" if silent else "notBreaching",
            alarm_actions=list(told),
            ok_actions=list(told),
            opts=self._opts,
        )
        if (expression := _expression(alarm)) is not None:
            metrics = self._together(alarm)
            queries = [_query(f"m{at}", metric, alarm.window_seconds) for at, metric in enumerate(metrics)]
            value = {"id": "value", "label": alarm.name, "expression": expression, "return_data": True}
            yield alarm.name, make(f"{self._name}-{alarm.name}", metric_queries=[value, *queries])
            return
        how = {"extended_statistic": "p95"} if alarm.how is How.P95 else {"statistic": STATISTICS[alarm.how]}
        for at, metric in self._each(alarm.of).items():
            name = f"{alarm.name}-{at}" if at else alarm.name
            yield name, make(f"{self._name}-{name}", **metric, **how, period=alarm.window_seconds)

    def _together(self, alarm: Alarm) -> list[Metric]:
        """Return the metrics that an expression reads, in its order."""
        if alarm.of is Measured.FAILED_EXECUTIONS:
            machine = self._args.workflow.ref
            return [_metric("AWS/States", metric, StateMachineArn=machine) for metric in EXECUTIONS]
        return [*self._each(alarm.of).values(), *self._each(Measured.REQUESTS).values()]

    def _each(self, of: Lines | Measured) -> Mapping[str, Metric]:
        """Return namespace, name and dimensions of each metric of a row, by what it is of; "" for the whole stack."""
        args = self._args
        if isinstance(of, Lines):
            return {"": {"namespace": self._namespace, "metric_name": of.name}}
        match of:
            case Measured.THROTTLES:
                return {
                    at: _metric("AWS/Lambda", "Throttles", FunctionName=function.name)
                    for at, function in args.functions["predict"].items()
                }
            case Measured.QUEUE_SECONDS:
                queues = {at: one.waiting for at, one in args.keeping.items() if isinstance(one, Queue)}
                return {
                    at: _metric("AWS/SQS", "ApproximateAgeOfOldestMessage", QueueName=queue.name)
                    for at, queue in queues.items()
                }
            case Measured.DEAD_LETTERS:
                kept = {
                    at: one.failed for at, one in args.keeping.items() if isinstance(one, Queue | Arrival | Schedule)
                }
                return {
                    at: _metric("AWS/SQS", "ApproximateNumberOfMessagesVisible", QueueName=queue.name)
                    for at, queue in kept.items()
                }
        if not isinstance(args.api, Api):
            raise TypeError(f"monitor: {type(args.api).__name__} is no API of this cloud")
        metric = "Count" if of is Measured.REQUESTS else "5xx"
        return {"": _metric("AWS/ApiGateway", metric, ApiId=args.api.identity)}


def pattern(lines: Lines) -> str:
    """Return the pattern of a filter for such lines.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
    """
    wanted = [f'($.{field} = "{value}")' for field, value in lines.having]
    return f"{{ {' && '.join([*wanted, *([f'($.{lines.value} = *)'] if lines.value else [])])} }}"


def _metric(namespace: str, name: str, **dimensions: pulumi.Input[str]) -> Metric:
    return {"namespace": namespace, "metric_name": name, "dimensions": dimensions}


def _query(identity: str, metric: Metric, seconds: int) -> dict[str, Any]:
    return {"id": identity, "return_data": False, "metric": {**metric, "period": seconds, "stat": "Sum"}}


def _expression(alarm: Alarm) -> str | None:
    """Return what is computed of several metrics; None where one is read as it is.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
    """
    if alarm.of is Measured.FAILED_EXECUTIONS:
        return "FILL(m0, 0) + FILL(m1, 0)"
    return f"IF(m1 >= {FEWEST}, FILL(m0, 0) / m1, 0)" if alarm.how is How.SHARE else None


def _sending(topic: aws.sns.Topic, account: pulumi.Output[str]) -> Statement:
    return {
        "Effect": "Allow",
        "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": topic.arn,
        "Condition": {
            "StringEquals": {"aws:SourceAccount": account},
            "ArnLike": {"aws:SourceArn": topic.arn.apply(lambda arn: arn_like(arn, "cloudwatch", "alarm:*"))},
        },
    }


def _group_name(arn: str) -> str:
    return arn.partition(":log-group:")[2]
