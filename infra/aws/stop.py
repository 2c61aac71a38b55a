"""What a function may do to stop a stack: to Lambda's concurrency, to the consumers of queues, and to schedules.

A function whose reserved concurrency is zero is not called. Before that its queue is let alone, since a message that
finds no copy counts as delivered, and the copies that are kept ready go: they are billed whether they are called or
not. To change a schedule is to hand its role to EventBridge Scheduler again, which is the one thing that may be done
with it. https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html,
https://docs.aws.amazon.com/scheduler/latest/UserGuide/security_iam_id-based-policies.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar, runtime_checkable

import pulumi
import pulumi_aws as aws

from infra.aws.access import Statement, allow
from infra.aws.account import arn_like
from infra.vocabulary import Stops

CONCURRENCY = ("lambda:GetFunctionConcurrency", "lambda:PutFunctionConcurrency", "lambda:DeleteFunctionConcurrency")
READY = tuple(f"lambda:{verb}ProvisionedConcurrencyConfig" for verb in ("Get", "Put", "Delete"))
MAPPING = ("lambda:GetEventSourceMapping", "lambda:UpdateEventSourceMapping")
SCHEDULE = ("scheduler:GetSchedule", "scheduler:UpdateSchedule")
Kind = TypeVar("Kind")


@runtime_checkable
class Called(Protocol):
    """A function of this cloud: function.py."""

    ref: pulumi.Output[str]
    name: pulumi.Output[str]
    mapping: aws.lambda_.EventSourceMapping | None
    ready: aws.lambda_.Alias | None


@runtime_checkable
class Scheduled(Protocol):
    """A schedule of this cloud: schedule.py."""

    schedule: aws.scheduler.Schedule
    role: aws.iam.Role


def statements(stops: Stops) -> list[Statement]:
    """Return the statements that let a function stop these, and have them go on, and nothing else.

    Raise `TypeError` for what is of another cloud.
    """
    functions, schedules = _of(stops.functions, Called), _of(stops.schedules, Scheduled)
    mapped = [
        pulumi.Output.all(one.ref, one.mapping.uuid).apply(_mapping) for one in functions if one.mapping is not None
    ]
    passed = {"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}}
    possible = [
        allow(CONCURRENCY, [one.ref.apply(_unqualified) for one in functions]),
        allow(READY, [one.ready.arn for one in functions if one.ready is not None]),
        allow(MAPPING, mapped),
        allow(SCHEDULE, [one.schedule.arn for one in schedules]),
        allow(["iam:PassRole"], [one.role.arn for one in schedules], passed),
    ]
    return [one for one in possible if one["Resource"]]


def named(stops: Stops) -> pulumi.Output[str]:
    """Return what these are called, as JSON: by their kinds, in the order in which they are stopped."""
    functions, schedules = _of(stops.functions, Called), _of(stops.schedules, Scheduled)
    names: Mapping[str, Sequence[pulumi.Input[str]]] = {
        "schedule": [one.schedule.name for one in schedules],
        "mapping": [one.mapping.uuid for one in functions if one.mapping is not None],
        "ready": [pulumi.Output.concat(one.name, ":", one.ready.name) for one in functions if one.ready is not None],
        "function": [one.name for one in functions],
    }
    return pulumi.Output.json_dumps(names)


def _of(named: Mapping[str, object], kind: type[Kind]) -> list[Kind]:
    for name, one in sorted(named.items()):
        if not isinstance(one, kind):
            raise TypeError(f"{name}: {type(one).__name__} is nothing of this cloud that can be stopped")
    return [one for _, one in sorted(named.items()) if isinstance(one, kind)]


def _unqualified(alias: str) -> str:
    return alias.rpartition(":")[0]


def _mapping(of: Sequence[str]) -> str:
    return arn_like(of[0], "lambda", f"event-source-mapping:{of[1]}")
