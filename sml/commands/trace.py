"""What one request had done: the spans of every function, as a tree, as JSON, or for a collector."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated

import typer

from sml.clouds import region
from sml.log_line import ago
from sml.session import Session, on_stack
from sml.trace import otlp, tree
from sml.trace.trace import find

SINCE = "2d"


@on_stack
def trace(
    session: Session,
    wanted: Annotated[
        str,
        typer.Argument(
            help="The id of a trace (or a traceparent), of a request, a job, a run or an execution.", metavar="ID"
        ),
    ],
    since: Annotated[
        str, typer.Option("--since", help="How far back the logs are looked through: 30m, 2h, 7d.")
    ] = SINCE,
    file: Annotated[
        Path | None,
        typer.Option("--otlp", help="Write the spans that are sampled to this file, as OTLP's JSON.", metavar="FILE"),
    ] = None,
) -> None:
    """Show what a request, a job or a run had done: which functions, how long, by which version."""
    out, stack = session.out, session.stack
    traces = find(stack, wanted, ago(since, time.time()))
    out.result({"traces": [one.document(stack.scheme) for one in traces]})
    for one in traces:
        for line in tree.lines(one):
            out.line(line)
    if file is not None:
        where = region(stack.scheme, stack.outputs)
        written = otlp.document(traces, stack=stack.name, scheme=stack.scheme, region=where)
        file.write_text(json.dumps(written) + "\n", encoding="utf-8")
        spans = [span for one in traces for span in one.spans]
        sampled = sum(span.is_sampled for span in spans)
        left_out = f"; {len(spans) - sampled} not sampled, and left out" if sampled < len(spans) else ""
        out.say(f"{sampled} span{'s' * (sampled != 1)} written to {file}{left_out}")
