"""The span of the work that a thread is at, and the trace to which it belongs: https://www.w3.org/TR/trace-context-2/.

A span is one line of the log: that which ends the work. Every other line of the work has its ids.
"""

from __future__ import annotations

import _thread
import os
import time

TYPE_CHECKING = False  # importing typing would delay the first answer
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

TRACEPARENT, TRACESTATE = "traceparent", "tracestate"
LONGEST_STATE = 512
"""Characters of a tracestate that are passed on: https://www.w3.org/TR/trace-context-2/#tracestate-limits."""
MOST_MEMBERS = 32
SAMPLED = 1
"""The flag of a trace that is to be kept."""
KNOWN_FLAGS = 3
"""Those of W3C's second level: sampled, and that the id is random."""
_FLAGS = ("00", "01", "02", "03")
_DIGITS = b"0123456789abcdef"
_NO_TRACE, _NO_PARENT = "0" * 32, "0" * 16
_own = _thread._local()
_starts: list[float] = []
"""Milliseconds that this copy took to start, until a piece of work has said so."""


class Span:
    """One piece of work. It gets an id of its own, and a trace of its own unless it is given one."""

    __slots__ = ("began", "cloud_id", "flags", "parent_id", "span_id", "state", "trace_id")

    def __init__(
        self, trace_id: str = "", parent_id: str = "", flags: int = SAMPLED, state: str = "", cloud_id: str = ""
    ) -> None:
        """`cloud_id` is the id of the cloud's own trace, where it keeps one."""
        self.began = time.time()
        if trace_id:
            self.trace_id, self.span_id = trace_id, os.urandom(8).hex()
        else:
            digits = os.urandom(24).hex()
            self.trace_id, self.span_id = digits[:32], digits[32:]
        self.parent_id = parent_id
        self.flags = flags
        self.state = state
        self.cloud_id = cloud_id

    @classmethod
    def received(cls, traceparent: str | None, tracestate: str | None = None, *, otherwise: str = "") -> Span:
        """Return the span of work that a caller asked for: in the caller's trace, or in one of its own.

        A `traceparent` that is not valid counts as none. `otherwise` is the id of that own trace, if it has one.
        """
        parent = None if traceparent is None else _parsed(traceparent)
        if parent is None:
            return cls(otherwise)
        return cls(*parent, _bounded(tracestate) if tracestate else "")

    @classmethod
    def asked(cls, headers: Mapping[str, str], *, otherwise: str = "") -> Span:
        """Return the span of a request, as `received` does, by its headers in lower case."""
        traceparent = headers.get(TRACEPARENT)
        if traceparent is None:
            return cls(otherwise)
        return cls.received(traceparent, headers.get(TRACESTATE), otherwise=otherwise)

    @property
    def traceparent(self) -> str:
        """What work is given that this work causes."""
        return f"00-{self.trace_id}-{self.span_id}-{_FLAGS[self.flags]}"

    @property
    def is_sampled(self) -> bool:
        return bool(self.flags & SAMPLED)

    def carrier(self) -> dict[str, str]:
        """Return the trace as objects and requests carry it to the work that this work causes."""
        own = {TRACEPARENT: self.traceparent}
        return {**own, TRACESTATE: self.state} if self.state else own

    def join(self, carrier: object) -> None:
        """Have the work belong to the trace that an object carries, from now on; to its own where it carries none."""
        carried = _carried(carrier)
        if carried is not None:
            self.trace_id, self.parent_id = carried.trace_id, carried.parent_id
            self.flags, self.state = carried.flags, carried.state

    def facts(self) -> dict[str, Any]:
        """Return what the line that ends the work says of its span, besides its ids."""
        facts: dict[str, Any] = {"start": self.began}
        if self.parent_id:
            facts["parent_span_id"] = self.parent_id
        if not self.flags & SAMPLED:
            facts["trace_flags"] = _FLAGS[self.flags]
        if self.state:
            facts["trace_state"] = self.state
        if _starts:
            facts["coldstart_ms"] = _starts.pop()
        return facts


def of_call(payload: object, traceparent: str | None = None, *, otherwise: str = "") -> Span:
    """Return the span of a step: in the trace that its payload carries, or in that of its execution.

    For a step of neither, such as one of a schedule, what the call brought counts, as for `Span.received`.
    """
    if isinstance(payload, dict):
        carried = _carried(payload.get("trace"))
        if carried is not None:
            return carried
        execution = payload.get("execution")
        if isinstance(execution, str):
            return Span(*of_execution(execution))
    return Span.received(traceparent, otherwise=otherwise)


def of_execution(execution: str) -> tuple[str, str]:
    """Return the trace of an execution of the workflow that nobody's trace caused, and the span of the whole of it."""
    from functions.core.runtime.digest import sha256  # noqa: PLC0415 - requests do without it

    digest = sha256(f"execution {execution}".encode()).hex()
    return digest[:32], digest[32:48]


def current() -> Span | None:
    """Return the span of this thread's work; None where it is at none."""
    return getattr(_own, "span", None)


def enter(span: Span | None) -> None:
    """Have this thread be at the work of a span from now on, or at none."""
    _own.span = span


def started(seconds: float) -> None:
    """Note how long this copy took to start: the first piece of work that ends says so."""
    _starts[:] = [round(seconds * 1000, 1)]


def _carried(carrier: object) -> Span | None:
    if not isinstance(carrier, dict):
        return None
    traceparent, state = carrier.get(TRACEPARENT), carrier.get(TRACESTATE)
    parent = _parsed(traceparent) if isinstance(traceparent, str) else None
    return None if parent is None else Span(*parent, _bounded(state) if isinstance(state, str) else "")


def _parsed(text: str) -> tuple[str, str, int] | None:
    """Return trace, parent and flags of a traceparent; None for one that is not valid.

    Of a version after 00 only what begins like 00 is known: https://www.w3.org/TR/trace-context-2/#versioning-of-traceparent.
    """
    if len(text) < 55 or not text.isascii() or text[2] != "-" or text[35] != "-" or text[52] != "-":
        return None
    version, trace_id, parent_id = text[:2], text[3:35], text[36:52]
    # Without its digits, what is known of it are the three hyphens.
    if text[:55].encode().translate(None, _DIGITS) != b"---" or version == "ff":
        return None
    if trace_id == _NO_TRACE or parent_id == _NO_PARENT:
        return None
    if len(text) > 55 and (version == "00" or text[55] != "-"):
        return None
    return trace_id, parent_id, int(text[54], 16) & KNOWN_FLAGS


def _bounded(state: str) -> str:
    """Return of a tracestate as many members as are passed on, the first ones; nothing of one that is no text."""
    if not (state.isascii() and state.isprintable()):
        return ""
    members = [member.strip() for member in state.split(",")[:MOST_MEMBERS]]
    while len(bounded := ",".join(members)) > LONGEST_STATE:
        members.pop()
    return bounded
