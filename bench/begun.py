"""A run that has begun: its model, its dataset and its plan, as the steps before training leave them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from functions.core.dataset.dataset import Dataset
from functions.core.dataset.rounds import shares_of
from functions.core.registry.plan import WHOLE, Plan
from functions.core.registry.versions import Registry
from functions.core.storage.objects import Objects
from models.contract import Contract

MODEL, RUN = "bench", "0123456789abcdef"
RECORD = {"run": RUN, "model": MODEL, "dataset": "cases", "created": "", "status": "training"}


def begin(
    folder: Path, data: Objects, models: Objects, *, cases: Path, training: str, search: Mapping[str, Any]
) -> tuple[Contract, Sequence[float]]:
    """Write a model of 30 numbers and two classes into `folder`, and a run of it into the stores.

    `cases` is a .npz file of a dataset. Return the contract, and the share of the rows in each round.
    """
    document = {
        "name": MODEL,
        "task": "classification",
        "features": [{"name": f"x{at}"} for at in range(30)],
        "target": {"name": "y", "classes": ["no", "yes"]},
        "search": search,
        "gate": {"minimum": 0.5},
    }
    (folder / MODEL).mkdir()
    (folder / MODEL / "model.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    (folder / MODEL / "training.py").write_text(training, encoding="utf-8")
    contract, content = Contract.load(MODEL, folder), cases.read_bytes()
    data.put(f"{MODEL}/datasets/cases/data.npz", content)
    halves = contract.search.method == "halving"
    shares = shares_of(contract.search, Dataset.from_bytes(content)) if halves else WHOLE
    registry = Registry(models, MODEL)
    models.put_json(registry.run_key(RUN, "plan.json"), Plan.of(contract.search.experiments(), shares).document())
    registry.write_run(RUN, RECORD)
    return contract, shares
