"""What a test puts into the registry and the captures of the staged stack."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from functions.core.registry.captures import folder
from functions.core.registry.pointer import Pointer, promote_first
from functions.core.storage.objects import canonical
from tests.sml.staged import MODEL, Staged

METRICS = {
    "holdout": {"roc_auc": 0.9, "log_loss": 0.3},
    "holdout_intervals": {"roc_auc": [0.82, 0.95]},
    "cross_validation": {"roc_auc": {"mean": 0.8, "std": 0.1}},
}


def live(staged: Staged, pointer: Pointer, model: str = MODEL) -> None:
    staged.registry.put_json(f"{model}/live.json", pointer.document())


def version(staged: Staged, name: str, **facts: Any) -> None:
    card = {"version": name, "created": "2026-11-01T00:00:00+00:00", "run": "aa01", "metrics": METRICS, **facts}
    staged.registry.put_json(f"{MODEL}/versions/{name}/card.json", card)


def first(now: float = 0.0) -> Pointer:
    return promote_first(Pointer(), "v1", "aa01", now)


def capture(staged: Staged, at: float, **facts: Any) -> None:
    record = {"time": at, "model": MODEL, "request": f"r{at}", "caller": "c", "status": 200, "rows": 2, **facts}
    key = f"{folder(MODEL, at)}/{datetime.fromtimestamp(at, UTC):%M%S}-{at:.3f}.jsonl"
    staged.stores["s3://captures-1"].put(key, canonical(record) + b"\n{cut off")
