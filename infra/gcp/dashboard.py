"""The dashboard of a stack: open incidents, every row with its bound, and latency by who answered."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from infra.alarms import MODEL

COLUMNS, WIDE, HIGH = 3, 16, 12
"""https://cloud.google.com/monitoring/api/ref_v3/rest/v1/projects.dashboards: a mosaic is 48 units wide."""


COMPARED = re.compile(r" (?:>=|<) ([\d.]+)")


def body(title: str, policies: Sequence[str], queries: Mapping[str, str], latency: str) -> str:
    """Return the dashboard of a stack as JSON.

    `queries` says, by the name of a row, when it is an alarm; `latency` selects the metric of that name.
    """
    incidents = {"title": "alarms", "incidentList": {"policyNames": list(policies)}}
    metric, _, wanted = latency.partition("{")
    who = ", ".join(MODEL)
    buckets = f"sum by (le, {who}) (increase({metric}_bucket{{{wanted}[300s]))"
    drawn = [
        _graph("latency by version, 95 % point", f"histogram_quantile(0.95, {buckets})"),
        _graph("requests by version", f"sum by ({who}) (increase({metric}_count{{{wanted}[300s]))"),
        *(_compared(name, query) for name, query in queries.items()),
    ]
    tiles = [{"width": COLUMNS * WIDE, "height": HIGH, "widget": incidents}, *_placed(drawn)]
    return json.dumps({"displayName": title, "mosaicLayout": {"columns": COLUMNS * WIDE, "tiles": tiles}})


def _compared(name: str, query: str) -> dict[str, Any]:
    """Return the graph of what is compared, with its bound."""
    measured, bound, *_ = COMPARED.split(query)
    return _graph(name, measured, float(bound))


def _graph(title: str, query: str, bound: float | None = None) -> dict[str, Any]:
    drawn = {"plotType": "LINE", "timeSeriesQuery": {"prometheusQuery": query}}
    bounds = [] if bound is None else [{"value": bound}]
    return {"title": title, "xyChart": {"dataSets": [drawn], "thresholds": bounds}}


def _placed(widgets: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the widgets side by side, below that of the incidents."""
    places = (divmod(at, COLUMNS) for at in range(len(widgets)))
    return [
        {"xPos": column * WIDE, "yPos": HIGH + row * HIGH, "width": WIDE, "height": HIGH, "widget": widget}
        for (row, column), widget in zip(places, widgets, strict=True)
    ]
