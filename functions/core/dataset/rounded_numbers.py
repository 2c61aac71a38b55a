"""The whole numbers of a file that a model does not get as they are, as reports tell of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from functions.core.dataset.encoded_rows import Rounded


class RoundedNumbers:
    """The rounded whole numbers of one file, by column. `unit` is what a location counts: "line" or "row"."""

    def __init__(self, unit: str) -> None:
        self._unit = unit
        self._count: dict[str, int] = {}
        self._first: dict[str, Rounded] = {}

    def add(self, found: Mapping[str, Rounded]) -> None:
        """Count those of some more rows."""
        for name, rounded in found.items():
            self._count[name] = self._count.get(name, 0) + rounded.count
            self._first.setdefault(name, rounded)

    def listed(self) -> list[dict[str, Any]]:
        """Return column, count, the location of the first, and which number the model gets for it."""
        return [
            {
                "column": name,
                "count": self._count[name],
                f"first_{self._unit}": first.location,
                "first": first.value,
                "becomes": first.becomes,
            }
            for name, first in self._first.items()
        ]
