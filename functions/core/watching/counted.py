"""The captured rows of a day, counted by version: so much is kept of them, and no row."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from functions.core.watching.captured_day import requests_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from functions.core.storage.objects import Objects
    from functions.core.watching.reference import Reference

AT_ONCE = 20_000
"""Rows that are held before they are counted."""
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

    @property
    def rows(self) -> int:
        return sum(self.callers.values())

    def add(self, other: Counted) -> None:
        """Add what was counted of other rows, of the same version."""
        self.requests += other.requests
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
        }

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """Read what `document` returned."""
        cells = {name: np.array(counts, dtype=np.int64) for name, counts in document["cells"].items()}
        return cls(requests=document["requests"], callers=dict(document["callers"]), cells=cells)


class CountedDay:
    """Counts the captures of one model on one day, UTC."""

    def __init__(self, captures: Objects, model: str, reference: Callable[[str], Reference | None]) -> None:
        """`reference` returns that of a version; None where there is none, and its rows are not counted."""
        self._captures = captures
        self._model = model
        self._reference = reference
        self.versions: dict[str, Counted] = {}
        self.unread = 0
        """Requests whose rows are captured, and not counted: of versions without a reference, or of another shape."""
        self._held: dict[str, list[tuple[list[Any], list[Any]]]] = {}
        self._rows = 0

    def read(self, day: str) -> Self:
        """Count what was captured on a day. Objects cut off in the writing are passed over."""
        for record in requests_of(self._captures, self._model, day):
            # What a challenger failed on holds the champion's answer, under the challenger's name.
            if not record.get("error") and isinstance(record["outputs"], list):
                self._hold(record)
        self._count()
        return self

    def _hold(self, record: Mapping[str, Any]) -> None:
        version, inputs, outputs = record["version"], record["inputs"], record["outputs"]
        reference = self._reference(version)
        if reference is None or {len(row) for row in inputs} != {len(reference.columns)} or len(inputs) != len(outputs):
            self.unread += 1
            return
        counted = self.versions.setdefault(version, Counted())
        counted.requests += 1
        caller = record.get("caller", "")
        counted.callers[caller] = counted.callers.get(caller, 0) + len(inputs)
        self._held.setdefault(version, []).append((inputs, outputs))
        self._rows += len(inputs)
        if self._rows >= AT_ONCE:
            self._count()

    def _count(self) -> None:
        for version, held in self._held.items():
            reference = self._reference(version)
            assert reference is not None  # noqa: S101 - rows of others are not held
            inputs, outputs = (
                np.array([row for rows in part for row in rows], dtype=np.float64) for part in zip(*held, strict=True)
            )
            self.versions[version].add(Counted(cells=reference.count(inputs, outputs)))
        self._held, self._rows = {}, 0
