"""The functions that train: one for a model with packages of its own, and one for all other models."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from infra.function_spec import FunctionSpec, WorkflowStep
from infra.function_table import FUNCTIONS, TRAIN, named
from infra.serving import shortened
from models.section import FOLDER

if TYPE_CHECKING:
    from infra.settings import Settings

REQUIREMENTS = "requirements.in"
"""In a model's folder: the packages that its training needs besides those of every training."""


def with_packages(models: Iterable[str], folder: Path = FOLDER) -> tuple[str, ...]:
    """Return those of `models` that have packages of their own, sorted."""
    return tuple(sorted({model for model in models if (folder / model / REQUIREMENTS).is_file()}))


def functions(models: Iterable[str], folder: Path = FOLDER) -> tuple[FunctionSpec, ...]:
    """Return the row of each function of a stack: those of the table, and those that each train one model."""
    return (*FUNCTIONS, *rows(models, folder))


def deployed(settings: Settings) -> tuple[FunctionSpec, ...]:
    """Return the row of each function that a stack with these settings has."""
    return tuple(spec for spec in functions(settings.models) if settings.stoppable or not spec.stops)


def rows(models: Iterable[str], folder: Path = FOLDER) -> tuple[FunctionSpec, ...]:
    """Return a row for each of `models` that has packages of its own."""
    return tuple(map(row, with_packages(models, folder)))


def steps(models: Iterable[str], folder: Path = FOLDER) -> tuple[FunctionSpec, ...]:
    """Return the rows of the functions that the training workflow calls."""
    return tuple(spec for spec in functions(models, folder) if isinstance(spec.trigger, WorkflowStep))


def row(model: str) -> FunctionSpec:
    """Return the row of the function that trains one model alone."""
    train = named(TRAIN)
    name = f"{TRAIN}-{shortened(model).replace('_', '-')}"
    return replace(train, name=name, requirements=train.lock, model=model)


def served(spec: FunctionSpec, models: Sequence[str], folder: Path = FOLDER) -> tuple[str, ...]:
    """Return those of `models` that a function is for, in their order."""
    if spec.model:
        return (spec.model,)
    apart = with_packages(models, folder) if spec.name == TRAIN else ()
    return tuple(model for model in models if model not in apart)
