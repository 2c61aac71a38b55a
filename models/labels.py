"""What is to be made of the truths that callers tell later: how long they take, and how good the answers must stay."""

from __future__ import annotations

from pydantic import Field

from models.complaint import mistake
from models.moment import DAY
from models.section import Section
from models.task import LOWER_IS_BETTER


class Labels(Section):
    """How truths are joined with answers, and what the quality of a live version is held against."""

    horizon_days: int = Field(default=7, ge=0, le=365)
    """How many whole days a request is given for its truth: whatever came by then counts, and nothing later.

    Where lateness has to do with the truth itself, as of fraud, a shorter one would show too good a quality."""
    horizon_minutes: int | None = Field(default=None, ge=1, le=366 * 24 * 60)
    """How many minutes a request of a release is given for its truth; written, the judge waits for truths.

    Without it a release goes by `horizon_days`, uses the truths that come, and waits for none."""
    window: int = Field(default=500, ge=50, le=10_000)
    """How many labelled rows the quality is measured on, the newest ones."""
    minimum: float | None = None
    """The least value of the gate's metric with real callers, where more is better."""
    maximum: float | None = None
    """Its greatest, where less is better."""

    @property
    def floor(self) -> float | None:
        """The bound of the metric, on whichever side it is."""
        return self.maximum if self.minimum is None else self.minimum

    def due_at(self, asked: float) -> float:
        """Return until when a truth counts of a request of a release; both in seconds since the epoch."""
        if self.horizon_minutes is not None:
            return asked + self.horizon_minutes * 60
        return (asked // DAY + self.horizon_days + 1) * DAY

    def due_before(self, now: float) -> float:
        """Return before which moment the requests of a release came whose truths count, and are known by now."""
        if self.horizon_minutes is not None:
            return now - self.horizon_minutes * 60
        return (now // DAY - self.horizon_days) * DAY


def check_labels(labels: Labels, metric: str) -> None:
    """Refuse a floor on the wrong side of a metric. Raise what a validator raises."""
    if labels.minimum is not None and labels.maximum is not None:
        raise mistake("goes without minimum: one bound is held against", "labels", "maximum")
    longest = (labels.horizon_days + 1) * 24 * 60
    if labels.horizon_minutes is not None and labels.horizon_minutes > longest:
        told = f"is longer than horizon_days, which is {labels.horizon_days}; accepted: at most {longest}"
        raise mistake(told, "labels", "horizon_minutes")
    wanted, other = ("maximum", "minimum") if metric in LOWER_IS_BETTER else ("minimum", "maximum")
    if getattr(labels, other) is not None and metric != "log_loss":
        less = "less" if metric in LOWER_IS_BETTER else "more"
        raise mistake(f"of {metric}, the gate's metric, {less} is better; write {wanted}", "labels", other)
