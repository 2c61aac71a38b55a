"""Cloud Scheduler jobs."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping

import pulumi
import pulumi_gcp as gcp

from infra.cron import parse, spelt
from infra.gcp.place import region
from infra.gcp.workflow import Workflow
from infra.vocabulary import ScheduleArgs

EXECUTIONS = "https://workflowexecutions.googleapis.com/v1/"
RETRY: gcp.cloudscheduler.JobRetryConfigArgsDict = {
    "retry_count": 5,
    "min_backoff_duration": "30s",
    "max_backoff_duration": "600s",
    "max_doublings": 5,
    "max_retry_duration": "3600s",
}
"""As often as Cloud Scheduler can, and for an hour at least."""


class Schedule(pulumi.ComponentResource):
    """Starts the workflow on time, UTC, at least once. A start that failed for an hour is left to the next time."""

    def __init__(self, name: str, args: ScheduleArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("serverless-ml:gcp:Schedule", name, None, opts)
        workflow = args.workflow
        if not isinstance(workflow, Workflow):
            raise TypeError(f"schedule {name}: {type(workflow).__name__} is not a workflow of this cloud")
        gcp.cloudscheduler.Job(
            f"{name}-job",
            region=region(),
            schedule=expression(args.cron),
            time_zone="Etc/UTC",
            attempt_deadline="30s",
            http_target={
                "uri": pulumi.Output.concat(EXECUTIONS, workflow.ref, "/executions"),
                "http_method": "POST",
                "headers": {"Content-Type": "application/json"},
                "body": _body(args.input),
                "oauth_token": {"service_account_email": workflow.starter.email},
            },
            retry_config=RETRY,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[workflow.startable]),
        )
        self.register_outputs({})


def expression(cron: str) -> str:
    """Five fields, spelt out: in them Sunday is 0 alone. https://cloud.google.com/scheduler/docs/configuring/cron-job-schedules"""
    due = parse(cron)
    return " ".join(spelt(field) for field in (due.minutes, due.hours, due.days, due.months, due.weekdays))


def _body(given: Mapping[str, str]) -> str:
    execution = {"argument": json.dumps(dict(given), sort_keys=True)}
    return base64.b64encode(json.dumps(execution).encode()).decode()
