"""What a Parquet file of captures tells of the requests in it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
from arro3.core import DataType

from functions.core.registry.captures import REDACTED
from functions.core.watching.capture_file import (
    OTHER_INPUTS,
    OTHER_OUTPUTS,
    TEXTS,
    TRACE,
    WHOLE,
    batches,
    others,
    own_name,
    size_of,
    summed,
    unread,
    whole_numbers,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from arro3.core import RecordBatch

    from functions.core.watching.capture_file import Unread
    from functions.core.watching.captured_columns import Record


def records_of(content: bytes, version: str) -> Iterator[Record]:
    """Yield what a file tells of each request, without its rows."""
    for batch in batches(content):
        row = whole_numbers(batch.column("_row"))
        yield from _requests(batch, np.flatnonzero(np.isnan(row) | (row == 0)).tolist(), version)


def _requests(batch: RecordBatch, places: Sequence[int], version: str) -> Iterator[Record]:
    """Yield what is known of the requests that begin in some lines."""
    moments = batch.column("_time").cast(DataType.int64()).to_pylist()
    told = [*TEXTS, *WHOLE, "ms", *([TRACE] if f"_{TRACE}" in batch.schema.names else [])]
    plain = {name: batch.column(f"_{name}").to_pylist() for name in told}
    champions, times = batch.column("_champion").to_pylist(), batch.column("_champion_ms").to_pylist()
    hidden = batch.column("_redacted").to_pylist() if "_redacted" in batch.schema.names else []
    for at in places:
        record: Record = {"version": version}
        if (moment := moments[at]) is not None:
            record["time"] = moment / 1000
        record |= {name: found[at] for name, found in plain.items() if found[at] is not None}
        if champions[at] is not None:
            record["champion"] = {"version": champions[at], "ms": times[at]}
        if hidden and hidden[at]:
            record[REDACTED] = hidden[at].split(",")
        yield record


def others_of(content: bytes, version: str) -> Iterator[Record]:
    """Yield the requests of a file whose rows have no columns, as they were captured."""
    for batch in batches(content):
        places = np.flatnonzero(others(batch)).tolist()
        if not places:
            continue
        records = list(_requests(batch, places, version))
        for name in (OTHER_INPUTS, OTHER_OUTPUTS):
            held = batch.column(name).to_pylist() if name in batch.schema.names else []
            for record, at in zip(records, places, strict=True):
                if held and held[at] is not None:
                    record[own_name(name)] = json.loads(held[at])
        yield from records


def names_of(content: bytes) -> Iterator[tuple[str, str]]:
    """Yield by which names the requests of a file go that hold rows: their ids, and their keys or ""."""
    for batch in batches(content):
        holding = np.flatnonzero((whole_numbers(batch.column("_row")) == 0) | others(batch)).tolist()
        requests, keys = (batch.column(name).to_pylist() for name in ("_request", "_key"))
        yield from ((requests[at] or "", keys[at] or "") for at in holding)


def in_columns(content: bytes) -> Unread:
    """Return how much of a file holds rows in columns."""
    return summed(size_of(batch, whole_numbers(batch.column("_row")) == 0) for batch in batches(content))


def not_in_columns(content: bytes) -> Unread:
    """Return how much of a file holds rows for which there are no columns; what a challenger failed on does not."""
    return summed(size_of(batch, unread(batch)) for batch in batches(content))
