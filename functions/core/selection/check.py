"""One check of what is to be registered, and its outcome."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from functions.core.selection.intervals import Interval


@dataclass(frozen=True, kw_only=True)
class Check:
    """One check of a candidate. A `value` of None could not be measured; `detail` says why."""

    name: str
    passed: bool
    value: float | None
    bound: float | None
    detail: str = ""
    interval: Interval | None = None
    """Between which values it would lie on other rows like these, where that is known."""

    def document(self) -> dict[str, Any]:
        return asdict(self)
