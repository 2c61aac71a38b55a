"""Notes of the workflow's executions: what each began with, before anything else is done, and the run it works on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from functions.core.registry.versions import NAME
from functions.core.storage.objects import Unreadable
from interface import layout

if TYPE_CHECKING:
    from collections.abc import Iterator

    from functions.core.storage.keys import Entry
    from functions.core.storage.objects import Objects

TRACE = "trace"
"""What any input of an execution may have besides: the trace to which it belongs."""
Note = dict[str, Any]
"""`{"execution", "created", "source", "bytes", "arrived"}`, and `status` until `run` is known."""


class Executions:
    """The notes of the executions of one model's workflow.

    An empty note is that of an execution that has ended, and whose run says how.
    """

    def __init__(self, objects: Objects, model: str) -> None:
        self._objects = objects
        self._folder = layout.below(model, layout.EXECUTIONS)
        self._before = layout.below(model, layout.EXECUTIONS_BEFORE)

    def key(self, execution: str) -> str:
        return f"{self._folder}{execution}.json"

    def note(self, execution: str, **facts: Any) -> None:
        """Write the note of an execution, or add facts to it."""
        try:
            known = self._objects.find_json(self.key(execution))
        except Unreadable:
            known = None
        if "run" in facts and known:
            known.pop("status", None)  # from now on the run has one
        self._objects.put_json(self.key(execution), {**(known or {}), "execution": execution, **facts})

    def find(self, execution: str) -> Note | None:
        """Return the note of an execution; None where there is none, or it has ended. Raise `Unreadable`."""
        for folder in (self._folder, self._before):
            key = f"{folder}{execution}.json"
            data = self._objects.find(key)
            if data:
                return self._objects.get_json(key)
        return None

    def open(self) -> Iterator[Entry]:
        """Yield the notes of the executions that are not known to have ended."""
        return (entry for entry in self._objects.entries(self._folder) if entry.size)

    def end(self, execution: str) -> None:
        """Note that an execution has ended."""
        self._objects.put(self.key(execution), b"")


def is_of_the_schedule(payload: Any) -> bool:
    """Return whether an execution only looked at the newest dataset: nothing had arrived."""
    keys = set(payload) - {TRACE}
    return keys == {"model"} or (keys == {"model", "action"} and payload["action"] == "wait")


def model_of(payload: Any) -> str | None:
    """Return the model that an execution's input is about; None where it names none."""
    match payload:
        case {"source": str(source)}:
            model = source.split("/", 1)[0]
        case {"model": str(model)}:
            pass
        case _:
            return None
    return model if NAME.fullmatch(model) else None
