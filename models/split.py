"""How the rows of a dataset are split: which are kept out, and which of the others test an experiment in which fold."""

from __future__ import annotations

import math
import re
from typing import Annotated, Any, ClassVar, Final

from pydantic import AfterValidator, Field

from models.complaint import Words, mistake
from models.section import Later

SECONDS: Final = {"s": 1, "min": 60, "h": 3600, "d": 86_400, "w": 604_800}
"""The units of a gap between times."""
_GAP: Final = re.compile(rf"(\d+(?:\.\d+)?) ?({'|'.join(SECONDS)})")
_GAPS: Final = "30min, 12h, 7d or 2w between times, or a number of 0 or more between numbers"


def _a_gap(value: float | str | None) -> float | str | None:
    if isinstance(value, str):
        if not _GAP.fullmatch(value):
            raise mistake(f"is {value[:20]!r}; accepted: {_GAPS}")
    elif value is not None and not 0 <= value < math.inf:
        raise mistake(f"is {value}; accepted: {_GAPS}")
    return value


Column = Annotated[str | None, Field(min_length=1), Words("the name of a column")]
Gap = Annotated[int | float | str | None, AfterValidator(_a_gap), Words(_GAPS)]


class Split(Later):
    """The keys of `search` that decide on the split."""

    LATER: ClassVar = frozenset({"group", "time", "gap"})

    folds: int = Field(default=5, ge=2, le=20)
    holdout: float = Field(default=0.2, gt=0, lt=0.9)
    """The share of rows that no experiment sees: the gate judges on them."""
    seed: int = Field(default=0, ge=0)
    group: Column = None
    """A column: all rows with one value of it are on the same side. Naming it here makes it no feature."""
    time: Column = None
    """A column of dates, times or numbers: the latest rows are kept out, and a fold is tested on rows that are later
    than those it trains on. Naming it here makes it no feature."""
    gap: Gap = None
    """Rows nearer than this before the test rows of a fold are not trained on in it, nor those before the holdout."""

    @property
    def deciding(self) -> dict[str, Any]:
        """What decides which rows are kept out, by the names of the keys: others keep other rows out."""
        how = {key: getattr(self, key) for key in ("group", "time", "gap") if getattr(self, key) is not None}
        return {"holdout": self.holdout, "folds": self.folds, "seed": self.seed, **how}

    @property
    def keys(self) -> tuple[str, ...]:
        """The columns that the rows are split by."""
        return tuple(name for name in (self.group, self.time) if name is not None)

    def gap_between(self, *, dated: bool) -> float | None:
        """Return the gap in the unit of the times, seconds where they are dates; None where it is of the other kind."""
        if self.gap is None:
            return 0.0
        if isinstance(self.gap, str):
            found = _GAP.fullmatch(self.gap)
            return float(found[1]) * SECONDS[found[2]] if dated and found else None
        return None if dated and self.gap else float(self.gap)


def check_keys(split: Split, target: str) -> None:
    """Refuse keys that are the target, or that go without each other. Raise what a validator raises."""
    for key, column in (("group", split.group), ("time", split.time)):
        if column == target:
            raise mistake(f"{target} is the target; accepted: another column", "search", key)
    if split.group is not None and split.time is not None:
        raise mistake("goes without time: rows are split by one of the two", "search", "group")
    if split.gap is not None and split.time is None:
        raise mistake("goes with time, the column whose times it is between", "search", "gap")
