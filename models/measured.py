"""A metric where `model.yaml` names one, with its setting if it has one."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

from pydantic import Field, model_validator

from models.complaint import mistake
from models.section import Later
from models.task import AT, INTERVAL_METRICS, METRICS, NOUNS, Metric, Task, measure

if TYPE_CHECKING:
    from pydantic_core import PydanticCustomError


class Measured(Later):
    """A section that names a metric."""

    LATER: ClassVar[frozenset[str]] = frozenset({"at"})

    metric: Metric = "roc_auc"
    at: float | None = Field(default=None, gt=0, lt=1)
    """The precision at which `recall_at_precision` is asked for, or the quantile of `pinball`."""

    @property
    def measure(self) -> str:
        """What records call the metric."""
        return measure(self.metric, self.at)

    @model_validator(mode="after")
    def _has_its_setting(self) -> Self:
        if (wrong := wrong_setting(self.metric, self.at)) is not None:
            raise wrong
        return self


def wrong_setting(metric: str | None, at: float | None, *where: str | int) -> PydanticCustomError | None:
    """Return what is wrong with the setting of a metric, from the section `where` on; None where nothing is."""
    if metric is not None and metric in AT and at is None:
        return mistake(f"is missing; accepted for {metric}: {AT[metric]}, above 0 and below 1", *where, "at")
    if metric not in AT and at is not None:
        return mistake(f"goes with {' and '.join(AT)}, and only with them", *where, "at")
    return None


def wrong_metric(
    task: Task, metric: str, *where: str | int, named: bool = True, has_interval: bool = False
) -> PydanticCustomError | None:
    """Return why a metric is none of a task's; None where it is one. `named`: whether the section names it.

    `has_interval`: whether those of an interval are accepted, too.
    """
    accepted = (*METRICS[task], *(INTERVAL_METRICS if has_interval else ()))
    if metric in accepted:
        return None
    said = f"is {metric}" if named else "is missing"
    return mistake(f"{said}; accepted for {NOUNS[task]}: {', '.join(accepted)}", *where, "metric")
