"""The function that ends what no execution of the workflow will end any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.release.supervisor import Supervisor
from functions.core.runtime.step import Step
from interface import variables
from interface.rollout import RolloutPlan

if TYPE_CHECKING:
    from functions.core.runtime.environment import Environment


def supervise(environment: Environment) -> Step:
    """Compose the step that looks after every model. Its payload does not matter."""
    log = environment.log()
    supervisor = Supervisor(
        environment.store(variables.MODELS_URL),
        environment.names(variables.MODELS),
        plan=RolloutPlan.from_json(environment.text(variables.ROLLOUT)),
        quiet_seconds=environment.number(variables.QUIET_SECONDS),
        log=log,
    )
    return Step(name="supervise", act=supervisor.act, log=log, metering=environment.metering)
