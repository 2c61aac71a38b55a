"""A line of the log for each version that waits for approval, once a day: no execution would tell of it any more."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from functions.core.storage.objects import Unreadable
from interface import layout

if TYPE_CHECKING:
    from functions.core.registry.pointer import Pointer
    from functions.core.runtime.log import Log
    from functions.core.storage.objects import Objects

DAY_SECONDS = 86_400


def remind(models: Objects, model: str, pointer: Pointer, now: float, log: Log) -> None:
    """Write a line for each version that has waited for a day since it asked, or since the last line about it.

    When that was is kept in an object of its own.
    """
    if not pointer.awaiting:
        return
    key = f"{model}/{layout.SUPERVISED}reminded.json"
    told = _told(models, key)
    known = {turn.run: told.get(turn.run, turn.asked) for turn in pointer.awaiting}
    due = [turn for turn in pointer.awaiting if now - known[turn.run] >= DAY_SECONDS]
    for turn in due:
        since = datetime.fromtimestamp(turn.asked, UTC).isoformat(timespec="seconds")
        facts = {"model": model, "version": turn.version, "run": turn.run, "since": since}
        log.warning("a version waits for approval", **facts, metric="AwaitingApproval")
    if due:
        models.put_json(key, known | {turn.run: now for turn in due})


def _told(models: Objects, key: str) -> dict[str, float]:
    """Return when a line was written last, by run; nothing where the object is damaged."""
    try:
        found = models.find_json(key)
    except Unreadable:
        found = None
    entries = found.items() if isinstance(found, dict) else ()
    return {run: float(at) for run, at in entries if isinstance(at, int | float)}
