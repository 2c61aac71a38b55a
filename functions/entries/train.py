"""The function of the step that runs one experiment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from functions.core.registry.restart import Restart
from functions.core.registry.runs import RunUsage
from functions.core.runtime.step import Step
from functions.core.training.limits import Function
from functions.core.training.spending import STEP
from functions.core.training.train import Trainer
from interface import variables

if TYPE_CHECKING:
    from collections.abc import Mapping

    from functions.core.runtime.environment import Environment


def train(environment: Environment) -> Step:
    """Compose the step that runs one experiment.

    Its payload is `{"model": ..., "run": ..., "experiment": ..., "round": ...}`.
    """
    log = environment.log()
    models = environment.store(variables.MODELS_URL)
    function = Function.told(environment.optional(variables.TIMEOUT_SECONDS), environment.optional(variables.MEMORY_MB))
    trainer = Trainer(data=environment.store(variables.DATA_URL), models=models, log=log, function=function)
    note = RunUsage(models).noting(STEP)

    def act(payload: Mapping[str, Any]) -> Mapping[str, Any]:
        model, run, experiment = payload["model"], payload["run"], payload["experiment"]
        return Restart(models, model, run).training(lambda: trainer(model, run, experiment, payload.get("round")))

    return Step(name="train", act=act, log=log, metering=environment.metering, note=note)
