"""EventBridge schedules."""

from __future__ import annotations

import json

import pulumi
import pulumi_aws as aws

from infra.aws.access import allow, role
from infra.aws.queue import dead_letters
from infra.cron import parse, spelt
from infra.vocabulary import ScheduleArgs

RETRY: aws.scheduler.ScheduleTargetRetryPolicyArgsDict = {
    "maximum_event_age_in_seconds": 3600,
    "maximum_retry_attempts": 10,
}


class Schedule(pulumi.ComponentResource):
    """Starts the workflow on time, UTC, at least once. A start that failed for an hour is kept as a dead letter."""

    def __init__(self, name: str, args: ScheduleArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("serverless-ml:aws:Schedule", name, None, opts)
        due = expression(args.cron)
        dead = dead_letters(name, (), self)
        identity, policy = role(
            name,
            "scheduler.amazonaws.com",
            [allow(["states:StartExecution"], [args.workflow.ref]), allow(["sqs:SendMessage"], [dead.arn])],
            self,
        )
        aws.scheduler.Schedule(
            f"{name}-schedule",
            schedule_expression=due,
            schedule_expression_timezone="UTC",
            flexible_time_window={"mode": "OFF"},
            target={
                "arn": args.workflow.ref,
                "role_arn": identity.arn,
                "input": json.dumps(dict(args.input), sort_keys=True),
                "retry_policy": RETRY,
                "dead_letter_config": {"arn": dead.arn},
            },
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )
        self.register_outputs({})


def expression(cron: str) -> str:
    """`0 3 * * 1` (Mondays at 3:00) becomes `cron(0 3 ? * 2 *)`.

    Three things differ: a day of the week is counted from Sunday = 1, one of the two day fields
    must be `?`, and a year is added. Values are spelt out, so that every step and range means
    what it means in cron: https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
    """
    due = parse(cron)
    minutes, hours, months = spelt(due.minutes), spelt(due.hours), spelt(due.months)
    if due.weekdays is None:
        return f"cron({minutes} {hours} {spelt(due.days)} {months} ? *)"
    return f"cron({minutes} {hours} ? {months} {spelt(day + 1 for day in due.weekdays)} *)"
