"""Cloud Scheduler jobs."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping

import pulumi
import pulumi_gcp as gcp

from infra.gcp.access import allow_invocation
from infra.gcp.cron import expression
from infra.gcp.function import Function, short
from infra.gcp.project import region
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
"""As often as Cloud Scheduler can retry, and for an hour at least."""
START_SECONDS = 30
"""How long a workflow may take to start."""
LONGEST_SECONDS = 1800
"""The longest that Cloud Scheduler waits for an answer:
https://cloud.google.com/scheduler/docs/reference/rest/v1/projects.locations.jobs#Job.FIELDS.attempt_deadline"""


class Schedule(pulumi.ComponentResource):
    """A job that starts a workflow, or calls a function, on time, UTC, at least once.

    A call that failed for an hour is dropped until the next time. A function is called as an account
    of the schedule's own, which may call it and nothing else.
    """

    def __init__(self, name: str, args: ScheduleArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("serverless-ml:gcp:Schedule", name, None, opts)
        target, seconds, dependency = self._request(name, args)
        self.job = gcp.cloudscheduler.Job(
            f"{name}-job",
            region=region(),
            schedule=expression(args.cron),
            time_zone="Etc/UTC",
            attempt_deadline=f"{seconds}s",
            http_target={**target, "http_method": "POST", "headers": {"Content-Type": "application/json"}},
            retry_config=RETRY,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[dependency]),
        )
        self.register_outputs({})

    def _request(
        self, name: str, args: ScheduleArgs
    ) -> tuple[gcp.cloudscheduler.JobHttpTargetArgsDict, int, pulumi.Resource]:
        """Return the request, how many seconds its answer may take, and the resource to make before.

        Raise `TypeError` for a target of another cloud.
        """
        match args.target:
            case Workflow() as workflow:
                started: gcp.cloudscheduler.JobHttpTargetArgsDict = {
                    "uri": pulumi.Output.concat(EXECUTIONS, workflow.ref, "/executions"),
                    "body": _encoded({"argument": json.dumps(dict(args.input), sort_keys=True)}),
                    "oauth_token": {"service_account_email": workflow.starter.email},
                }
                return started, START_SECONDS, workflow.startable
            case Function() as function:
                child_opts = pulumi.ResourceOptions(parent=self)
                display = f"schedule of function {name}"
                caller = gcp.serviceaccount.Account(f"{short(name)}-schedule", display_name=display, opts=child_opts)
                allowed = allow_invocation(f"{name}-schedule-invoker", caller, function.name, child_opts)
                called: gcp.cloudscheduler.JobHttpTargetArgsDict = {
                    "uri": function.ref,
                    "body": _encoded(dict(args.input)),
                    "oidc_token": {"service_account_email": caller.email, "audience": function.ref},
                }
                return called, LONGEST_SECONDS, allowed
        raise TypeError(
            f"schedule {name}: {type(args.target).__name__} is neither a workflow nor a function of this cloud"
        )


def _encoded(content: Mapping[str, str]) -> str:
    return base64.b64encode(json.dumps(content).encode()).decode()
