"""The settings of a release: its steps, how long each is watched, and whether a person approves it before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, Field

from infra.section import Name, Section
from interface.rollout import RolloutPlan


def _rising(steps: tuple[int, ...]) -> tuple[int, ...]:
    if not steps or list(steps) != sorted(set(steps)):
        raise ValueError("steps must rise, one or more of them, as in [10, 50]")
    return steps


class OwnRollout(Section):
    """What is otherwise for one model."""

    approval: bool | None = None
    """None keeps what the stack says."""


class Rollout(Section):
    steps: Annotated[tuple[Annotated[int, Field(ge=1, le=99)], ...], AfterValidator(_rising)] = (10, 50)
    """Per cent of the callers who get the challenger, step by step; 100 follows the last."""
    bake_seconds: int = Field(default=600, ge=1, le=86_400)
    """How long each step is watched before it is judged."""
    patience: int = Field(default=3, ge=1, le=100)
    """How many bakes a step may take to see enough requests, and the last one to see enough evidence."""
    shadow: int | None = Field(default=None, ge=1, le=100)
    """Per cent of the requests that the challenger is asked about in shadow, watched like a step, before the first.

    Its answers are compared and never shown; the caller waits for both."""
    approval: bool = False
    """Whether a person approves each version before its release."""
    models: Mapping[Name, OwnRollout] = Field(default_factory=dict)
    """What is otherwise for single models."""

    def asks(self, model: str) -> bool:
        """Return whether a person approves the versions of a model."""
        own = self.models[model].approval if model in self.models else None
        return self.approval if own is None else own

    @property
    def plan(self) -> RolloutPlan:
        """The plan that the rollout function gets."""
        return RolloutPlan(**self.model_dump(exclude={"approval", "models"}))
