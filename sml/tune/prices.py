"""What a second costs and emits at each size: looked up by a process of its own, for the tariffs belong to infra/."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from interface.meter import Meter
from sml.here import ROOT
from sml.mistake import Mistake
from sml.tune.measured import Size

if TYPE_CHECKING:
    from sml.tune.trial import Deployed

PATIENCE_SECONDS = 120


def sizes_of(cloud: str, region: str, deployed: Deployed, memory_mb: Sequence[int]) -> list[Size]:
    """Return the sizes with what each brings and costs. Raise `Mistake` where nobody can tell."""
    profile = "balanced" if deployed.shared else "eco"
    asked = [cloud, region, deployed.architecture, profile, *map(str, memory_mb)]
    command = [sys.executable, "-m", "infra.estimate.meters", *asked]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS)
    if told.returncode:
        last = told.stderr.strip().splitlines()[-1:] or ["it said nothing"]
        raise Mistake(f"the tariffs of {cloud} cannot be read: {last[0]}")
    found = json.loads(told.stdout)
    return [_size(size, found[str(size)]) for size in memory_mb]


def _size(memory_mb: int, facts: dict[str, object]) -> Size:
    meter = facts["meter"]
    return Size(
        memory_mb=memory_mb,
        processors=float(str(facts["processors"])),
        meter=Meter(**meter) if isinstance(meter, dict) else None,
    )
