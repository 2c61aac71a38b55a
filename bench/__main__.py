"""`python -m bench [--quick] [--only GROUP ...]`: compare ours with its peers; every figure is of one run."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from rich.console import Console

from bench import report
from bench.environments import FOLDER, ROOT
from bench.row import Missing, Row
from infra.processor import here, kernel

SUITES = {
    "cold": (12, 3),
    "floor": (12, 4),
    "weights": (8, 2),
    "framework": (8, 2),
    "fetch": (8, 2),
    "warm": (15, 5),
    "metering": (15, 5),
    "tracing": (15, 5),
    "watching": (7, 3),
    "questions": (5, 2),
    "hostile": (15, 5),
    "size": (1, 1),
    "graph": (10, 3),
    "training": (5, 1),
    "experiments": (3, 1),
    "search": (1, 1),
    "tables": (5, 1),
}
"""Modules of this package in the order of the table, each with its number of rounds: full and quick."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table and write `.local/bench.json`; with `--write` also docs/benchmarks.md and its chart.

    Return 0 when everything was measured, also when a target is missed; 1 when a peer or a suite
    could not be measured: the table says which.
    """
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds, without the slowest peers")
    parser.add_argument("--only", nargs="+", choices=sorted(SUITES), help="these suites alone")
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md and docs/benchmarks.svg")
    options = parser.parse_args(arguments)
    os.environ.update(kernel(here()))
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 150)
    began = time.monotonic()
    chosen = [name for name in SUITES if not options.only or name in options.only]
    rows = list(_measured(chosen, quick=options.quick, console=console))
    document = report.document(rows)
    FOLDER.parent.mkdir(exist_ok=True)
    (FOLDER.parent / "bench.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    console.print(report.table(rows))
    if options.write:
        report.write(document, ROOT / "docs")
    console.print(f"measured in {time.monotonic() - began:.0f} s; the same in .local/bench.json")
    return int(any(isinstance(row, Missing) for row in rows))


def _measured(suites: Sequence[str], *, quick: bool, console: Console) -> Iterator[Row | Missing]:
    for name in suites:
        rounds = SUITES[name][quick]
        with tempfile.TemporaryDirectory(dir=_folder()) as workspace, console.status(name) as status:
            say = _progress(name, console, status.update)
            try:
                rows = importlib.import_module(f"bench.{name}").rows
                yield from rows(Path(workspace), rounds=rounds, quick=quick, say=say)
            except Exception as problem:  # the other suites must be measured when one fails
                yield Missing(group=name, name=name, reason=f"{type(problem).__name__}: {problem}"[:500])


def _folder() -> Path:
    FOLDER.mkdir(parents=True, exist_ok=True)
    return FOLDER


def _progress(name: str, console: Console, update: Callable[[str], None]) -> Callable[[str], None]:
    """Return a function that shows progress: one line that is rewritten at a terminal, else a line every 15 seconds."""
    last = time.monotonic()

    def say(text: str) -> None:
        nonlocal last
        if console.is_terminal:
            update(f"{name}: {text}")
        elif time.monotonic() - last > 15:
            last = time.monotonic()
            console.print(f"{name}: {text} ...")

    return say


if __name__ == "__main__":
    sys.exit(main())
