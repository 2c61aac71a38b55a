"""The function of the workflow's steps that release, judge, roll back and abandon."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.release.rollout import Rollout
from functions.core.runtime.step import Step
from interface import variables
from interface.rollout import RolloutPlan
from models.catalogue import load

if TYPE_CHECKING:
    from functions.core.runtime.environment import Environment


def rollout(environment: Environment) -> Step:
    """Compose the step that does one action of a release. Its payload is `{"action": ..., ...}`."""
    release = Rollout(
        environment.store(variables.MODELS_URL),
        environment.store(variables.CAPTURES_URL),
        plan=RolloutPlan.from_json(environment.text(variables.ROLLOUT)),
        thresholds=lambda model: load(model).rollout,
    )
    return Step(name="rollout", act=release.act, log=environment.log())
