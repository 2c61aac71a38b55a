"""What a warm function does for days."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.functions.graphs import PEAK
from tests.functions.serving import model_bytes
from tests.root import ROOT

pytestmark = pytest.mark.integration

DAYS = """
from pathlib import Path
from functions.core.onnx.session import ModelFailure, Session
from functions.core.onnx.tensor import Tensor

model = Path(sys.argv[1]).read_bytes()
session = Session(model)
good = {"X": Tensor.of("FP32", (2, 2), [1.0, 9.0, 9.0, 1.0])}
bad = {"X": Tensor.of("FP32", (1, 2), [500.0, 1.0])}

def answer(runs):
    for run in range(runs):
        session.run(good)
        if run % 20 == 0:
            try:
                session.run(bad)
            except ModelFailure:
                continue
            raise SystemExit("it did not fail")
    return peak()

def open_and_close(sessions):
    for _ in range(sessions):
        Session(model).run(good)
    return peak()

for what, many in ((answer, 25_000), (open_and_close, 100)):
    peaks = [what(many) for _ in range(5)]
    print(min(after - before for before, after in zip(peaks, peaks[1:])))
"""


def test_a_hundred_thousand_runs_take_no_memory_that_they_keep(tmp_path: Path) -> None:
    """What is lost in every run grows in every quarter of them; what is only warmed up does not."""
    (tmp_path / "model.onnx").write_bytes(model_bytes(fails=True))
    command = [sys.executable, "-c", f"import resource, sys{PEAK}{DAYS}", str(tmp_path / "model.onnx")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    answered, opened = map(int, done.stdout.split())
    assert answered < 250_000, "ten bytes were lost in every run"
    assert opened < 2_500_000, "a fifth of every session was lost"
