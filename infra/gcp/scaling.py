"""Profiles on Cloud Run functions.

    eco       each instance answers one request at a time, on the share of a processor that its memory brings
    balanced  an instance is shared by several callers, on a whole processor: a burst starts fewer of them
    latency   as balanced, and `minimum` instances wait at any time

More processor while an instance starts ("startup CPU boost") is in none of them: every function
has it, and the API of Cloud Run functions, unlike that of Cloud Run, leaves no choice.
Nothing here keeps `hours`: an identity that may change a function's minimum may change all of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from infra.scaling import SHARED, Eco, Latency
from infra.vocabulary import FunctionArgs

MEMORY_MB: Mapping[int, int] = {1: 4096, 2: 8192, 4: 16_384}
"""The most memory that so many processors can have. A shared instance needs a whole one: "If you use less than 1 CPU
[...] Maximum concurrency must be set to 1" (https://cloud.google.com/run/docs/configuring/services/cpu)."""


@dataclass(frozen=True, kw_only=True)
class Capacity:
    """How many instances there may be, and what each is."""

    maximum: int
    minimum: int = 0
    requests: int = 1
    """How many one instance answers at once."""
    processors: int | None = None
    """None: as many as the memory brings."""
    environment: Mapping[str, str] = field(default_factory=dict)


def capacity(args: FunctionArgs) -> Capacity:
    """Return instances for at most `concurrency` requests at once, however they are shared."""
    if isinstance(args.scaling, Eco):
        return Capacity(maximum=args.concurrency)
    requests = min(SHARED, args.concurrency)
    return Capacity(
        maximum=args.concurrency // requests,
        minimum=args.scaling.minimum if isinstance(args.scaling, Latency) else 0,
        requests=requests,
        processors=next(count for count, memory in MEMORY_MB.items() if args.memory_mb <= memory),
        # The server of functions-framework starts this many threads, else four for each processor.
        environment={"THREADS": str(requests)},
    )
