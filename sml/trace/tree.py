"""A trace as people read it: what caused what, when, for how long, and by which version."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sml.trace.span import moment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sml.trace.span import Span
    from sml.trace.trace import Trace

LOUD = ("WARNING", "ERROR", "CRITICAL")


def lines(trace: Trace) -> Iterator[str]:
    """Yield the lines about a trace: a heading, a line a span, and one for each warning and error."""
    count, functions = sum(bool(span.function) for span in trace.spans), len(trace.functions)
    yield (
        f"trace {trace.trace_id}  {count} span{'s' * (count != 1)} of {functions} function{'s' * (functions != 1)},"
        f" {_time(trace.seconds * 1000)} from {moment(trace.start)} UTC"
    )
    rows = [(f"{'  ' * depth}{span.name}", span, depth) for depth, span in trace.walk()]
    named = max(len(name) for name, _, _ in rows)
    working = max(len(span.function) for _, span, _ in rows)
    for name, span, depth in rows:
        offset = f"+{_time((span.start - trace.start) * 1000)}"
        told = f"  {offset:>9}  {name:<{named}}  {span.function:<{working}}  {_time(span.ms):>8}  {_told(span)}"
        yield told.rstrip()
        for event in span.events:
            if event.level in LOUD:
                yield f"  {'':>9}  {'  ' * depth}! {event.name}{f': {event.error}' if event.error else ''}"
    if not all(span.is_sampled for span in trace.spans):
        yield "  not sampled, as its caller asked: --otlp leaves it out"


def _told(span: Span) -> str:
    """Return what is known of a span besides its time."""
    model, version, variant = (span.said(name) for name in ("model", "version", "variant"))
    answering = f"{model} @ {version}" if version else model
    facts = (
        f"cold start {_time(span.coldstart_ms)}" if span.coldstart_ms is not None else None,
        span.status,
        f"{span.error}" if span.error and span.status is None else None,
        f"{answering} ({variant})" if variant else answering,
        *(f"{name} {found}" for name in ("job", "run", "experiment", "execution") if (found := _own(span, name))),
        _outcome(span),
    )
    return "  ".join(str(fact) for fact in facts if fact)


def _own(span: Span, name: str) -> str | None:
    """Return a fact that is worth its place: the run and the execution stand beside the execution alone."""
    if name in ("run", "execution") and span.function:
        return None
    found = span.said(name)
    return str(found) if found else None


def _outcome(span: Span) -> str | None:
    """Return where a step has left its run."""
    answer = span.line.get("answer")
    return str(answer.get("status")) if isinstance(answer, dict) and answer.get("status") else None


def _time(ms: float) -> str:
    if ms < 1000:
        return f"{ms:.1f} ms" if ms < 100 else f"{ms:.0f} ms"
    return f"{ms / 1000:.2f} s" if ms < 100_000 else f"{ms / 60_000:.1f} min"
