"""The settings of retraining: what has a model trained again, and how often at most."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from infra.section import Section
from interface.retraining import RetrainingPolicy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic_core import ErrorDetails

    from infra.capture import Capture


class Retraining(Section):
    """What has the models trained again, on their dataset and the rows that were labelled since."""

    drift: bool = True
    """Whether drift does that two windows in a row have."""
    quality: bool = True
    """Whether a quality below its floor does."""
    rows: int | None = Field(default=None, ge=50, le=10_000_000)
    """So many rows that were labelled since do."""
    days: int | None = Field(default=None, ge=1, le=365)
    """So many days since the last training was asked for do."""
    minimum_rows: int = Field(default=200, ge=1, le=10_000_000)
    """Without so many labelled rows there is nothing to learn from, whatever the cause."""
    cool_down_hours: int = Field(default=24, ge=1, le=168)
    """After a training that was asked for; twice as long after each that came to nothing, a week at most."""
    runs_a_month: int = Field(default=4, ge=1, le=30)
    """The most that are asked for in 30 days."""

    @property
    def policy(self) -> RetrainingPolicy:
        """The policy that the function that watches gets."""
        return RetrainingPolicy(**self.model_dump())


def in_vain(retraining: Retraining | None, capture: Capture) -> Iterator[ErrorDetails]:
    """Yield a problem where retraining is asked for and could never begin."""
    if retraining is None:
        return
    policy, told = retraining.policy, []
    if not capture.inputs:
        why = "no row is captured by default, so that none drifts and none is labelled"
        told.append((why, "a retraining beside a capture.inputs above 0"))
    if not (policy.drift or policy.quality or policy.rows or policy.days):
        why = "without a cause nothing is ever trained again"
        told.append((why, "one of drift: true, quality: true, rows, days; or no retraining"))
    for why, words in told:
        found = retraining.model_dump(exclude_unset=True)
        yield {"type": "value_error", "loc": ("retraining",), "input": found, "msg": why, "ctx": {"accepted": words}}
