"""The workflow's release, judge and abandon steps, on Lambda."""

from __future__ import annotations

from typing import Any

from functions.adapters.aws.step import run
from functions.entries.rollout import rollout


def handle(event: object, context: object) -> dict[str, Any]:
    return run(rollout, event, context)
