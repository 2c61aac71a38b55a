"""What the fields of our lines are called in OpenTelemetry: its semantic conventions, of one version.

https://opentelemetry.io/docs/specs/semconv/. What they have no name for begins with `serverless_ml.`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sml.clouds import telemetry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sml.trace.span import Event, Span

CONVENTIONS = "1.44.0"
SCHEMA = f"https://opentelemetry.io/schemas/{CONVENTIONS}"
OWN = "serverless_ml"
FACTS = (
    "model",
    "version",
    "variant",
    "run",
    "experiment",
    "execution",
    "action",
    "job",
    "rows",
    "refused",
    "billed_ms",
    "gb_seconds",
    "usd",
    "kwh",
    "grams",
    "xray_trace_id",
)
"""Fields of lines that are told under a name of our own."""
TRIGGERS = {"request": "http", "message": "pubsub"}
"""What calls a function. A step is called by the workflow, `other`, or by a schedule."""


def attributes(span: Span, scheme: str) -> dict[str, Any]:
    """Return the attributes of a span of a stack whose stores have URLs of this scheme."""
    found: dict[str, Any] = {}
    if span.function:
        step = "other" if span.line.get("execution") else "timer"
        found["faas.trigger"] = TRIGGERS.get(span.event, step)
        found["faas.coldstart"] = span.coldstart_ms is not None
    match span.event:
        case "request":
            method, route = span.operation or (None, None)
            found |= {
                "http.request.method": method,
                "http.route": route,
                "http.response.status_code": span.status,
                "http.response.header.x-request-id": [span.line.get("request_id")],
            }
        case "message":
            found |= {
                "messaging.system": telemetry(scheme).messaging,
                "messaging.operation.name": "process",
                "messaging.operation.type": "process",
                "messaging.destination.name": span.function,
                "messaging.message.id": span.line.get("message"),
            }
        case "step":
            found["faas.invocation_id"] = span.line.get("request")
    found["error.type"] = span.error or None
    found |= {f"{OWN}.{name}": span.said(name) for name in FACTS}
    if span.coldstart_ms is not None:
        found[f"{OWN}.coldstart_ms"] = span.coldstart_ms
    return {name: value for name, value in found.items() if _is_plain(value)}


def of_event(event: Event) -> dict[str, Any]:
    """Return the attributes of a line in the course of a span: no text of an exception, which may hold anything."""
    found = {"exception.type": event.error or None, f"{OWN}.level": event.level or None}
    found |= {f"{OWN}.{name}": event.line.get(name) for name in FACTS}
    return {name: value for name, value in found.items() if _is_plain(value)}


def resource(function: str, stack: str, scheme: str, region: str) -> Mapping[str, Any]:
    """Return the attributes of a function, or of the workflow where it has no name."""
    cloud = telemetry(scheme)
    own = {"cloud.platform": cloud.platform, "faas.name": function} if function else {}
    return {
        "service.name": function or "training",
        "service.namespace": "serverless-ml",
        "deployment.environment.name": stack,
        "cloud.provider": cloud.provider,
        "cloud.region": region,
        **own,
    }


def _is_plain(value: object) -> bool:
    return isinstance(value, str | bool | int | float) or (isinstance(value, list) and all(value))
