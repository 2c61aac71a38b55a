"""The step that selects and registers, on Lambda."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from functions.adapters.aws.environment import Environment
from functions.adapters.aws.step import run_step
from functions.core.select import Selection


def handle(event: object, context: object) -> dict[str, Any]:
    """`{"model": ..., "run": ...}` from the workflow."""
    environment = Environment()
    select = Selection(
        data=environment.store("DATA_URL"),
        models=environment.store("MODELS_URL"),
        at=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    return run_step("select", lambda payload: select(**payload), event, context, environment.log())
