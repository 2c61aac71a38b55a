"""How pages write values: numbers, times, states, each tolerant of what a damaged record may hold."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from functions.core.registry.runs import ENDED
from models.readable import readable

KINDS = {
    "promoted": "good",
    "done": "good",
    "succeeded": "good",
    "live": "good",
    "canary": "busy",
    "shadow": "busy",
    "advanced": "busy",
    "training": "busy",
    "received": "busy",
    "running": "busy",
    "queued": "busy",
    "scheduled": "wait",
    "registered": "wait",
    "awaiting_approval": "wait",
    "approved": "good",
    "waiting": "wait",
    "superseded": "wait",
    "stopped": "wait",
    "skipped": "wait",
    "steady": "good",
    "shifted": "busy",
    "drifted": "bad",
    "few": "wait",
    "undefined": "wait",
    "measured": "good",
    "held": "good",
    "doubtful": "busy",
    "below": "bad",
    "previous": "wait",
    "cancelled": "wait",
    "rejected": "bad",
    "refused": "bad",
    "rolled_back": "bad",
    "failed": "bad",
    "damaged": "bad",
    "firing": "bad",
    "gone": "bad",
    "quiet": "good",
}
"""How good a state is, by its name: the colour and the sign of its badge."""
LONG = 16


def number(value: object) -> str:
    """Return a number in as many digits as matter; anything else as it stands."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return text(value)
    if isinstance(value, int):
        return f"{value:,}"
    if not math.isfinite(value):
        return "-"
    return readable(value)


def share(value: object) -> str:
    return f"{value * 100:.3g} %" if isinstance(value, int | float) and math.isfinite(value) else "-"


def text(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case float():
            return number(value)
        case list() | tuple():
            return ", ".join(text(one) for one in value)
        case dict():
            return ", ".join(f"{name} {text(one)}" for name, one in value.items())
    return str(value)


def moment(value: object) -> str:
    """Return a time, in seconds since the epoch or as ISO has it, to the second in UTC."""
    at = _at(value)
    return "" if at is None else at.strftime("%Y-%m-%d %H:%M:%S")


def ago(value: object, now: datetime | None = None) -> str:
    """Return how long ago a time is, roughly; the day of one that is longer ago than a week."""
    at = _at(value)
    if at is None:
        return ""
    seconds = ((now or datetime.now(UTC)) - at).total_seconds()
    if seconds < 60:
        return "just now"
    for length, name in ((60, "min"), (3600, "h"), (86400, "d")):
        if seconds < {60: 3600, 3600: 86400, 86400: 7 * 86400}[length]:
            return f"{seconds / length:.0f} {name} ago"
    return at.strftime("%Y-%m-%d")


def iso(value: object) -> str:
    at = _at(value)
    return "" if at is None else at.isoformat()


def kind(state: object) -> str:
    """Return how good a state is: good, busy, wait or bad."""
    return KINDS.get(str(state), "wait")


def under_way(record: Mapping[str, Any]) -> bool:
    """Return whether something works on a run."""
    return record.get("status") not in ENDED and record.get("status") != "damaged"


def short(value: object) -> str:
    return str(value or "")[:LONG]


def size(value: object) -> str:
    """Return a number of bytes in a unit that fits."""
    if not isinstance(value, int | float):
        return ""
    for unit in ("B", "kB", "MB"):
        if value < 1000:
            return f"{value:.3g} {unit}"
        value /= 1000
    return f"{value:.3g} GB"


def document(value: object) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False, default=str)


def _at(value: object) -> datetime | None:
    try:
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value, UTC)
        found = datetime.fromisoformat(str(value))
    except (ValueError, OverflowError, OSError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
