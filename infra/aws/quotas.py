"""The quotas of a new AWS account that a stack can exceed: copies and memory of functions."""

from __future__ import annotations

import json
from collections.abc import Iterable

from infra.quotas import Declared, Quota, Want

FUNCTION = "aws:lambda/function:Function"
MAPPING = "aws:lambda/eventSourceMapping:EventSourceMapping"
MACHINE = "aws:sfn/stateMachine:StateMachine"
READY = frozenset({"aws:appautoscaling/target:Target", "aws:appautoscaling/scheduledAction:ScheduledAction"})
LIMITS_PAGE = "https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"
UNRESERVED = 100
"""Copies that must stay unreserved, where the account has so many; an account with fewer can reserve none of them:
https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html. Refusals name 10, 50 and 100."""

COPIES = Quota(
    name="Concurrent executions",
    service="lambda",
    code="L-B99A9384",
    usual=10,
    unit="copies of all functions",
    settings="functions.*.concurrency, scaling.models.*.concurrency, scaling.minimum, training.parallelism",
    ask="https://console.aws.amazon.com/servicequotas/home/services/lambda/quotas/L-B99A9384",
    # The page says that new accounts have less than its 1,000, and not how much: ten is what the refusals say.
    sources=(LIMITS_PAGE, "https://github.com/aws-samples/one-observability-demo/issues/278"),
    read_on="2026-11-29",
    certain=False,
)
MEMORY = Quota(
    name="Function memory",
    service="lambda",
    code="",
    usual=3008,
    unit="MB for a function",
    settings="functions.*.memory_mb, scaling.models.*.memory_mb",
    ask="https://console.aws.amazon.com/support/home#/case/create?issueType=service-limit-increase",
    sources=(LIMITS_PAGE, "https://github.com/aws-samples/sample-demo-of-nova-mme/issues/3"),
    read_on="2026-11-29",
    certain=False,
)


def wants(graph: Iterable[Declared]) -> tuple[Want, ...]:
    """Return what the functions of a graph want of the account."""
    resources = tuple(graph)
    functions = [resource for resource in resources if resource.type == FUNCTION]
    aside = sum(_set_aside(function, resources) for function in functions)
    unreserved = UNRESERVED if aside else COPIES.usual
    memory = max((function.inputs.get("memorySize", 128) for function in functions), default=0)
    return (
        Want(quota=COPIES, to_deploy=aside + unreserved, wanted=aside + max(unreserved, _at_work(resources))),
        Want(quota=MEMORY, to_deploy=memory, wanted=memory),
    )


def _set_aside(function: Declared, resources: Iterable[Declared]) -> int:
    """Return the copies that no other function can have: those reserved, or those that may be kept ready."""
    ready = [_most_ready(other) for other in resources if other.type in READY and other.parent == function.parent]
    return max(function.inputs.get("reservedConcurrentExecutions") or 0, *ready, 0)


def _most_ready(resource: Declared) -> int:
    action = resource.inputs.get("scalableTargetAction", resource.inputs)
    return action.get("maxCapacity", 0)


def _at_work(resources: Iterable[Declared]) -> int:
    """Return the copies that work without a caller: of experiments, and of queues' consumers."""
    consumers = [r.inputs.get("scalingConfig", {}) for r in resources if r.type == MAPPING]
    machines = [json.loads(r.inputs["definition"])["States"] for r in resources if r.type == MACHINE]
    experiments = [state.get("MaxConcurrency", 1) for states in machines for state in states.values()]
    return sum(experiments and [max(experiments)]) + sum(each.get("maximumConcurrency", 0) for each in consumers)
