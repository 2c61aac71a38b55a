"""The function of the step that runs one experiment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.runtime.step import Step
from functions.core.training.train import Trainer

if TYPE_CHECKING:
    from functions.core.runtime.environment import Environment


def train(told: Environment) -> Step:
    """Takes `{"model": ..., "run": ..., "experiment": ...}` from the workflow."""
    log = told.log()
    trainer = Trainer(data=told.store("DATA_URL"), models=told.store("MODELS_URL"), log=log)
    return Step(name="train", act=lambda payload: trainer(**payload), log=log)
