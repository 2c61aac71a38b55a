"""Jobs: a queue's batch of events about new objects in the jobs store."""

from __future__ import annotations

from typing import Any

from functions.adapters.aws.environment import composed
from functions.adapters.aws.queue import in_part
from functions.entries.jobs import jobs


def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return in_part(event, composed(jobs), lambda: context.get_remaining_time_in_millis() / 1000)
