"""Training at scale: the time and memory that the train function adds to the bare library's fits."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from bench.environments import ROOT
from bench.measure import Rounds, in_turn, peak, wall
from bench.row import Row
from bench.runtime_api import ended

GROUP = "training, cross-validation and export"
OURS, BARE, AGAIN = "train function", "scikit-learn and skl2onnx", "scikit-learn and skl2onnx, again"
WIDTH = 30


def make_cases(path: Path, count: int) -> None:
    """Write `count` rows of 30 numbers with a noisy linear class; a fifth of them is the holdout."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(count, WIDTH)).astype(np.float32)
    y = (x @ rng.normal(size=WIDTH) + rng.normal(scale=3.0, size=count) > 0).astype(np.int64)
    fold = np.where(np.arange(count) % 5 == 0, -1, np.arange(count) % 2).astype(np.int8)
    np.savez(path, x=x, y=y, fold=fold)


def rows(workspace: Path, *, rounds: int, quick: bool, say: Callable[[str], None]) -> Iterator[Row]:
    count = 100_000 if quick else 1_000_000
    cases = workspace / "million.npz"
    make_cases(cases, count)
    bare = [sys.executable, str(ROOT / "bench" / "peers" / "train_bare.py"), str(cases)]
    ours = [sys.executable, "-m", "bench.train_ours", str(cases)]
    measured = in_turn(
        {
            OURS: lambda: ended(ours, cwd=ROOT),
            BARE: lambda: ended(bare, cwd=ROOT),
            AGAIN: lambda: ended(bare, cwd=ROOT),
        },
        rounds=rounds,
        say=say,
    )
    yield _row(measured, f"{count:,} x {WIDTH}, time", 1.03)
    memory = measured.values(OURS, peak)
    yield Row(
        group=GROUP,
        name=f"{count:,} x {WIDTH}, peak memory",
        against=BARE,
        figure=measured.ratios(OURS, BARE, peak),
        target=1.03,
        value=memory,
        value_unit="MiB",
        control=measured.ratios(AGAIN, BARE, peak).median,
    )


def _row(measured: Rounds, name: str, target: float) -> Row:
    value = measured.values(OURS, wall).times(1000)
    figure, control = measured.ratios(OURS, BARE, wall), measured.ratios(AGAIN, BARE, wall).median
    return Row(group=GROUP, name=name, against=BARE, figure=figure, target=target, value=value, control=control)
