"""The function of the step that prepares a dataset."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from functions.core.dataset.prepare import Preparation
from functions.core.registry.runs import RunUsage
from functions.core.runtime.patience import patiently
from functions.core.runtime.step import Step
from interface import variables

if TYPE_CHECKING:
    from collections.abc import Mapping

    from functions.core.dataset.hold import Hold
    from functions.core.runtime.environment import Environment
    from functions.core.storage.objects import Objects


def prepare(environment: Environment) -> Step:
    """Compose the step that prepares a dataset. Its payload is `{"input": ..., "execution": ...}`."""
    data, models, log = (
        environment.store(variables.DATA_URL),
        environment.store(variables.MODELS_URL),
        environment.log(),
    )
    hold = _hold(environment, data)

    def act(payload: Mapping[str, Any]) -> Mapping[str, Any]:
        at = datetime.now(UTC).isoformat(timespec="seconds")
        preparation = Preparation(data=data, models=models, execution=payload["execution"], at=at, log=log, hold=hold)
        return patiently(lambda: preparation(payload["input"]))

    note = RunUsage(models).noting("prepare")
    return Step(name="prepare", act=act, log=log, metering=environment.metering, note=note)


def _hold(environment: Environment, data: Objects) -> Hold | None:
    """Return what has a scheduled training wait for its slot; None in a stack without a window."""
    window = environment.optional(variables.WINDOW)
    if window is None:
        return None
    from functions.core.dataset.hold import Hold  # noqa: PLC0415 - few stacks have one, and all start cold
    from interface.window import Window  # noqa: PLC0415

    return Hold(window=Window.from_json(window), data=data)
