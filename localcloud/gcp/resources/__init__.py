"""A hand for every type of GCP resource that the program declares."""

from __future__ import annotations

from collections.abc import Mapping

from localcloud.engine.resource_handler import Hand
from localcloud.gcp.resources import access, arrival, function, gateway, logs, queue, schedule, storage, workflow

HANDS: Mapping[str, Hand] = {
    **storage.HANDS,
    **access.HANDS,
    **queue.HANDS,
    **function.HANDS,
    **arrival.HANDS,
    **schedule.HANDS,
    **workflow.HANDS,
    **gateway.HANDS,
}

ABSENT: Mapping[str, str] = {
    **logs.ABSENT,
    "gcp:projects/service:Service": "every service that is embedded here is always on",
}
"""Types that are accepted and not made."""
