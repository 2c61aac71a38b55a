"""The captured rows of a day, counted by version: so much is kept of them, and no row."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from functions.core.watching.captured_day import again

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from functions.core.watching.captured_day import CapturedDay
    from functions.core.watching.reference import Reference

MOST_CALLERS = 20
"""That are kept by name."""


@dataclass(kw_only=True)
class Counted:
    """The rows that one version answered."""

    requests: int = 0
    callers: dict[str, int] = field(default_factory=dict)
    """Rows by the pseudonym of who sent them."""
    cells: dict[str, np.ndarray] = field(default_factory=dict)
    """Rows in each cell of a column, and of the answers: int64 [cells]."""
    redacted: set[str] = field(default_factory=set)
    """Columns that some of the captures leave out, or hold a digest of: their rows cannot be compared."""

    @property
    def rows(self) -> int:
        return sum(self.callers.values())

    def add(self, other: Counted) -> None:
        """Add what was counted of other rows, of the same version."""
        self.requests += other.requests
        self.redacted |= other.redacted
        for caller, rows in other.callers.items():
            self.callers[caller] = self.callers.get(caller, 0) + rows
        for name, counts in other.cells.items():
            self.cells[name] = self.cells[name] + counts if name in self.cells else counts

    def document(self) -> dict[str, Any]:
        """Return it as it is stored: of the callers the busiest, and how many the others are."""
        most = Counter(self.callers).most_common(MOST_CALLERS)
        others = self.rows - sum(rows for _, rows in most)
        return {
            "requests": self.requests,
            "callers": dict(most) | ({"": others} if others else {}),
            "cells": {name: counts.tolist() for name, counts in self.cells.items()},
            **({"redacted": sorted(self.redacted)} if self.redacted else {}),
        }

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """Read what `document` returned."""
        cells = {name: np.array(counts, dtype=np.int64) for name, counts in document["cells"].items()}
        redacted = set(document.get("redacted", ()))
        return cls(requests=document["requests"], callers=dict(document["callers"]), cells=cells, redacted=redacted)


class CountedDay:
    """Counts the captures of one model on one day, UTC."""

    def __init__(self, captured: CapturedDay, reference: Callable[[str], Reference | None]) -> None:
        """`reference` returns that of a version; None where there is none, and its rows are not counted."""
        self._captured = captured
        self._reference = reference
        self.versions: dict[str, Counted] = {}
        self.unread = 0
        """Requests whose rows are captured, and not counted: of versions without a reference, or of another shape."""

    def read(self) -> Self:
        """Count what was captured."""
        return again(self._read)

    def _read(self) -> Self:
        self.versions, self.unread = {}, 0
        for version, rows in self._captured.rows():
            reference = self._reference(version)
            if reference is None or not reference.fits(rows):
                self.unread += len(rows.lengths)
                continue
            of_callers: dict[str, int] = {}
            for caller, length in zip(rows.callers, rows.lengths.tolist(), strict=True):
                of_callers[caller] = of_callers.get(caller, 0) + length
            self.versions.setdefault(version, Counted()).add(
                Counted(
                    requests=len(rows.lengths),
                    callers=of_callers,
                    cells=reference.count(rows),
                    redacted=set(rows.redacted),
                )
            )
        self.unread += self._captured.unread
        return self
