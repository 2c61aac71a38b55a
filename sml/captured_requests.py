"""What callers asked in the last days, as captures hold it, and the versions that were asked."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from functions.core.registry.daily_usage import days
from functions.core.registry.versions import Registry
from functions.core.watching.captured_columns import columns_of
from functions.core.watching.captured_day import CapturedDay, again
from sml.drift import NOTHING_CAPTURED
from sml.mistake import Mistake
from sml.thinned import Thinned

if TYPE_CHECKING:
    from collections.abc import Sequence

    from functions.core.watching.captured_columns import CapturedColumns
    from functions.core.watching.captured_rows import CapturedRows
    from sml.rehearsal import Rehearsal
    from sml.stack import Stack

ROLES = ("champion", "previous")
"""In which role a version answered what is asked again: a canary's own answers are no measure."""


def span_of(number: int, today: datetime | None = None) -> Sequence[str]:
    """Return so many days, UTC, the last of which is today."""
    return days((today or datetime.now(UTC)).date(), number)


class CapturedRequests:
    """The captured requests of one model."""

    def __init__(self, stack: Stack, model: str) -> None:
        self._captures = stack.captures
        self._registry = Registry(stack.registry, stack.model(model))
        self._model = model
        self._columns: dict[str, CapturedColumns | None] = {}
        self._cards: dict[str, dict[str, Any]] = {}

    def card(self, version: str) -> dict[str, Any]:
        """Return the card of a version; an empty one where it is gone."""
        if version not in self._cards:
            self._cards[version] = self._registry.card(version) or {}
        return self._cards[version]

    def columns(self, version: str) -> CapturedColumns | None:
        """Return those of the captures of a version; None where it is gone."""
        if version not in self._columns:
            self._columns[version] = columns_of(self.card(version) or None)
        return self._columns[version]

    def read(self, found: Rehearsal, wanted: Sequence[str], most: int) -> Sequence[tuple[str, CapturedRows]]:
        """Return what versions were asked on some days, at most so many requests, evenly chosen.

        What has no rows that can be read is counted as passed over. Raise `Mistake` where nothing was captured.
        """
        held = Thinned(most)
        for day in wanted:
            captured = CapturedDay(self._captures, self._model, day, self.columns, roles=ROLES)
            for asked in again(lambda captured=captured: list(captured.rows())):
                held.add(*asked)
            if captured.unread:
                found.passed_over["of versions that are gone, or no rows of columns"] += captured.unread
        if not held.parts and not found.passed_over:
            raise Mistake(
                f"no row of {self._model} was captured from {found.first} to {found.last}. {NOTHING_CAPTURED}"
            )
        return held.parts
