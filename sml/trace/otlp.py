"""Traces as OTLP's JSON, which collectors read: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sml.trace.names import SCHEMA, attributes, of_event, resource

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sml.trace.span import Span
    from sml.trace.trace import Trace

UNSET, ERROR = 0, 2
"""The status of a span, by OTLP's number."""
REMOTE = 0x300
"""The flags of a span whose parent may be in another process."""


def document(traces: Sequence[Trace], *, stack: str, scheme: str, region: str) -> dict[str, Any]:
    """Return the message `TracesData` of the spans that are sampled, those of a function together."""
    sampled = [span for trace in traces for span in trace.spans if span.is_sampled]
    functions = list(dict.fromkeys(span.function for span in sampled))
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": _values(resource(function, stack, scheme, region))},
                "scopeSpans": [
                    {
                        "scope": {"name": "serverless-ml"},
                        "spans": [_span(span, scheme) for span in sampled if span.function == function],
                        "schemaUrl": SCHEMA,
                    }
                ],
                "schemaUrl": SCHEMA,
            }
            for function in functions
        ]
    }


def _span(span: Span, scheme: str) -> dict[str, Any]:
    state = {"traceState": span.line["trace_state"]} if span.line.get("trace_state") else {}
    parent = {"parentSpanId": span.parent_id} if span.parent_id else {}
    return {
        "traceId": span.trace_id,
        "spanId": span.span_id,
        **state,
        **parent,
        "flags": span.flags | REMOTE,
        "name": span.name,
        "kind": int(span.kind),
        "startTimeUnixNano": _nanoseconds(span.start),
        "endTimeUnixNano": _nanoseconds(span.end),
        "attributes": _values(attributes(span, scheme)),
        "events": [
            {"timeUnixNano": _nanoseconds(event.at), "name": event.name, "attributes": _values(of_event(event))}
            for event in span.events
        ],
        "status": {"code": ERROR, "message": span.error} if span.error else {"code": UNSET},
    }


def _nanoseconds(seconds: float) -> str:
    """Return a time as text: JSON's numbers may not hold 64 bits. Lines tell it to a microsecond."""
    return f"{round(seconds * 1_000_000)}000"


def _values(attributes: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": _value(value)} for key, value in attributes.items()]


def _value(value: object) -> dict[str, Any]:
    match value:
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case list():
            return {"arrayValue": {"values": [_value(one) for one in value]}}
    return {"stringValue": str(value)}
