"""Alert policies over metrics of log lines and of the services, and the channels that they notify."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial

import pulumi
import pulumi_gcp as gcp

from infra.alarms import FEWEST, LATENCY, Alarm, How, Lines, Measured, metrics
from infra.gcp.dashboard import body
from infra.gcp.queue import Queue
from infra.vocabulary import MonitorArgs

EVALUATED = "60s"
"""How often a policy is asked: each time is billed."""
CLOSED_SECONDS = 1800
"""An incident whose data ends is closed after it, which is the least that is accepted:
https://cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.alertPolicies#alertstrategy"""
BUCKETS: gcp.logging.MetricBucketOptionsExponentialBucketsArgsDict = {
    "scale": 1.0,
    "growth_factor": 1.2,
    "num_finite_buckets": 64,
}
"""Of milliseconds: a 95 % point is known to a fifth, from 1 ms to 117 s."""
WORKLOAD = "cloud_run_revision"
FAULTS = 'response_code_class="5xx"'
BUSY = 'response_code="429"'
"""https://cloud.google.com/run/docs/troubleshooting#abort-request: there was no available instance."""
CONSOLE = "https://console.cloud.google.com/monitoring/dashboards/builder"
FAILED = 'status="FAILED"'
ADDRESS = {"email": "email_address", "webhook_tokenauth": "url"}
"""The label that has it: https://cloud.google.com/monitoring/alerts/using-channels-api."""


class Monitor(pulumi.ComponentResource):
    """A metric for the log lines of each name, a policy for each row, and a channel for each who is told.

    Metrics are made of lines once these are written, the lines that no bucket keeps among them: no request waits.
    Policies are in PromQL, since only there may a policy name a metric of which nothing was measured yet, as no metric
    of a new stack was: https://github.com/hashicorp/terraform-provider-google/issues/11102. `increase` may say a
    little less than was counted, so counts are compared with half of one less.
    """

    alarms: pulumi.Output[Mapping[str, str]]
    dashboard: pulumi.Output[str]

    def __init__(self, name: str, args: MonitorArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("serverless-ml:gcp:Monitor", name, None, opts)
        self._name, self._args = name, args
        self._opts = pulumi.ResourceOptions(parent=self)
        channels = [self._channel(f"email-{at}", "email", address) for at, address in enumerate(args.email, start=1)]
        channels += [self._channel("webhook", "webhook_tokenauth", args.webhook)] if args.webhook else []
        self._lines = {lines: self._metric(lines) for lines in metrics(args.alarms)}
        made = {alarm.name: self._policy(alarm, [channel.id for channel in channels]).id for alarm in args.alarms}
        self.alarms = pulumi.Output.all(**made)
        self.dashboard = self._dashboard() if args.dashboard else pulumi.Output.from_input("")
        self.register_outputs({"alarms": self.alarms, "dashboard": self.dashboard})

    def _channel(self, name: str, kind: str, address: str) -> gcp.monitoring.NotificationChannel:
        return gcp.monitoring.NotificationChannel(
            f"{self._name}-{name}",
            type=kind,
            display_name=f"{pulumi.get_project()}/{pulumi.get_stack()}",
            labels={ADDRESS[kind]: address},
            opts=self._opts,
        )

    def _metric(self, lines: Lines) -> gcp.logging.Metric:
        services = [function.name for row in lines.by for function in self._args.functions[row].values()]
        measured = lines.value != ""
        return gcp.logging.Metric(
            f"{self._name}-{lines.name.lower()}",
            filter=pulumi.Output.all(*services).apply(partial(_filter, lines)),
            value_extractor=f"EXTRACT(jsonPayload.{lines.value})" if measured else None,
            label_extractors={label: f"EXTRACT(jsonPayload.{label})" for label in lines.labels} or None,
            bucket_options={"exponential_buckets": BUCKETS} if measured else None,
            metric_descriptor={
                "metric_kind": "DELTA",
                "value_type": "DISTRIBUTION" if measured else "INT64",
                "unit": lines.value if measured else "1",
                "labels": [{"key": label, "value_type": "STRING"} for label in lines.labels],
            },
            opts=self._opts,
        )

    def _policy(self, alarm: Alarm, channels: Sequence[pulumi.Output[str]]) -> gcp.monitoring.AlertPolicy:
        condition: gcp.monitoring.AlertPolicyConditionConditionPrometheusQueryLanguageArgsDict = {
            "query": self._query(alarm),
            "duration": "0s",
            "evaluation_interval": EVALUATED,
            "disable_metric_validation": True,
        }
        stack = f"{pulumi.get_project()}/{pulumi.get_stack()}"
        return gcp.monitoring.AlertPolicy(
            f"{self._name}-{alarm.name}",
            display_name=f"{stack}: {alarm.name}",
            combiner="OR",
            conditions=[{"display_name": alarm.name, "condition_prometheus_query_language": condition}],
            documentation={"content": alarm.text, "mime_type": "text/markdown", "subject": f"{stack}: {alarm.says}"},
            alert_strategy={"auto_close": f"{CLOSED_SECONDS}s", "notification_prompts": ["OPENED", "CLOSED"]},
            notification_channels=list(channels),
            opts=self._opts,
        )

    def _dashboard(self) -> pulumi.Output[str]:
        """Draw the rows, and return the address."""
        title = f"{pulumi.get_project()}/{pulumi.get_stack()}"
        queries = pulumi.Output.all(**{alarm.name: self._query(alarm) for alarm in self._args.alarms})
        latency = self._lines[LATENCY].name.apply(_of_lines)
        drawn = pulumi.Output.all(self.alarms, queries, latency)
        dashboard = gcp.monitoring.Dashboard(
            f"{self._name}-dashboard",
            dashboard_json=drawn.apply(lambda all_: body(title, [*all_[0].values()], all_[1], all_[2])),
            opts=self._opts,
        )
        return dashboard.id.apply(lambda name: f"{CONSOLE}/{name.rpartition('/')[2]}")

    def _query(self, alarm: Alarm) -> pulumi.Output[str]:
        """Return when a row is an alarm, in PromQL.

        https://cloud.google.com/monitoring/promql/promql-mapping says what metrics and labels are called there.
        """
        if isinstance(alarm.of, Lines):
            return self._lines[alarm.of].name.apply(lambda name: _compared(alarm, _of_lines(name)))
        if alarm.of in (Measured.QUEUE_SECONDS, Measured.DEAD_LETTERS):
            queues = [queue for queue in self._args.keeping.values() if isinstance(queue, Queue)]
            waiting = [queue.waiting for queue in queues if queue.waiting is not None]
            wanted = waiting if alarm.of is Measured.QUEUE_SECONDS else [queue.dead_letters for queue in queues]
            kept = "oldest_unacked_message_age" if alarm.of is Measured.QUEUE_SECONDS else "num_undelivered_messages"
            metric = f"pubsub_googleapis_com:subscription_{kept}"
            return _selected(metric, "pubsub_subscription", "subscription_id", wanted).apply(partial(_compared, alarm))
        if alarm.of is Measured.FAILED_EXECUTIONS:
            metric, resource = "workflows_googleapis_com:finished_execution_count", "workflows.googleapis.com/Workflow"
            found = _selected(metric, resource, "workflow_id", [self._args.workflow.ref], FAILED)
            return found.apply(partial(_compared, alarm))
        more = {Measured.ERRORS: FAULTS, Measured.THROTTLES: BUSY}.get(alarm.of, "")
        answering = [function.name for function in self._args.functions["predict"].values()]
        metric = "run_googleapis_com:request_count"
        found, every = (_selected(metric, WORKLOAD, "service_name", answering, which) for which in (more, ""))
        return pulumi.Output.all(found, every).apply(lambda both: _compared(alarm, *both))


def _filter(lines: Lines, services: Sequence[str]) -> str:
    """Return which entries of the log are such lines: https://cloud.google.com/logging/docs/view/logging-query-language."""
    named = " OR ".join(f'"{name}"' for name in services)
    wanted = [f'jsonPayload.{field}="{value}"' for field, value in lines.having]
    return " AND ".join([f'resource.type="{WORKLOAD}"', f"resource.labels.service_name=({named})", *wanted])


def _of_lines(metric: str) -> str:
    return f'logging_googleapis_com:user_{re.sub("[^A-Za-z0-9]", "_", metric)}{{monitored_resource="{WORKLOAD}"}}'


def _selected(
    metric: str, resource: str, label: str, names: Sequence[pulumi.Output[str]], more: str = ""
) -> pulumi.Output[str]:
    """Return what selects a service's metric of some resources, which their names or ids say."""

    def selector(ids: Sequence[str]) -> str:
        named = "|".join(one.rpartition("/")[2] for one in ids)
        wanted = ", ".join(filter(None, [f'monitored_resource="{resource}"', f'{label}=~"{named}"', more]))
        return f"{metric}{{{wanted}}}"

    return pulumi.Output.all(*names).apply(selector)


def _compared(alarm: Alarm, selector: str, every: str = "") -> str:
    """Return the query that holds while a row is an alarm."""
    window = f"[{alarm.window_seconds}s]"
    match alarm.how:
        case How.MOST:
            return f"max(max_over_time({selector}{window})) >= {alarm.threshold:g}"
        case How.P95:
            metric, _, wanted = selector.partition("{")
            buckets = f"sum by (le) (increase({metric}_bucket{{{wanted}{window}))"
            return f"histogram_quantile(0.95, {buckets}) >= {alarm.threshold:g}"
        case How.SHARE:
            share = f"sum(increase({selector}{window})) / sum(increase({every}{window}))"
            return f"{share} >= {alarm.threshold:g} and sum(increase({every}{window})) >= {FEWEST}"
        case How.SILENCE:
            return f"(sum(increase({selector}{window})) or vector(0)) < {alarm.threshold - 0.5:g}"
        case How.SUM:
            return f"sum(increase({selector}{window})) >= {alarm.threshold - 0.5:g}"
