"""Report the measured rows: a table at the terminal, JSON, and a page with a chart."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.table import Table

from bench.chart import chart
from bench.row import Missing, Row

VERSIONS = ("onnxruntime", "numpy", "scikit-learn", "obstore", "pulumi", "pulumi-aws")


def document(rows: Sequence[Row | Missing]) -> dict[str, Any]:
    """Return the rows as JSON, with the machine and the versions they were measured on."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {
            "processor": _processor(),
            "cores": os.cpu_count(),
            "system": f"{platform.system()} {platform.release().partition('-')[0]}",
        },
        "versions": {"python": platform.python_version()}
        | {name: importlib.metadata.version(name) for name in VERSIONS},
        "rows": [row.record() for row in rows],
    }


def table(rows: Sequence[Row | Missing]) -> Table:
    table = Table(box=None, pad_edge=False, show_edge=False)
    for name in ("", "against", "figure", "spread", "target", "", "measured", "n", "A/A"):
        table.add_column(name, justify="left" if name in ("", "against") else "right", no_wrap=name != "against")
    group = None
    for row in rows:
        if row.group != group:
            table.add_row(f"[bold]{row.group}[/bold]")
            group = row.group
        table.add_row(*_cells(row.record()))
    return table


def _cells(record: Mapping[str, Any]) -> tuple[str, ...]:
    if "missing" in record:
        return (f"  {record['name']}", f"missing: {record['missing'][:90]}")
    unit = record["unit"]
    verdict = {True: "reached", False: "[bold]missed[/bold]", None: ""}[record["reached"]]
    return (
        f"  {record['name']}",
        record["against"],
        _figure(record["ratio"], unit),
        f"{record['low']:g} .. {record['high']:g}" if record["n"] > 1 else "",
        "" if record["target"] is None else f"<= {_figure(record['target'], unit)}",
        verdict,
        f"{record['median']:g} {record['of']}" if record["of"] != unit else "",
        str(record["n"]),
        _noise(record),
    )


def _noise(record: Mapping[str, Any]) -> str:
    if record.get("noise") is not None:
        return _figure(record["noise"], record["unit"])
    return "" if record["control"] is None else f"{record['control']:.2f}"


def _figure(value: float, unit: str) -> str:
    return f"{value:.3g}" if unit == "x" else f"{value:+.3g} us" if unit == "us" else f"{value:.3g} {unit}"


def write(document: Mapping[str, Any], folder: Path) -> None:
    """Write `benchmarks.md` and `benchmarks.svg` into `folder`."""
    (folder / "benchmarks.svg").write_text(chart(document["rows"]), encoding="utf-8")
    (folder / "benchmarks.md").write_text(page(document), encoding="utf-8")


def page(document: Mapping[str, Any]) -> str:
    machine, versions = document["machine"], document["versions"]
    lines = [
        "# Benchmarks",
        "",
        "Written by `make bench`; `make bench-quick` measures less of it in under two minutes.",
        "",
        "Every figure is a ratio, a difference or a size of one run: ours and its peers take turns, the median of the",
        "pairs is told with its spread, and A/A is the ratio of two equal variants in the same rounds, which says how",
        "much of a figure is noise; of what a meter adds it is a difference, too, and both are those of the fastest of",
        "many short blocks. Nothing here ran on Lambda or Cloud Run.",
        "",
        f"Measured {document['at'][:10]} on {machine['processor']}, {machine['cores']} cores, {machine['system']}; "
        + ", ".join(f"{name} {version}" for name, version in versions.items())
        + ".",
        "",
        "![Ours as a share of each peer, with the target](benchmarks.svg)",
        "",
        "| what | against | figure | spread | target | | measured | n | A/A |",
        "| --- | --- | ---: | ---: | ---: | --- | ---: | ---: | ---: |",
    ]
    group = None
    for record in document["rows"]:
        if record["group"] != group:
            group = record["group"]
            lines.append(f"| **{group}** | | | | | | | | |")
        cells = [cell.strip().replace("[bold]", "**").replace("[/bold]", "**") for cell in _cells(record)]
        lines.append("| " + " | ".join(cells + [""] * (9 - len(cells))) + " |")
    return "\n".join(lines) + "\n"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())
