"""A trace: the spans of all functions that one request, or one execution of the workflow, had done."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from functions.core.runtime.spans import of_execution
from sml.clouds import account
from sml.logs import MOST, LogHere
from sml.mistake import Mistake
from sml.trace.names import attributes, of_event
from sml.trace.span import EXECUTION, Span, spans_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from sml.log_line import Fields, LogLine
    from sml.stack import Stack

TRACE_ID = re.compile(r"(?:[0-9a-f]{2}-)?([0-9a-f]{32})(?:-[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?)?")
"""The id of a trace, alone or in a traceparent."""
ACCEPTED = "accepted: the whole id of a trace, a request, a job, a run or an execution, or a traceparent"
NAMED = ("request_id", "request", "run", "execution", "job", "message")
"""The fields by whose value a trace is found, too."""


@dataclass(frozen=True, kw_only=True)
class Trace:
    """The spans of one trace, in order of time."""

    trace_id: str
    spans: tuple[Span, ...]

    @property
    def start(self) -> float:
        return min(span.start for span in self.spans)

    @property
    def seconds(self) -> float:
        return max(span.end for span in self.spans) - self.start

    @property
    def functions(self) -> list[str]:
        return sorted({span.function for span in self.spans if span.function})

    def walk(self) -> Iterator[tuple[int, Span]]:
        """Yield each span with its depth, those that it caused after it. A span whose cause is elsewhere is a root."""
        known = {span.span_id for span in self.spans}
        caused: dict[str, list[Span]] = {}
        for span in self.spans:
            caused.setdefault(span.parent_id if span.parent_id in known else "", []).append(span)
        waiting = [(0, span) for span in reversed(caused.get("", []))]
        while waiting:
            depth, span = waiting.pop()
            yield depth, span
            waiting += [(depth + 1, other) for other in reversed(caused.get(span.span_id, []))]

    def document(self, scheme: str) -> dict[str, Any]:
        """Return it as JSON, of a stack whose stores have URLs of this scheme."""
        return {"trace_id": self.trace_id, "spans": [_document(span, scheme) for span in self.spans]}


def find(stack: Stack, wanted: str, since: float) -> list[Trace]:
    """Return the traces of a trace id, or of what else goes by this name: a request, a job, a run, an execution.

    Raise `Mistake` where no line since then says it.
    """
    if not wanted.strip():
        raise Mistake(f"an id is missing; {ACCEPTED}")
    given = TRACE_ID.fullmatch(wanted.strip().lower())
    asked = [given[1]] if given else _traces(_logged(stack, since, tuple((name, wanted) for name in NAMED)))
    found = [span for function, lines in _of(stack, since, asked) for span in spans_of(function, lines)]
    by_trace = {key: [span for span in found if span.trace_id == key] for key in asked}
    traces = [made(key, spans) for key, spans in by_trace.items() if spans]
    if not traces:
        raise Mistake(
            f"no function has logged the end of a piece of work of {wanted} since then; {ACCEPTED}, and --since to look"
            " further back; a cloud shows a line in a minute"
        )
    return sorted(traces, key=lambda trace: trace.start)


def _of(stack: Stack, since: float, traces: list[str]) -> Iterator[tuple[str, list[LogLine]]]:
    return _logged(stack, since, tuple(("trace_id", key) for key in traces)) if traces else iter(())


def _traces(logged: Iterable[tuple[str, list[LogLine]]]) -> list[str]:
    """Return the traces to which lines belong."""
    said = [line.document["message"] for _, lines in logged for line in lines]
    return sorted({str(one["trace_id"]) for one in said if isinstance(one, dict) and one.get("trace_id")})


def _logged(stack: Stack, since: float, fields: Fields) -> Iterator[tuple[str, list[LogLine]]]:
    """Yield the lines of each function that have one of some fields."""
    cloud = account(stack.scheme) if stack.here is None else None
    # A stack that an older release deployed names none: whoever asks for one is told so.
    for function in stack.outputs.get("functions", ("predict",)):
        place = stack.function(function)["logs"]
        if stack.here is None:
            assert cloud is not None  # noqa: S101 - see above
            lines = cloud.logged(place, since=since, level=None, most=MOST, fields=fields)
        else:
            lines = LogHere(stack.here, function, since=since, level=None).newest(MOST)
        yield function, [line for line in lines if _says(line, fields)]


def _says(line: LogLine, fields: Fields) -> bool:
    said = line.document["message"]
    return isinstance(said, dict) and any(said.get(name) == value for name, value in fields)


def made(key: str, spans: list[Span]) -> Trace:
    """Return a trace, with a span for each execution of the workflow that is the cause of others."""
    spans = [*spans, *_executions(spans)]
    return Trace(trace_id=key, spans=tuple(sorted(spans, key=lambda span: (span.start, span.function))))


def _executions(spans: list[Span]) -> Iterator[Span]:
    steps: dict[str, list[Span]] = {}
    for span in spans:
        execution = span.line.get(EXECUTION)
        if isinstance(execution, str) and of_execution(execution) == (span.trace_id, span.parent_id):
            steps.setdefault(execution, []).append(span)
    for execution, caused in steps.items():
        start, end = min(span.start for span in caused), max(span.end for span in caused)
        facts = {name: found for name in ("model", "run") if (found := next(_said(caused, name), None))}
        trace_id, span_id = of_execution(execution)
        line = {"event": EXECUTION, EXECUTION: execution, "start": start, "ms": round((end - start) * 1000, 1), **facts}
        yield Span(function="", line={**line, "trace_id": trace_id, "span_id": span_id})


def _said(spans: list[Span], name: str) -> Iterator[Any]:
    return (found for span in spans if (found := span.said(name)))


def _document(span: Span, scheme: str) -> Mapping[str, Any]:
    return {
        "span_id": span.span_id,
        "parent_span_id": span.parent_id or None,
        "name": span.name,
        "kind": span.kind.name.lower(),
        "function": span.function or None,
        "start": span.start,
        "ms": span.ms,
        "error": span.error or None,
        "coldstart_ms": span.coldstart_ms,
        "sampled": span.is_sampled,
        "attributes": attributes(span, scheme),
        "events": [
            {"name": event.name, "time": round(event.at, 3), "attributes": of_event(event)} for event in span.events
        ],
    }
