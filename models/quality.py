"""When a dataset is good enough to learn from."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from models.section import Later


class Quality(Later):
    """What a dataset must fulfil before models are trained on it."""

    LATER: ClassVar = frozenset({"leaks"})

    minimum_rows: int = Field(default=50, ge=10)
    maximum_rejected_share: float = Field(default=0.02, ge=0, lt=1)
    """The greatest share of rows that may be rejected; beyond it the whole dataset is rejected."""
    extra_columns: Literal["reject", "ignore"] = "ignore"
    """What to do with columns that `model.yaml` does not name: a report lists those that were ignored."""
    leaks: Literal["warn", "reject"] = "warn"
    """What to do where a feature alone tells the target, or is a copy of it."""
