"""The step that prepares a dataset, on Lambda."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from functions.adapters.aws.environment import Environment
from functions.adapters.aws.step import run_step
from functions.core.prepare import Preparation


def handle(event: object, context: object) -> dict[str, Any]:
    """`{"input": ..., "execution": ...}` from the workflow."""
    environment = Environment()

    def step(payload: Mapping[str, Any]) -> dict[str, Any]:
        prepare = Preparation(
            data=environment.store("DATA_URL"),
            models=environment.store("MODELS_URL"),
            execution=payload["execution"],
            at=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        return prepare(payload["input"])

    return run_step("prepare", step, event, context, environment.log())
