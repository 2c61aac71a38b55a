"""Collect the rejected rows of a dataset: how many, why, and the rows themselves, so that they can be corrected."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from typing import Any

SHOWN = 20
"""Locations that are listed for each reason; the count includes the others."""
REASONS = 100
"""Reasons that are reported: the most frequent ones."""
KEPT = 10_000
"""Rows that are kept with their cells; further ones are only counted."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass
class _Reason:
    count: int = 0
    locations: list[int] = field(default_factory=list)


class RejectedRows:
    """The rejected rows of one file. `unit` is what a location counts: "line" or "row"."""

    def __init__(self, unit: str, header: tuple[str, ...]) -> None:
        self.rows = 0
        self._unit = unit
        self._header = header
        self._reasons: dict[tuple[str, str], _Reason] = {}
        self._kept: list[tuple[int, str, tuple[str, ...]]] = []

    @property
    def full(self) -> bool:
        """Whether the cells of another row would not be kept."""
        return len(self._kept) >= KEPT

    def add(self, location: int, problems: list[tuple[str, str]], cells: tuple[str, ...]) -> None:
        """Reject a row for `problems`: pairs of a column ("" for the whole row) and a reason."""
        self.rows += 1
        for problem in problems:
            reason = self._reasons.setdefault(problem, _Reason())
            reason.count += 1
            if len(reason.locations) < SHOWN:
                reason.locations.append(location)
        if not self.full:
            self._kept.append((location, "; ".join(f"{column} {why}".strip() for column, why in problems), cells))

    def reasons(self) -> list[dict[str, Any]]:
        """Return column, reason, count and the first locations of each reason, the most frequent first."""
        by_frequency = sorted(self._reasons.items(), key=lambda item: (-item[1].count, item[1].locations[:1], item[0]))
        return [
            {"column": column, "reason": why, "count": reason.count, f"first_{self._unit}s": reason.locations}
            for (column, why), reason in by_frequency[:REASONS]
        ]

    def to_csv(self) -> bytes:
        """Return the kept rows as CSV: location and reason, then the row's own cells.

        Spreadsheets evaluate cells that begin with = + - @ as formulas, so such a cell, unless
        it is a number, gets an apostrophe in front.
        """
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow([self._unit, "reason", *map(_without_formula, self._header)])
        for location, why, cells in self._kept:
            writer.writerow([location, _without_formula(why), *map(_without_formula, cells)])
        return text.getvalue().encode()


def _without_formula(cell: str) -> str:
    if not cell.startswith(_FORMULA):
        return cell
    try:
        float(cell)
    except ValueError:
        return f"'{cell}"
    return cell
