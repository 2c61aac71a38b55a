"""Rows that were set aside: how many and why, and the rows themselves for whoever mends them."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from typing import Any

SHOWN = 20
"""Places named for each reason; the count tells how many more there are."""
REASONS = 100
"""Reasons reported, the most frequent ones."""
KEPT = 10_000
"""Rows kept whole; the rest are only counted."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass
class _Reason:
    count: int = 0
    places: list[int] = field(default_factory=list)


class RejectedRows:
    def __init__(self, unit: str, header: tuple[str, ...]) -> None:
        self.rows = 0
        self._unit = unit
        self._header = header
        self._reasons: dict[tuple[str, str], _Reason] = {}
        self._kept: list[tuple[int, str, tuple[str, ...]]] = []

    @property
    def full(self) -> bool:
        """Whether another row would only be counted."""
        return len(self._kept) >= KEPT

    def add(self, place: int, problems: list[tuple[str, str]], cells: tuple[str, ...]) -> None:
        """Set a row aside for `problems`: pairs of a column ("" for the whole row) and a reason."""
        self.rows += 1
        for problem in problems:
            reason = self._reasons.setdefault(problem, _Reason())
            reason.count += 1
            if len(reason.places) < SHOWN:
                reason.places.append(place)
        if not self.full:
            self._kept.append((place, "; ".join(f"{column} {why}".strip() for column, why in problems), cells))

    def reasons(self) -> list[dict[str, Any]]:
        """The most frequent first: column, reason, count, and the first places."""
        found = sorted(self._reasons.items(), key=lambda item: (-item[1].count, item[1].places[:1], item[0]))
        return [
            {"column": column, "reason": why, "count": reason.count, f"first_{self._unit}s": reason.places}
            for (column, why), reason in found[:REASONS]
        ]

    def to_csv(self) -> bytes:
        """The rows with place and reason before their own cells.

        Spreadsheets run cells that begin with = + - @ as formulas: such a cell, unless it
        is a number, is given an apostrophe in front.
        """
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow([self._unit, "reason", *map(_harmless, self._header)])
        for place, why, cells in self._kept:
            writer.writerow([place, _harmless(why), *map(_harmless, cells)])
        return text.getvalue().encode()


def _harmless(cell: str) -> str:
    if not cell.startswith(_FORMULA):
        return cell
    try:
        float(cell)
    except ValueError:
        return f"'{cell}"
    return cell
