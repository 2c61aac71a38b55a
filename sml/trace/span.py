"""A span: one piece of work of one function, as the line of its log tells that ended it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from interface.operations import OPERATIONS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sml.log_line import LogLine

ENDS = ("request", "message", "step")
"""The events of lines that end a span."""
EXECUTION = "execution"
"""What stands for an execution of the workflow as a whole: no line does."""
_OPERATIONS = {operation.id: operation for operation in OPERATIONS}


class Kind(IntEnum):
    """The kind of a span, by OTLP's number."""

    INTERNAL = 1
    SERVER = 2
    CONSUMER = 5


@dataclass(frozen=True, kw_only=True)
class Event:
    """A line that was written in the course of a span."""

    at: float
    level: str
    line: Mapping[str, Any]

    @property
    def name(self) -> str:
        return str(self.line.get("event") or "line")

    @property
    def error(self) -> str:
        """The type of the exception that it tells of; empty for none."""
        return str(self.line.get("error") or "")


@dataclass(frozen=True, kw_only=True)
class Span:
    """One piece of work."""

    function: str
    """Which function did it; empty for an execution."""
    line: Mapping[str, Any]
    """The line that ended it."""
    events: tuple[Event, ...] = field(default=(), repr=False)
    """The other lines of it, in order of time."""

    @property
    def trace_id(self) -> str:
        return str(self.line["trace_id"])

    @property
    def span_id(self) -> str:
        return str(self.line["span_id"])

    @property
    def parent_id(self) -> str:
        """The span that caused it; empty where none did, or nobody told."""
        return str(self.line.get("parent_span_id") or "")

    @property
    def event(self) -> str:
        return str(self.line["event"])

    @property
    def start(self) -> float:
        """Seconds since 1970."""
        return float(self.line["start"])

    @property
    def ms(self) -> float:
        return float(self.line["ms"])

    @property
    def end(self) -> float:
        return self.start + self.ms / 1000

    @property
    def coldstart_ms(self) -> float | None:
        """How long the copy took to start that did it, where this was the first that it did."""
        found = self.line.get("coldstart_ms")
        return None if found is None else float(found)

    @property
    def flags(self) -> int:
        """Those of W3C: the last bit says whether the trace is sampled."""
        return int(str(self.line.get("trace_flags") or "01"), 16)

    @property
    def is_sampled(self) -> bool:
        return bool(self.flags & 1)

    @property
    def status(self) -> int | None:
        """The HTTP status of a request."""
        found = self.line.get("status")
        return int(found) if self.event == "request" and found is not None else None

    @property
    def error(self) -> str:
        """Why it failed, as the type of an exception or an HTTP status; empty where it did not."""
        if self.status is not None:
            return str(self.status) if self.status >= 500 else ""
        if self.line.get("error") or self.line.get("failed") is not True:
            return str(self.line.get("error") or "")
        return next((event.error for event in self.events if event.error), "failed")

    @property
    def kind(self) -> Kind:
        return {"message": Kind.CONSUMER, EXECUTION: Kind.INTERNAL}.get(self.event, Kind.SERVER)

    @property
    def operation(self) -> tuple[str, str] | None:
        """Method and route of a request for something that the API has."""
        found = _OPERATIONS.get(str(self.line.get("operation")))
        return None if found is None else (found.method, found.path)

    @property
    def name(self) -> str:
        match self.event:
            case "request":
                return " ".join(self.operation or ("request",))
            case "message":
                return f"process {self.function}"
            case "step":
                return " ".join(str(self.line[part]) for part in ("step", "action") if self.line.get(part))
        return "training"

    def said(self, name: str) -> Any:
        """Return what its own line says, or the answer in it, or else another line of it; None where none does."""
        answer = self.line.get("answer")
        places = (self.line, answer if isinstance(answer, dict) else {}, *(event.line for event in self.events))
        return next((place[name] for place in places if place.get(name) is not None), None)


def spans_of(function: str, lines: list[LogLine]) -> list[Span]:
    """Return the spans that a function's lines tell of. Lines of a span that has not ended are passed over."""
    ended: dict[str, Mapping[str, Any]] = {}
    events: dict[str, list[Event]] = {}
    for line in lines:
        said = line.document["message"]
        if not isinstance(said, dict) or not (isinstance(said.get("span_id"), str) and said.get("trace_id")):
            continue
        if said.get("event") in ENDS and _is_number(said.get("start")) and _is_number(said.get("ms")):
            ended[said["span_id"]] = said
        else:
            events.setdefault(said["span_id"], []).append(Event(at=line.at, level=line.level, line=said))
    return [
        Span(function=function, line=line, events=tuple(sorted(events.get(key, ()), key=lambda event: event.at)))
        for key, line in ended.items()
    ]


def moment(at: float) -> str:
    """Return a time for people, in UTC."""
    return datetime.fromtimestamp(at, UTC).isoformat(sep=" ", timespec="milliseconds").removesuffix("+00:00")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
