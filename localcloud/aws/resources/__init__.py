"""A handler for every type of AWS resource that the program declares."""

from __future__ import annotations

from collections.abc import Mapping

from localcloud.aws.resources import (
    access,
    arrival,
    budget,
    function,
    gateway,
    logs,
    monitor,
    queue,
    schedule,
    storage,
    workflow,
)
from localcloud.engine.resource_handler import ResourceHandler

HANDLERS: Mapping[str, ResourceHandler] = {
    **storage.HANDLERS,
    **access.HANDLERS,
    **queue.HANDLERS,
    **function.HANDLERS,
    **logs.HANDLERS,
    **arrival.HANDLERS,
    **schedule.HANDLERS,
    **workflow.HANDLERS,
    **gateway.HANDLERS,
    **monitor.HANDLERS,
}

ABSENT: Mapping[str, str] = {
    "aws:sns/topicSubscription:TopicSubscription": monitor.UNTOLD,
    "aws:cloudwatch/dashboard:Dashboard": "there is no console here to show it",
    **budget.ABSENT,
    "aws:appautoscaling/target:Target": "the emulator has no autoscaling",
    "aws:appautoscaling/policy:Policy": "the emulator has no autoscaling",
    "aws:appautoscaling/scheduledAction:ScheduledAction": "the emulator has no autoscaling",
}
"""Types that are accepted and not created, each with the reason."""
