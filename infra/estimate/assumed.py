"""What the estimate assumes besides the traffic, the same for every cloud: small things that nobody states."""

from __future__ import annotations

from collections.abc import Iterator

GB = 1e9
"""Bytes."""
LOG_BYTES = 1000
"""What a call writes into logs: its own lines and the platform's. As much for a line of an access log, and of a
workflow's."""
MODEL_BYTES = 1e6
"""What an experiment adds to the registry."""
KEPT_MONTHS = 12
"""How long what a run adds to the stores is counted: nothing deletes it."""
WRITES_OF_A_RUN, READS_OF_A_RUN = 20, 20
WRITES_OF_AN_EXPERIMENT = 3
READS_OF_AN_EXPERIMENT = 3
REQUESTS_OF_A_JOB = 20
"""Reads of its objects, and as many writes."""
READS_OF_A_LOOK, LISTS_OF_A_LOOK = 6, 1
"""Requests of the supervisor for a model, each time: docs/reliability.md."""
CAPTURE_BYTES = 200
"""What is always kept of a request: counts and durations."""


def said() -> Iterator[str]:
    """Yield these assumptions in words."""
    yield f"{LOG_BYTES:,} bytes of logs for a call, {CAPTURE_BYTES} bytes of a capture for a request"
    yield (
        f"what a run adds to the stores is kept for {KEPT_MONTHS} months,"
        f" {MODEL_BYTES / 1e6:g} MB for an experiment among it"
    )
