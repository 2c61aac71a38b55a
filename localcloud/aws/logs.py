"""What the functions of the embedded AWS logged, the newest first: its search gives the oldest lines, and no more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

PAGE = 10_000
"""The most lines that one answer brings."""


def newest(client: Any, group: str, limit: int) -> list[str]:
    """Return the newest `limit` lines of a log group, oldest first; none of one that is not there.

    Each copy of a function writes a stream of its own. Those that wrote last are read first, until no other can have
    a line that is new enough.
    """
    found: list[tuple[int, str]] = []
    try:
        for stream, last in _streams(client, group):
            if len(found) >= limit and last < found[0][0]:
                break
            found = sorted([*found, *_lines(client, group, stream, limit)], key=lambda line: line[0])[-limit:]
    except client.exceptions.ResourceNotFoundException:
        return []
    return [text for _, text in found]


def _streams(client: Any, group: str) -> Iterator[tuple[str, int]]:
    """Yield each stream with the time of its last line in milliseconds, 0 without one: the newest first."""
    pages = client.get_paginator("describe_log_streams").paginate(
        logGroupName=group, orderBy="LastEventTime", descending=True
    )
    for page in pages:
        yield from ((one["logStreamName"], one.get("lastEventTimestamp", 0)) for one in page["logStreams"])


def _lines(client: Any, group: str, stream: str, limit: int) -> list[tuple[int, str]]:
    """Return the newest `limit` lines of a stream with their times, in milliseconds, oldest first."""
    found: list[tuple[int, str]] = []
    token: dict[str, str] = {}
    while len(found) < limit:
        asked = {"limit": min(PAGE, limit - len(found)), "startFromHead": False, **token}
        page = client.get_log_events(logGroupName=group, logStreamName=stream, **asked)
        if not page["events"]:
            break
        found = [*((one["timestamp"], one["message"].rstrip("\n")) for one in page["events"]), *found]
        token = {"nextToken": page["nextBackwardToken"]}
    return found
