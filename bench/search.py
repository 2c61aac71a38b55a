"""Searching: what successive halving saves of a full grid, and what it finds."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from bench.environments import ROOT
from bench.measure import Sample, Spread, cpu, in_turn
from bench.row import Row
from bench.runtime_api import ended
from functions.core.dataset.dataset import Dataset

GROUP = "search of 81 experiments"
OURS, GRID = "successive halving", "the full grid"
WIDTH = 30


def make_cases(path: Path, count: int) -> None:
    """Write `count` rows of 30 numbers, and a class that depends on some of them together; three folds."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(count, WIDTH)).astype(np.float32)
    signal = x[:, 0] * x[:, 1] + np.abs(x[:, 2]) + x[:, 3:8].sum(axis=1) / 2
    y = (signal + rng.normal(size=count) > 0.8).astype(np.int64)
    fold = np.where(np.arange(count) % 5 == 0, -1, np.arange(count) % 3).astype(np.int8)
    path.write_bytes(Dataset(x=x, y=y, fold=fold).to_bytes())


def rows(workspace: Path, *, rounds: int, quick: bool, say: Callable[[str], None]) -> Iterator[Row]:
    count = 8_000 if quick else 40_000
    cases = workspace / "cases.npz"
    make_cases(cases, count)

    def searched(method: str) -> Callable[[], Sample]:
        command = [sys.executable, "-m", "bench.search_ours", method, str(cases), str(workspace / f"{method}.json")]
        return lambda: ended(command, cwd=ROOT)

    measured = in_turn({OURS: searched("halving"), GRID: searched("grid")}, rounds=rounds, say=say)
    yield Row(
        group=GROUP,
        name=f"{count:,} x {WIDTH}, processor time",
        against=GRID,
        figure=measured.ratios(OURS, GRID, cpu),
        target=0.4,
        value=measured.values(OURS, cpu),
        value_unit="s",
    )
    halved, whole = (json.loads((workspace / f"{name}.json").read_text()) for name in ("halving", "grid"))
    yield Row(
        group=GROUP,
        name=f"{count:,} x {WIDTH}, how much worse its best is",
        against=GRID,
        figure=Spread.of([(whole["mean"] - halved["mean"]) / whole["error"]]),
        unit="standard errors",
        target=1.0,
    )
