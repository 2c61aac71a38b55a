"""Whether the rows that come are as those that a version learnt from: the checks of the stack, or one made now."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from functions.core.registry.live_pointer import Live
from functions.core.watching.checks import Checks
from sml.mistake import Mistake

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sml.stack import Stack

ACCEPTED = "accepted: a day as 2026-11-24"
NOTHING_CAPTURED = (
    "Rows are captured of the share of requests that the setting capture.inputs names, and by default of none."
)


def hint(check: Mapping[str, Any]) -> str:
    """Return where rows would come from, where a check found none of any version; else nothing."""
    window = check.get("window") or {}
    return "" if window.get("rows") or check.get("versions") or check.get("unread") else NOTHING_CAPTURED


def checks_of(stack: Stack, model: str) -> Checks:
    """Return the checks of a model. Raise `Mistake` for one that the stack does not have."""
    return Checks(model=stack.model(model), models=stack.registry, captures=stack.captures)


def checked(stack: Stack, model: str, day: str | None) -> Mapping[str, Any]:
    """Return the check that the stack made of a day, or the newest one. Raise `Mistake` where there is none."""
    checks = checks_of(stack, model)
    days = checks.days()
    if day is None and not days:
        raise Mistake(
            f"no day of {model} was checked yet: a stack checks each day soon after its midnight, UTC; --now looks at"
            " what has come by now"
        )
    wanted = day or days[-1]
    try:
        date.fromisoformat(wanted)
    except ValueError:
        raise Mistake(f"--day: {day!r} is no day; {ACCEPTED}") from None
    found = checks.read(wanted) if wanted in days else None
    if found is None:
        raise Mistake(f"{wanted} was not checked; checked are {_listed(days)}")
    return found


def check_now(stack: Stack, model: str) -> Mapping[str, Any]:
    """Compare what was captured today, and in the days before where that is little, and store nothing."""
    checks = checks_of(stack, model)
    return checks.check(f"{datetime.now(UTC):%Y-%m-%d}", Live(checks.models, model).read().champion)


def _listed(days: list[str]) -> str:
    if not days:
        return "none yet"
    return days[0] if len(days) == 1 else f"{len(days)} days from {days[0]} to {days[-1]}"
