"""Traffic: the requests that were captured, and a canary as it goes."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from functions.core.release.rollout_metrics import among, observe
from sml.console import charts
from sml.console.captured import over_time
from sml.console.charts import Axis, Frame, Mark
from sml.console.site import Page
from sml.console.words import number
from sml.sentences import evidence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from functions.core.registry.pointer import Entry, Pointer
    from sml.console.captured import Capture, Part
    from sml.console.source import Source
    from sml.console.web import Request

SHOWN, LISTED = 400, 100
"""Requests of the chart, and of the list."""
BEGAN = ("canary", "shadow")
"""The events by which a release begins."""


def requests(source: Source, request: Request, model: str) -> Page:
    """The newest captured requests, and how long each took."""
    del request
    model = source.stack.model(model)
    captures = source.captured.newest(model, SHOWN)
    timed = [one for one in captures if isinstance(one.get("ms"), int | float) and one.get("time")]
    facts: dict[str, Any] = {"captures": captures[:LISTED], "drawn": len(timed)}
    if len(timed) > 1:
        marks = [Mark(x=one["time"], y=one["ms"], title=_title(one), name=str(one.get("variant"))) for one in timed]
        frame = _frame([one["time"] for one in timed], [one["ms"] for one in timed], "ms", low=0.0)
        frame = replace(frame, width=charts.WIDE)
        facts["chart"] = charts.points(marks, frame, "Latency of the captured requests over time")
        facts["variants"] = sorted({mark.name for mark in marks})
    return Page(template="requests.html", title="Captured requests", model=model, facts=facts)


def canary(source: Source, request: Request, model: str) -> Page:
    """The release that is under way, or the last one: errors, agreement and latency of both versions over time."""
    del request
    records = source.records(model)
    pointer = records.live()
    entries = _entries(pointer)
    facts: dict[str, Any] = {"pointer": pointer, "entries": list(reversed(entries))}
    if entries:
        facts |= {"challenger": entries[0].version, "run_id": entries[0].run, "under_way": pointer.release is not None}
        facts["evidence"] = evidence(records.find_run(entries[0].run or ""))
        facts |= _measured(source, model, pointer, entries)
    return Page(template="canary.html", title="Canary", model=model, facts=facts)


def _entries(pointer: Pointer) -> list[Entry]:
    """Return what the history says of the release under way, or of the last one, the oldest first."""
    begun = [entry for entry in pointer.history if entry.event in BEGAN]
    if not begun:
        return []
    return [entry for entry in pointer.history if entry.run == begun[-1].run and entry.revision >= begun[-1].revision]


def _measured(source: Source, model: str, pointer: Pointer, entries: Sequence[Entry]) -> dict[str, Any]:
    version, now = entries[0].version, time.time()
    since = _seconds(entries[0].at)
    until = now if pointer.release is not None else _seconds(entries[-1].at)
    captures, read = source.captured.between(model, since, until)
    parts = over_time(captures, version, since, until)
    events = [(_seconds(entry.at), f"{entry.event}: {entry.reason}") for entry in entries]
    begun = pointer.release.since if pointer.release is not None else since
    if pointer.release is not None:
        metrics = observe(source.captures, model, version, begun, until)  # as the judge reads them, none left out
    else:
        metrics = among(captures, version, begun, read)
    return {"metrics": metrics, "read": read, "charts_drawn": _charts(parts, (since, until), events)}


def _charts(
    parts: Sequence[Part], span: tuple[float, float], events: Sequence[tuple[float, str]]
) -> list[dict[str, Any]]:
    drawn = []
    for name, unit, factor, low, high in (
        ("errors", "% of the requests", 100.0, 0.0, None),
        ("agreement", "% of the rows", 100.0, None, 100.0),
        ("ms", "ms, median", 1.0, 0.0, None),
    ):
        marks = [
            Mark(x=part.at, y=value * factor, name=series, title=f"{series}: {number(value * factor)} {unit}")
            for series, field in _series(name)
            for part in parts
            if (value := getattr(part, field)) is not None
        ]
        if not marks:
            continue
        frame = _frame(list(span), [mark.y for mark in marks], unit, low=low, high=high)
        title = {"errors": "Errors", "agreement": "Agreement with the champion", "ms": "Latency"}[name]
        both = len(_series(name)) > 1
        drawn.append({"title": title, "svg": charts.lines(marks, frame, f"{title} over time", events), "both": both})
    return drawn


def _series(name: str) -> tuple[tuple[str, str], ...]:
    if name == "agreement":
        return (("challenger", "agreement"),)
    return (("champion", f"champion_{name}"), ("challenger", f"challenger_{name}"))


def _frame(times: Sequence[float], values: Sequence[float], unit: str, **bounds: float | None) -> Frame:
    first, last = min(times), max(times)
    last = last if last > first else first + 1
    ticks = [first + (last - first) * part / 4 for part in range(5)]
    said = {at: datetime.fromtimestamp(at, UTC).strftime("%H:%M:%S") for at in ticks}
    x = Axis(low=first, high=last, ticks=ticks)
    return Frame(x=x, y=Axis.of(values, **bounds), x_name="UTC", y_name=unit, x_ticks=said)


def _title(one: Capture) -> str:
    return f"{one.get('variant')} {one.get('version')}: {number(one.get('ms'))} ms"


def _seconds(at: str) -> float:
    return datetime.fromisoformat(at).timestamp()
