"""Captured requests, of very many an even share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from functions.core.watching.captured_rows import CapturedRows


class Thinned:
    """Holds every request, or every second, fourth, ... in the order in which they came."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._stride = 1
        self._seen = 0
        self.parts: list[tuple[str, CapturedRows]] = []

    @property
    def requests(self) -> int:
        return sum(len(rows.lengths) for _, rows in self.parts)

    def add(self, version: str, rows: CapturedRows) -> None:
        """Hold some of what a version was asked."""
        places = np.arange(self._seen, self._seen + len(rows.lengths))
        self._seen += len(rows.lengths)
        chosen = rows.chosen(places % self._stride == 0)
        if len(chosen.lengths):
            self.parts.append((version, chosen))
        while self.requests > self._most:
            self._stride *= 2
            seen, kept = 0, []
            for name, held in self.parts:
                half = held.chosen((np.arange(seen, seen + len(held.lengths)) % 2) == 0)
                seen += len(held.lengths)
                if len(half.lengths):
                    kept.append((name, half))
            self.parts = kept
