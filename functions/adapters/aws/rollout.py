"""The workflow's release, judge and abandon steps."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from functions.adapters.aws.environment import Environment
from functions.adapters.aws.step import run_step
from functions.core.rollout import Rollout, Stages
from models.contract import Contract

if TYPE_CHECKING:
    from functions.core.log import Log


def handle(payload: dict[str, Any], context: object) -> dict[str, Any]:
    rollout, log = _rollout()
    return run_step("rollout", rollout.act, payload, context, log)


@cache
def _rollout() -> tuple[Rollout, Log]:
    told = Environment()
    rollout = Rollout(
        told.store("MODELS_URL"),
        told.store("CAPTURES_URL"),
        stages=Stages.parse(told.text("ROLLOUT")),
        thresholds=lambda model: Contract.load(model).rollout,
    )
    return rollout, told.log()
