"""EventBridge schedules."""

from __future__ import annotations

import json

import pulumi
import pulumi_aws as aws

from infra.aws.access import allow, role
from infra.aws.cron import expression
from infra.aws.function import Function
from infra.aws.queue import dead_letters
from infra.aws.workflow import Workflow
from infra.keep import kept
from infra.vocabulary import ScheduleArgs

RETRY: aws.scheduler.ScheduleTargetRetryPolicyArgsDict = {
    "maximum_event_age_in_seconds": 3600,
    "maximum_retry_attempts": 10,
}


class Schedule(pulumi.ComponentResource):
    """A schedule that starts a workflow, or calls a function, on time, UTC, at least once.

    A start that failed for an hour is kept as a dead letter. A function that fails is called again by
    Lambda itself, twice:
    https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
    """

    def __init__(self, name: str, args: ScheduleArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("serverless-ml:aws:Schedule", name, None, opts)
        due = expression(args.cron)
        undelivered = dead_letters(name, (), kept(pulumi.ResourceOptions(parent=self), args.keep))
        identity, policy = role(
            name,
            "scheduler.amazonaws.com",
            [allow([_action(name, args)], [args.target.ref]), allow(["sqs:SendMessage"], [undelivered.arn])],
            self,
        )
        self.schedule = aws.scheduler.Schedule(
            f"{name}-schedule",
            schedule_expression=due,
            schedule_expression_timezone="UTC",
            flexible_time_window={"mode": "OFF"},
            target={
                "arn": args.target.ref,
                "role_arn": identity.arn,
                "input": json.dumps(dict(args.input), sort_keys=True),
                "retry_policy": RETRY,
                "dead_letter_config": {"arn": undelivered.arn},
            },
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )
        self.role = identity
        self.failed = undelivered
        self.register_outputs({})


def _action(name: str, args: ScheduleArgs) -> str:
    """Return the action that the schedule's role needs. Raise `TypeError` for a target of another cloud."""
    match args.target:
        case Workflow():
            return "states:StartExecution"
        case Function():
            return "lambda:InvokeFunction"
    raise TypeError(f"schedule {name}: {type(args.target).__name__} is neither a workflow nor a function of this cloud")
