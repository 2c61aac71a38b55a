"""The dashboard of a stack: every alarm, drawn with its bound, and latency by who answered."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from infra.alarms import LATENCY, MODEL

COLUMNS = 3
WIDE, HIGH = 24 // COLUMNS, 6
"""A dashboard is 24 units wide:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html"""
SECONDS = 300


def body(namespace: str, alarms: Mapping[str, str]) -> str:
    """Return the dashboard of alarms, whose ARNs are given by name, as JSON: whatever their order, the same."""
    alarms = dict(sorted(alarms.items()))
    region = next(iter(alarms.values())).split(":")[3]
    states = {
        "type": "alarm",
        "width": 24,
        "height": 3,
        "properties": {"title": "alarms", "alarms": [*alarms.values()]},
    }
    found = f'{{"{namespace}",{",".join(MODEL)}}} MetricName="{LATENCY.name}"'
    drawn = [
        _graph("latency by version, 95 % point", region, metrics=_searched(found, "p95")),
        _graph("requests by version", region, metrics=_searched(found, "SampleCount")),
        *(_graph(name, region, annotations={"alarms": [arn]}) for name, arn in alarms.items()),
    ]
    return json.dumps({"widgets": [{"x": 0, "y": 0, **states}, *_placed(drawn)]}, separators=(",", ":"))


def _searched(found: str, statistic: str) -> list[list[dict[str, str]]]:
    return [[{"expression": f"SEARCH('{found}', '{statistic}', {SECONDS})", "id": "found"}]]


def _graph(title: str, region: str, **properties: Any) -> dict[str, Any]:
    return {"type": "metric", "properties": {"title": title, "region": region, "view": "timeSeries", **properties}}


def _placed(widgets: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the widgets side by side, below that of the alarms' states."""
    places = (divmod(at, COLUMNS) for at in range(len(widgets)))
    return [
        {"x": column * WIDE, "y": 3 + row * HIGH, "width": WIDE, "height": HIGH, **widget}
        for (row, column), widget in zip(places, widgets, strict=True)
    ]
