"""The function of the workflow's steps that release, judge, roll back and abandon."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from functions.core.registry.executions import model_of
from functions.core.registry.runs import RunUsage
from functions.core.release.rollout import Rollout
from functions.core.runtime.step import Step
from interface import variables
from interface.rollout import RolloutPlan
from models.catalogue import labels_of, load

if TYPE_CHECKING:
    from collections.abc import Mapping

    from functions.core.runtime.environment import Environment
    from functions.core.runtime.usage import Usage


def rollout(environment: Environment) -> Step:
    """Compose the step that does one action of a release. Its payload is `{"action": ..., ...}`."""
    models = environment.store(variables.MODELS_URL)
    release = Rollout(
        models,
        environment.store(variables.CAPTURES_URL),
        plan=RolloutPlan.from_json(environment.text(variables.ROLLOUT)),
        thresholds=lambda model: load(model).rollout,
        labels=lambda model: labels_of(load(model)),
        asking=environment.names(variables.APPROVAL, optional=True),
    )
    noting = RunUsage(models).noting("rollout", settles=True)

    def note(about: Mapping[str, Any], used: Usage) -> None:
        # A run that is abandoned is known by the input of its execution alone.
        noting({"model": model_of(about.get("input")), **about}, used)

    return Step(name="rollout", act=release.act, log=environment.log(), metering=environment.metering, note=note)
