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
"""What so many processors take: https://cloud.google.com/run/docs/configuring/services/cpu. A shared instance
needs a whole one: "If you use less than 1 CPU [...] Maximum concurrency must be set to 1." """


@dataclass(frozen=True, kw_only=True)
class Capacity:
    """What instances there are, and what each is."""

    most: int
    least: int = 0
    requests: int = 1
    """Answered at once by one instance."""
    processors: int | None = None
    """None leaves it to the memory."""
    environment: Mapping[str, str] = field(default_factory=dict)


def capacity(args: FunctionArgs) -> Capacity:
    """For at most `concurrency` requests at once, however instances are shared."""
    if isinstance(args.scaling, Eco):
        return Capacity(most=args.concurrency)
    requests = min(SHARED, args.concurrency)
    return Capacity(
        most=args.concurrency // requests,
        least=args.scaling.minimum if isinstance(args.scaling, Latency) else 0,
        requests=requests,
        processors=next(count for count, memory in MEMORY_MB.items() if args.memory_mb <= memory),
        # The server of functions-framework has as many threads as it is told, else four for each processor it sees.
        environment={"THREADS": str(requests)},
    )
