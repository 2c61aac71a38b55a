"""The blueprint under Pulumi's mocks, against a bare script that declares the same resources."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.environments import ROOT
from bench.measure import in_turn
from bench.row import Row
from bench.runtime_api import ended

GROUP = "resource graph"
OURS, BARE, AGAIN = "the drawing", "a bare script", "a bare script, again"


def rows(workspace: Path, *, rounds: int, quick: bool, say: Callable[[str], None]) -> Iterator[Row]:
    script = workspace / "bare.py"
    ours = [sys.executable, "-m", "bench.graph_ours"]
    ended([*ours, "--bare", str(script)], cwd=ROOT)
    bare = [sys.executable, str(script)]
    measured = in_turn(
        {
            OURS: lambda: ended(ours, cwd=ROOT),
            BARE: lambda: ended(bare, cwd=workspace),
            AGAIN: lambda: ended(bare, cwd=workspace),
        },
        rounds=rounds,
        say=say,
    )
    count = script.read_text(encoding="utf-8").count("    aws.")
    yield Row(
        group=GROUP,
        name=f"{count} AWS resources, whole process",
        against="the same resources in a bare script",
        figure=measured.ratios(OURS, BARE),
        target=1.05,
        value=measured.values(OURS).times(1000),
        control=measured.ratios(AGAIN, BARE).median,
    )
