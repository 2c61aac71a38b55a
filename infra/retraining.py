"""The settings of retraining: what has a model trained again, and how often at most."""

from __future__ import annotations

from pydantic import Field

from infra.section import Section
from interface.retraining import RetrainingPolicy


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
