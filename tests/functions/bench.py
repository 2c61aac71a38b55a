"""The training workflow in memory: a small model, stores, and the three steps over them."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from functions.core.dataset import read_here
from functions.core.dataset.hold import Hold
from functions.core.dataset.prepare import Preparation
from functions.core.registry.versions import Registry
from functions.core.runtime.log import Log
from functions.core.selection.select import Selection
from functions.core.storage.objects import Objects
from functions.core.training.apart import Attempt, attempt_here
from functions.core.training.limits import UNBOUNDED, Function
from functions.core.training.train import Trainer
from models.contract import Contract

MODEL = "fruit"
NO_LATENCY: dict[str, Any] = {"maximum_latency_ms": 600_000}
"""A bound of a gate that no machine exceeds, however busy it is: longer than a test may take."""
AT = "2026-01-02T03:04:05+00:00"
CONTRACT: dict[str, Any] = {
    "name": MODEL,
    "task": "classification",
    "description": "Is it ripe? <script>alert(1)</script>",
    "features": [
        {"name": "size", "minimum": 0, "maximum": 100},
        {"name": "weight"},
        {"name": "colour", "kind": "category", "categories": ["green", "red"]},
    ],
    "target": {"name": "ripe", "classes": ["no", "yes"]},
    "quality": {"minimum_rows": 20, "maximum_rejected_share": 0.1},
    "search": {"families": [{"ridge": [0.1, 10.0]}], "folds": 3, "seed": 1},
    "gate": {"minimum": 0.8, "slices": [{"feature": "colour", "category": "red", "at_least": 0.6}], **NO_LATENCY},
}
TRAINING = '''
"""Ridge regression on the signs of the classes: a model that needs neither scikit-learn nor its converter."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper


class Linear:
    def __init__(self, weights):
        self.weights = weights.astype(np.float32)

    def predict_proba(self, x):
        margin = np.column_stack([x, np.ones(len(x), dtype=np.float32)]) @ self.weights
        positive = 1 / (1 + np.exp(-margin))
        return np.column_stack([1 - positive, positive])


def fit(X, y, params):
    if params.get("fails"):
        raise ValueError("there is no such penalty")
    a = np.column_stack([X, np.ones(len(X))]).astype(np.float64)
    gram = a.T @ a + params["ridge"] * np.eye(a.shape[1])
    return Linear(np.linalg.solve(gram, a.T @ (2.0 * y - 1)) * params.get("sign", 1))


def export(estimator):
    w = estimator.weights
    constants = {"w": w[:-1, None], "b": w[-1:], "one": np.ones(1, dtype=np.float32)}
    nodes = [
        helper.make_node("MatMul", ["features", "w"], ["product"]),
        helper.make_node("Add", ["product", "b"], ["margin"]),
        helper.make_node("Sigmoid", ["margin"], ["yes"]),
        helper.make_node("Sub", ["one", "yes"], ["no"]),
        helper.make_node("Concat", ["no", "yes"], ["probabilities"], axis=1),
        helper.make_node("ArgMax", ["probabilities"], ["label"], axis=1, keepdims=0),
    ]
    graph = helper.make_graph(
        nodes,
        "linear",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, [None, len(w) - 1])],
        [
            helper.make_tensor_value_info("label", TensorProto.INT64, [None]),
            helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [None, 2]),
        ],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    return model.SerializeToString(deterministic=True)
'''


def contract(**changes: Any) -> Contract:
    """Return the contract of the model, with some keys of its sections changed."""
    return Contract.parse(merged(**changes), "model.yaml")


def merged(base: dict[str, Any] = CONTRACT, **changes: Any) -> dict[str, Any]:
    return base | {
        key: {**base.get(key, {}), **change} if isinstance(change, dict) else change for key, change in changes.items()
    }


def rows(count: int = 90) -> list[list[Any]]:
    """Return different rows: ripe fruit is large, weight means nothing, every third is red."""
    fruit = []
    for i in range(count):
        ripe = i % 2 == 0
        size = 30 + 17 * ripe + (i * 7) % 23 + i / 1000
        fruit.append([round(size, 3), (i * 5) % 13 - 6, "red" if i % 3 == 0 else "green", "yes" if ripe else "no"])
    return fruit


def csv(
    content: list[list[Any]] | None = None,
    header: tuple[str, ...] = ("size", "weight", "colour", "ripe"),
    *,
    delimiter: str = ",",
    end: str = "\n",
) -> bytes:
    lines = [header, *(rows() if content is None else content)]
    return "".join(delimiter.join(map(str, line)) + end for line in lines).encode()


@dataclass(kw_only=True)
class Bench:
    """The three steps, with stores in memory and the model's folder in a temporary folder."""

    folder: Path
    base: dict[str, Any] = field(default_factory=lambda: CONTRACT)
    """The contract of the model before changes."""
    data: Objects = field(default_factory=Objects.in_memory)
    models: Objects = field(default_factory=Objects.in_memory)
    log: io.StringIO = field(default_factory=io.StringIO)
    hold: Hold | None = None
    function: Function = UNBOUNDED
    attempt: Attempt = attempt_here
    """Does the work of an experiment: a unit test starts no process."""

    def write_model(self, training: str = TRAINING, **changes: Any) -> None:
        folder = self.folder / MODEL
        folder.mkdir(exist_ok=True)
        (folder / "model.yaml").write_text(yaml.safe_dump(merged(self.base, **changes)), encoding="utf-8")
        (folder / "training.py").write_text(training, encoding="utf-8")

    def upload(self, data: bytes, name: str = "fruit.csv") -> dict[str, str]:
        """Upload a file as users do, and return the workflow's input for its arrival."""
        key = f"{MODEL}/incoming/{name}"
        self.data.put(key, data)
        return {"source": key}

    def prepare(self, request: dict[str, str], execution: str = "first") -> dict[str, Any]:
        step = Preparation(
            data=self.data,
            models=self.models,
            execution=execution,
            at=AT,
            folder=self.folder,
            read_rows=read_here.open_rows,
            log=Log(stream=self.log),
            hold=self.hold,
        )
        return step(request)

    def train(self, run: str, experiment: str, in_round: int | None = None) -> dict[str, Any]:
        step = Trainer(
            data=self.data,
            models=self.models,
            log=Log(stream=self.log),
            folder=self.folder,
            function=self.function,
            attempt=self.attempt,
        )
        return step(MODEL, run, experiment, in_round)

    def select(self, run: str, in_round: int | None = None) -> dict[str, Any]:
        return Selection(data=self.data, models=self.models, at=AT, folder=self.folder)(MODEL, run, in_round)

    def run_through(self, data: bytes) -> tuple[str, dict[str, Any]]:
        """Upload, prepare, train and select; return the run and the answer of select."""
        answer = self.prepare(self.upload(data))
        assert answer["status"] == "accepted", self.record(answer["run"])
        for experiment in answer["experiments"]:
            self.train(answer["run"], experiment)
        return answer["run"], self.select(answer["run"])

    def record(self, run: str) -> dict[str, Any]:
        record = self.registry.read_run(run)
        assert record is not None
        return record

    @property
    def registry(self) -> Registry:
        return Registry(self.models, MODEL)
