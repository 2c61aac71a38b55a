from __future__ import annotations

from typing import Any

from functions.core.selection.candidate import rank


def record(name: str, mean: float, size: int = 100) -> dict[str, Any]:
    metrics = {"roc_auc": {"mean": mean, "std": 0.1}, "log_loss": {"mean": mean, "std": 0.1}}
    seconds = {"fit": 1.0, "export": 0.5}
    return {"id": name, "params": {}, "status": "succeeded", "metrics": metrics, "bytes": size, "seconds": seconds}


def failed(name: str) -> dict[str, Any]:
    return {"id": name, "params": {"C": 1}, "status": "failed", "error": "ValueError: no", "seconds": {"total": 1}}


def order(records: list[dict[str, Any]], metric: str = "roc_auc") -> list[str]:
    return [line["id"] for line in rank(records, metric)]


def test_the_best_comes_first() -> None:
    records = [record("e0", 0.8), record("e1", 0.9), record("e2", 0.7)]
    assert order(records) == ["e1", "e0", "e2"]
    assert order(records, "log_loss") == ["e2", "e0", "e1"]


def test_of_equals_the_smaller_comes_first_then_the_earlier() -> None:
    records = [record("e0", 0.9, 200), record("e1", 0.9, 100), record("e2", 0.9, 200), record("e10", 0.9, 100)]
    assert order(records) == ["e1", "e10", "e0", "e2"]


def test_failed_experiments_come_last_with_their_message() -> None:
    board = rank([failed("e0"), record("e1", 0.1)], "roc_auc")
    assert [line["id"] for line in board] == ["e1", "e0"]
    assert board[1] == {"id": "e0", "params": {"C": 1}, "status": "failed", "error": "ValueError: no", "trace": []}
    assert board[0]["seconds"] == 1.5
