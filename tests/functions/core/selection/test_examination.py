from __future__ import annotations

from pathlib import Path

from functions.core.selection.examination import examined
from tests.functions.bring_your_own import MODEL, Bench, pair, picky


def test_a_folder_is_examined_without_its_latency(tmp_path: Path) -> None:
    bench = Bench(folder=tmp_path)
    bench.describe(gate={"maximum_latency_ms": 1e-9})
    (tmp_path / MODEL / "model.onnx").write_bytes(pair())
    found = examined(MODEL, tmp_path)
    assert found["model"] == MODEL
    assert {check["name"]: check["passed"] for check in found["checks"]} == {
        "bytes": True, "opens": True, "answers": True, "answers the same again": True,
    }  # fmt: skip


def test_what_admission_would_refuse_is_found(tmp_path: Path) -> None:
    Bench(folder=tmp_path).describe()
    (tmp_path / MODEL / "model.onnx").write_bytes(picky())
    [failed] = [check for check in examined(MODEL, tmp_path)["checks"] if not check["passed"]]
    assert failed["name"] == "answers"
    assert "put golden.json next to it" in failed["detail"]
