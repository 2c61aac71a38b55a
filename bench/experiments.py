"""A run of many experiments: the time of its workers beside joblib's, on the same two processors."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np

from bench.environments import ROOT
from bench.measure import in_turn, wall
from bench.row import Row
from bench.runtime_api import ended
from functions.core.dataset.dataset import Dataset

GROUP = "a run of 20 experiments, 5 folds, 2 workers"
OURS, JOBLIB, AGAIN = "a run", "GridSearchCV with joblib", "GridSearchCV with joblib, again"
WIDTH = 30


def make_cases(ours: Path, plain: Path, count: int) -> None:
    """Write `count` rows of 30 numbers with a noisy class, as a dataset and as arrays; a sixth is the holdout."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(count, WIDTH)).astype(np.float32)
    y = (x[:, 0] * x[:, 1] + x[:, 2:8].sum(axis=1) / 2 + rng.normal(size=count) > 0).astype(np.int64)
    fold = (np.arange(count) % 6 - 1).astype(np.int8)
    ours.write_bytes(Dataset(x=x, y=y, fold=fold).to_bytes())
    np.savez(plain, x=x, y=y, fold=fold)


def rows(workspace: Path, *, rounds: int, quick: bool, say: Callable[[str], None]) -> Iterator[Row]:
    count = 10_000 if quick else 50_000
    cases, plain = workspace / "cases.npz", workspace / "plain.npz"
    make_cases(cases, plain, count)
    bare = [sys.executable, str(ROOT / "bench" / "peers" / "grid_joblib.py"), str(plain)]
    ours = [sys.executable, "-m", "bench.run_ours", str(cases)]
    variants = {OURS: ours, JOBLIB: bare, AGAIN: bare}
    # Two workers have two processors: each is held to one thread.
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    measured = in_turn(
        {name: partial(ended, command, env=env, cwd=ROOT) for name, command in variants.items()},
        rounds=rounds,
        say=say,
    )
    yield Row(
        group=GROUP,
        name=f"{count:,} x {WIDTH}",
        against=JOBLIB,
        figure=measured.ratios(OURS, JOBLIB, wall),
        target=1.3,
        value=measured.values(OURS, wall),
        value_unit="s",
        control=measured.ratios(AGAIN, JOBLIB, wall).median,
    )
