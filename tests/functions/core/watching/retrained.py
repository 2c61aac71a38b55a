"""A live version whose dataset is there, and rows that were labelled since, as the stores have them."""

from __future__ import annotations

from typing import Any

from functions.core.storage.objects import Objects
from tests.functions.core.watching.rows import MODEL

SOURCE = f"{MODEL}/incoming/rows.csv"
CREATED = "2026-11-01T00:00:00+00:00"


def trained(models: Objects, data: Objects, version: str, source: str = SOURCE) -> None:
    """Register the run of a version, on a dataset that lies where it was uploaded."""
    if source == SOURCE:
        data.put(source, b"size,ripe\n1,yes\n")
    card = models.find_json(f"{MODEL}/versions/{version}/card.json") or {}
    models.put_json(f"{MODEL}/versions/{version}/card.json", {**card, "run": "r1", "created": CREATED})
    entry = data.entry(source)
    arrived = "" if entry is None else entry.modified.isoformat(timespec="microseconds")
    models.put_json(f"{MODEL}/runs/r1/run.json", {"run": "r1", "source": source, "arrived": arrived})


def labelled(captures: Objects, day: str, rows: int, **joined: Any) -> None:
    """Store the labelled rows of a day."""
    place = f"{MODEL}/labelled/{day}"
    if rows:
        captures.put(f"{place}/table.csv", b"size,ripe\n2,no\n")
    captures.put_json(f"{place}/joined.json", {"labelled": {"a": rows}, **joined})


def came(models: Objects, source: str, status: str, run: str = "r2") -> None:
    """Write the record of a run that a request began."""
    models.put_json(f"{MODEL}/runs/{run}/run.json", {"run": run, "source": source, "status": status})
