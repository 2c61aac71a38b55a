"""The record of a stack that was stopped: by whom, why, and how everything was before."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Self

from functions.core.storage.objects import Conflict, Unreadable
from interface import layout

if TYPE_CHECKING:
    from functions.core.stopping.part import State
    from functions.core.storage.objects import Objects

KEY = f"{layout.below(layout.STACK, layout.STOPPED)}record.json"
REHEARSAL = f"{layout.below(layout.STACK, layout.STOPPED)}rehearsal.json"
ATTEMPTS = 20


class Phase(StrEnum):
    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"
    RESUMING = "resuming"


@dataclass(frozen=True, kw_only=True)
class Over:
    """That a budget has demanded a stop: for which month, and at which limit in USD."""

    month: str
    usd: float


@dataclass(frozen=True, kw_only=True)
class StopRecord:
    """How a stack stands. One that was never stopped has the record of a running one."""

    phase: Phase = Phase.RUNNING
    at: str = ""
    """Since when, as ISO 8601 in UTC."""
    by: str = ""
    why: str = ""
    answered: str = ""
    """The id of the last demand that was carried out."""
    over: Over | None = None
    """The last demand of a budget. Who lets the stack go on overrules it: it is not obeyed again."""
    before: Mapping[str, State] = field(default_factory=dict)
    """How each part was, by its name, from the moment before the first is stopped until all go on."""

    @classmethod
    def parse(cls, document: Any) -> Self:
        """Read what `document` wrote. Raise `Unreadable`."""
        try:
            over = document["over"]
            return cls(
                phase=Phase(document["phase"]),
                over=None if over is None else Over(month=str(over["month"]), usd=float(over["usd"])),
                before={str(name): dict(state) for name, state in document["before"].items()},
                **{name: str(document[name]) for name in ("at", "by", "why", "answered")},
            )
        except (ValueError, LookupError, TypeError, AttributeError):
            raise Unreadable(f"{KEY} is damaged: it is no record of a stopped stack") from None

    def document(self) -> dict[str, Any]:
        return asdict(self)


class Records:
    """The one record of a stack, in its store of models."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def read(self) -> StopRecord:
        """Return the record. Raise `Unreadable`."""
        found = self._objects.find_json(KEY)
        return StopRecord() if found is None else StopRecord.parse(found)

    def change(self, transition: Callable[[StopRecord], StopRecord]) -> StopRecord:
        """Apply a transition to the record as it stands, by a conditional write, and return what was written.

        Raise `Conflict` where others were faster each time, and `Unreadable`.
        """
        for _ in range(ATTEMPTS):
            found = self._objects.read_json(KEY)
            before = StopRecord() if found is None else StopRecord.parse(found[0])
            after = transition(before)
            if after == before:
                return before
            if found is None:
                if self._objects.create_json(KEY, after.document()):
                    return after
                continue
            try:
                self._objects.replace_json(KEY, after.document(), found[1])
            except Conflict:
                continue
            return after
        raise Conflict(KEY)

    def rehearsed(self) -> Any | None:
        """Return what the last rehearsal has found; None where there was none."""
        return self._objects.find_json(REHEARSAL)

    def write_rehearsal(self, document: Mapping[str, Any]) -> None:
        self._objects.put_json(REHEARSAL, document)
