"""Whether a stack is stopped: since when, by whom, why, and what to type."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sml.stack import Stack

FUNCTION = "stop"
"""The function that stops a stack, of those that have one."""


def stopped(stack: Stack) -> dict[str, str] | None:
    """Return how a stack stands that does not run, since when, by whom and why; None for one that runs."""
    from functions.core.stopping.record import Phase, Records  # noqa: PLC0415 - the stores' client takes long to import

    if FUNCTION not in (stack.outputs.get("functions") or {}):
        return None
    record = Records(stack.registry).read()
    if record.phase is Phase.RUNNING:
        return None
    return {"phase": record.phase.value, "at": record.at, "by": record.by, "why": record.why}


def halted(stack: Stack) -> str:
    """Return a sentence about a stack that does not run; empty for one that runs, or whose record nobody may read."""
    from functions.core.storage.objects import Forbidden, Unreadable  # noqa: PLC0415 - as above

    try:
        found = stopped(stack)
    except (Forbidden, Unreadable):
        return ""
    if found is None:
        return ""
    since = f"since {found['at']}, by {found['by']}"
    return f"the stack {stack.name} is {found['phase']} {since}: `{stack.typed('resume')}` has it go on"
