"""Tables in bulk: prepare and jobs, against scripts of polars, numpy and onnxruntime that do the same work."""

from __future__ import annotations

import shutil
import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from bench import files, subject
from bench.environments import ROOT, interpreter
from bench.measure import Measure, Rounds, Sample, Spread, cpu, in_turn, wall
from bench.process_tree import watched
from bench.row import Row
from bench.runtime_api import ended
from interface import layout
from models.contract import Contract

GROUP = "tables in bulk"
OURS, AGAIN = "ours", "the script, again"
PREPARING, ANSWERING = "polars + numpy", "polars + onnxruntime"
ONE, FOUR = "one worker", "four workers"
PEERS = ROOT / "bench" / "peers"
WIDTH = 30


def rows(workspace: Path, *, rounds: int, quick: bool, say: Callable[[str], None]) -> Iterator[Row]:
    count = 100_000 if quick else 500_000
    python = str(interpreter("tables"))
    incoming = workspace / "data" / files.MODEL / layout.INCOMING
    incoming.mkdir(parents=True)
    _make(python, incoming, count)
    subject.registered(workspace / "models")
    (workspace / "model.onnx").write_bytes(subject.tabular())
    measured = _measured(workspace, python, incoming, count, rounds, say)
    # What every process costs once counts for more among fewer rows than the targets are meant for.
    yield from (replace(row, target=None) for row in measured) if quick else measured


def _measured(
    workspace: Path, python: str, incoming: Path, count: int, rounds: int, say: Callable[[str], None]
) -> Iterator[Row]:
    for kind in ("csv", "parquet"):
        yield _prepared(workspace, python, incoming / f"rows.{kind}", f"{count:,} x {WIDTH}", rounds, say)
    yield _memory(workspace, incoming / "rows.csv", f"{count:,} x {WIDTH}", min(rounds, 3))
    yield _answered(workspace, python, incoming / "rows.csv", f"{count:,} x {WIDTH}", rounds, say)
    yield _shared(workspace, python, count * 2, rounds, say)


def _make(python: str, folder: Path, count: int) -> None:
    names = [feature.name for feature in Contract.load(files.MODEL).features]
    ended([python, str(PEERS / "make_table.py"), str(folder), str(count), *names])


def _prepared(workspace: Path, python: str, file: Path, name: str, rounds: int, say: Callable[[str], None]) -> Row:
    bare = [python, str(PEERS / "prepare_bare.py"), str(file), str(workspace)]
    measured = in_turn(
        {
            OURS: lambda: ended(_prepare(workspace, file), cwd=ROOT),
            PREPARING: lambda: ended(bare),
            AGAIN: lambda: ended(bare),
        },
        rounds=rounds,
        say=say,
    )
    kind = {".csv": "CSV", ".parquet": "Parquet"}[file.suffix]
    return _row(measured, f"prepare, {kind} of {name}, processor time", PREPARING, 3.0)


def _prepare(workspace: Path, file: Path) -> list[str]:
    key = f"{files.MODEL}/{layout.INCOMING}{file.name}"
    return [sys.executable, "-m", "bench.prepare_ours", str(workspace), key]


def _memory(workspace: Path, file: Path, name: str, rounds: int) -> Row:
    """Compare the memory of all processes of prepare with the size of the file."""
    size = file.stat().st_size / 2**20
    held = Spread.of([watched(_prepare(workspace, file), cwd=ROOT).peak_mib for _ in range(rounds)])
    return Row(
        group=GROUP,
        name=f"prepare, CSV of {name}, peak memory",
        against="the file's size",
        figure=held.times(1 / size),
        target=3.0,
        value=held,
        value_unit="MiB",
    )


def _answered(workspace: Path, python: str, file: Path, name: str, rounds: int, say: Callable[[str], None]) -> Row:
    bare = [python, str(PEERS / "job_bare.py"), str(file), str(workspace / "model.onnx"), str(workspace / "out.jsonl")]
    measured = in_turn(
        {OURS: _job(workspace, file, workers=1), ANSWERING: lambda: ended(bare), AGAIN: lambda: ended(bare)},
        rounds=rounds,
        say=say,
    )
    return _row(measured, f"job, CSV of {name}, JSON Lines out, one worker, processor time", ANSWERING, 2.5)


def _job(workspace: Path, file: Path, *, workers: int) -> Measure:
    """Return a measure of a job, each time one of its own."""
    inputs = workspace / "jobs" / files.MODEL / layout.JOB_INPUTS
    inputs.mkdir(parents=True, exist_ok=True)

    def measure() -> Sample:
        name = f"{uuid.uuid4().hex}.csv"
        shutil.copyfile(file, inputs / name)
        key = f"{files.MODEL}/{layout.JOB_INPUTS}{name}"
        sample = ended([sys.executable, "-m", "bench.job_ours", str(workspace), key, str(workers)], cwd=ROOT)
        result = workspace / "jobs" / files.MODEL / layout.JOB_RESULTS / f"{name}.jsonl"
        if not result.exists():
            raise RuntimeError(f"{name} has no result")
        result.unlink()
        (inputs / name).unlink()
        return sample

    return measure


def _shared(workspace: Path, python: str, count: int, rounds: int, say: Callable[[str], None]) -> Row:
    folder = workspace / "million"
    folder.mkdir()
    _make(python, folder, count)
    file = folder / "rows.csv"
    one = _job(workspace, file, workers=1)
    measured = in_turn({FOUR: _job(workspace, file, workers=4), ONE: one}, rounds=rounds, say=say)
    return Row(
        group=GROUP,
        name=f"job of {count:,} rows with 4 workers on 2 cores, time",
        against=ONE,
        figure=measured.ratios(FOUR, ONE, wall),
        target=0.6,
        value=measured.values(FOUR, wall).times(1000),
    )


def _row(measured: Rounds, name: str, against: str, target: float) -> Row:
    return Row(
        group=GROUP,
        name=name,
        against=against,
        figure=measured.ratios(OURS, against, cpu),
        target=target,
        value=measured.values(OURS, cpu).times(1000),
        control=measured.ratios(AGAIN, against, cpu).median,
    )
