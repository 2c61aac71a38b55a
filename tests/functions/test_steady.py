"""What a warm function does for days."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.functions.serving import model_bytes

ROOT = Path(__file__).parents[2]
DAYS = """
import resource, sys
from pathlib import Path
from functions.core.onnx import ModelFailure, Session
from functions.core.tensor import Tensor

model = Path(sys.argv[1]).read_bytes()
session = Session(model)
good = {"X": Tensor.of("FP32", (2, 2), [1.0, 9.0, 9.0, 1.0])}
bad = {"X": Tensor.of("FP32", (1, 2), [500.0, 1.0])}

def live(runs):
    for _ in range(runs):
        session.run(good)
    for _ in range(runs // 20):
        try:
            session.run(bad)
        except ModelFailure:
            continue
        raise SystemExit("it did not fail")
    for _ in range(runs // 500):
        Session(model).run(good)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

before = live(10_000)
print(live(100_000) - before)
"""


def test_a_hundred_thousand_runs_take_no_more_memory_than_ten_thousand(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(model_bytes(fails=True))
    command = [sys.executable, "-c", DAYS, str(tmp_path / "model.onnx")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    grown = int(done.stdout) * (1 if sys.platform == "darwin" else 1024)
    # Two bytes lost in every tenth run would be seen.
    assert grown < 1_000_000
