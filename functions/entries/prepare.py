"""The function of the step that prepares a dataset."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from functions.core.dataset.prepare import Preparation
from functions.core.runtime.step import Step

if TYPE_CHECKING:
    from collections.abc import Mapping

    from functions.core.runtime.environment import Environment


def prepare(told: Environment) -> Step:
    """Takes `{"input": ..., "execution": ...}` from the workflow."""
    data, models = told.store("DATA_URL"), told.store("MODELS_URL")

    def act(payload: Mapping[str, Any]) -> Mapping[str, Any]:
        at = datetime.now(UTC).isoformat(timespec="seconds")
        return Preparation(data=data, models=models, execution=payload["execution"], at=at)(payload["input"])

    return Step(name="prepare", act=act, log=told.log())
