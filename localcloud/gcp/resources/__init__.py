"""A handler for every type of GCP resource that the program declares."""

from __future__ import annotations

from collections.abc import Mapping

from localcloud.engine.resource_handler import ResourceHandler
from localcloud.gcp.resources import (
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

HANDLERS: Mapping[str, ResourceHandler] = {
    **storage.HANDLERS,
    **access.HANDLERS,
    **queue.HANDLERS,
    **function.HANDLERS,
    **arrival.HANDLERS,
    **schedule.HANDLERS,
    **workflow.HANDLERS,
    **gateway.HANDLERS,
    **monitor.HANDLERS,
}

ABSENT: Mapping[str, str] = {
    **logs.ABSENT,
    **monitor.ABSENT,
    **budget.ABSENT,
    "gcp:projects/service:Service": "every service that is embedded here is always on",
}
"""Types that are accepted and not created, each with the reason."""
