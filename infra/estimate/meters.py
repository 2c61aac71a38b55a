"""Prints the meters of one function at several sizes, as JSON by size: `sml tune`, which imports nothing here, asks.

    python -m infra.estimate.meters CLOUD REGION ARCHITECTURE PROFILE MEMORY_MB...     PROFILE: eco or balanced

Of each size `processors` says how much of a processor it brings; `meter` is None where the region has no price.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

from infra.clouds import find
from infra.estimate.meter import meter
from infra.estimate.served import Served
from infra.scaling import Balanced, Eco

PROFILES = {"eco": Eco(), "balanced": Balanced()}


def meters(cloud: str, region: str, architecture: str, profile: str, sizes: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Return meter and processors by size, in MB. Raise `LookupError` for a cloud that bills no seconds."""
    charges = find(cloud).charges
    if charges is None:
        raise LookupError(f"nobody has read what {cloud} bills")
    found = {}
    for memory_mb in sizes:
        chosen = PROFILES[profile]
        second = charges.second(Served(memory_mb=memory_mb, architecture=architecture, profile=chosen))
        one = meter(cloud, region, architecture, memory_mb, chosen)
        processors = sum(use.demand.reserved for use in second.uses)
        found[memory_mb] = {"processors": processors, "meter": None if one is None else one._asdict()}
    return found


if __name__ == "__main__":
    where, place, kind, scaling, *numbers = sys.argv[1:]
    print(json.dumps(meters(where, place, kind, scaling, [int(number) for number in numbers])))
