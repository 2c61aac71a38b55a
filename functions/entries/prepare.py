"""The function of the step that prepares a dataset."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from functions.core.dataset.hold import Hold
from functions.core.dataset.prepare import Preparation
from functions.core.registry.runs import RunUsage
from functions.core.runtime.patience import patiently
from functions.core.runtime.step import Step
from interface import variables
from interface.window import Window

if TYPE_CHECKING:
    from collections.abc import Mapping

    from functions.core.runtime.environment import Environment


def prepare(environment: Environment) -> Step:
    """Compose the step that prepares a dataset. Its payload is `{"input": ..., "execution": ...}`."""
    data, models, log = (
        environment.store(variables.DATA_URL),
        environment.store(variables.MODELS_URL),
        environment.log(),
    )
    window = environment.optional(variables.WINDOW)
    hold = None if window is None else Hold(window=Window.from_json(window), data=data)

    def act(payload: Mapping[str, Any]) -> Mapping[str, Any]:
        at = datetime.now(UTC).isoformat(timespec="seconds")
        preparation = Preparation(data=data, models=models, execution=payload["execution"], at=at, log=log, hold=hold)
        return patiently(lambda: preparation(payload["input"]))

    note = RunUsage(models).noting("prepare")
    return Step(name="prepare", act=act, log=log, metering=environment.metering, note=note)
