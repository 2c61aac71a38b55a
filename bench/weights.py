"""Cold starts with larger and with real models: whole processes that make one prediction."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from bench import subject
from bench.cold import PEERS
from bench.environments import ROOT, interpreter
from bench.measure import Measure, in_turn
from bench.models import dense
from bench.row import Missing, Row
from bench.runtime_api import ended

GROUP = "binding, weights shipped in the archive, whole process"
OURS, REFERENCE, AGAIN = "our binding", "numpy + onnxruntime", "numpy + onnxruntime, again"
MAGIKA = ROOT / ".local" / "samples" / "magika" / "models" / "standard_v3_3" / "model.onnx"
MAGIKA_BYTES = 2048


def rows(workspace: Path, *, rounds: int, quick: bool, say: Callable[[str], None]) -> Iterator[Row | Missing]:
    large = workspace / "dense.onnx"
    large.write_bytes(dense(25 if quick else 100))
    yield from _model(f"{25 if quick else 100} MB of weights", large, subject.WIDTH, rounds, say)
    if not MAGIKA.exists():
        yield Missing(group=GROUP, name="Magika", reason=f"{MAGIKA.relative_to(ROOT)} does not exist")
        return
    real = workspace / "magika.onnx"
    real.write_bytes(MAGIKA.read_bytes())
    yield from _model("Magika, a real model of 3 MB", real, MAGIKA_BYTES, rounds, say)


def _model(name: str, model: Path, columns: int, rounds: int, say: Callable[[str], None]) -> Iterator[Row]:
    reference = plain_process(model, columns)
    measured = in_turn(
        {
            OURS: ours(model, columns),
            REFERENCE: reference,
            AGAIN: reference,
        },
        rounds=rounds,
        say=say,
    )
    control = measured.ratios(AGAIN, REFERENCE).median
    yield Row(
        group=GROUP,
        name=f"{name}, the file as it is",
        against=REFERENCE,
        figure=measured.ratios(OURS, REFERENCE),
        target=None,
        value=measured.values(OURS).times(1000),
        control=control,
    )


def ours(model: Path, columns: int) -> Measure:
    """Return a measure of the binding alone, from the predict function's archive."""
    command = [sys.executable, "-I", "-S", str(ROOT / "bench" / "binding.py"), str(subject.unpacked())]
    return lambda: ended([*command, str(model), str(columns)])


def plain_process(model: Path, columns: int) -> Measure:
    command = [str(interpreter("plain")), str(PEERS / "session.py"), str(model), str(columns)]
    return lambda: ended(command)
