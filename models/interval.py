"""The interval of a number that a model predicts: two ends, between which the truth is to lie so often."""

from __future__ import annotations

from pydantic import Field

from models.complaint import mistake
from models.section import Section
from models.task import NOUNS, OF_NUMBERS, Task


class Interval(Section):
    """What the ends of an answer are: two quantiles, as far from the middle."""

    coverage: float = Field(gt=0, lt=1)
    """The share of truths that are to lie between the ends."""

    @property
    def quantiles(self) -> tuple[float, float]:
        """The share of truths that are to lie below the low end, and below the high one."""
        # Of 0.9 they are 0.05 and 0.95, and not what is next to them in 64 bits.
        return round((1 - self.coverage) / 2, 12), round((1 + self.coverage) / 2, 12)


def check_interval(task: Task) -> None:
    """Refuse an interval of what is no number. Raise what a validator raises."""
    if task not in OF_NUMBERS:
        raise mistake(
            f"goes with task: {' or '.join(sorted(OF_NUMBERS))}; {NOUNS[task]} predicts no number", "interval"
        )
