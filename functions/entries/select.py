"""The function of the step that selects the best candidate and registers it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from functions.core.registry.restart import Restart
from functions.core.registry.runs import RunUsage
from functions.core.runtime.step import Step
from functions.core.selection.select import Selection
from interface import variables

if TYPE_CHECKING:
    from collections.abc import Mapping

    from functions.core.runtime.environment import Environment


def select(environment: Environment) -> Step:
    """Compose the step that selects and registers. Its payload is `{"model": ..., "run": ..., "round": ...}`."""
    data, models = environment.store(variables.DATA_URL), environment.store(variables.MODELS_URL)

    def act(payload: Mapping[str, Any]) -> Mapping[str, Any]:
        selection = Selection(data=data, models=models, at=datetime.now(UTC).isoformat(timespec="seconds"))
        model, run = payload["model"], payload["run"]
        return Restart(models, model, run).selecting(lambda: selection(model, run, payload.get("round")))

    note = RunUsage(models).noting("select", settles=True)
    return Step(name="select", act=act, log=environment.log(), metering=environment.metering, note=note)
