"""The settings of training: how much at once, how long, when the schedule starts one, and when that begins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pydantic import Field

from infra.section import Cron, Name, Section
from infra.size import OwnSize
from infra.training_window import TrainingWindow, problems

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic_core import ErrorDetails


class Training(Section):
    parallelism: int = Field(default=4, ge=1, le=40)
    """Experiments at a time."""
    timeout_hours: int = Field(default=24, ge=1, le=168)
    """From arrival to the end of the release, baking included."""
    schedule: Cron | None = None
    """Train every model on its newest dataset, UTC. Without it only a new dataset starts training."""
    window: TrainingWindow | None = None
    """When such a training begins, at once without one. What an upload starts begins at once."""
    models: Mapping[Name, OwnSize] = Field(default_factory=dict)
    """The sizes of functions that train one model alone, because it has packages of its own."""

    @property
    def longest_seconds(self) -> int:
        """The longest that an execution may take, with its wait for a slot."""
        waits = 0 if self.window is None else self.window.deadline_hours
        return (self.timeout_hours + waits) * 3600


def meaningless(training: Training) -> Iterator[ErrorDetails]:
    """Yield a problem for each thing that the window says and that cannot be meant."""
    for keys, found, reason, words in problems(training.schedule, training.window):
        loc = ("training", *keys)
        yield {"type": "value_error", "loc": loc, "input": found, "msg": reason, "ctx": {"accepted": words}}
