"""The step that runs one experiment, on Lambda."""

from __future__ import annotations

from typing import Any

from functions.adapters.aws.environment import Environment
from functions.adapters.aws.step import run_step
from functions.core.train import Trainer


def handle(event: object, context: object) -> dict[str, Any]:
    """`{"model": ..., "run": ..., "experiment": ...}` from the workflow."""
    environment = Environment()
    train = Trainer(data=environment.store("DATA_URL"), models=environment.store("MODELS_URL"), log=environment.log())
    return run_step("train", lambda payload: train(**payload), event, context, environment.log())
