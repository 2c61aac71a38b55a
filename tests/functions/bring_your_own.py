"""Bring-your-own models of every kind of signature, and the steps from upload to version, in memory."""

from __future__ import annotations

import json
import random as random_module
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from onnx import NodeProto, TensorProto, helper
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from functions.core.dataset import read_here
from functions.core.dataset.prepare import Preparation
from functions.core.registry.versions import Registry
from functions.core.selection.select import Selection
from functions.core.storage.objects import Objects
from tests.functions import graphs
from tests.functions.bench import AT, NO_LATENCY

MODEL = "pair"
SCORES = {"output": "scores", "classes": ["left", "right"]}
Signature = dict[str, tuple[int, list[int | str | None] | None]]

REAL, WHOLE, TEXT, TRUTH = TensorProto.FLOAT, TensorProto.INT64, TensorProto.STRING, TensorProto.BOOL


def model(
    nodes: list[NodeProto],
    inputs: Signature,
    outputs: Signature,
    producer: str = "",
    weights: Sequence[TensorProto] = (),
) -> bytes:
    def values(signature: Signature) -> list[Any]:
        return [helper.make_tensor_value_info(name, *kind) for name, kind in signature.items()]

    graph = helper.make_graph(nodes, "made", values(inputs), values(outputs), list(weights))
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    proto.producer_name = producer
    return proto.SerializeToString(deterministic=True)


def pair(sign: str = "Sub", producer: str = "") -> bytes:
    """Return a model with three inputs and three outputs: scores [a - b, b - a], the sum, and the texts unchanged.

    With `Add` the scores are [a + b, -a - b]. Another `producer` makes another file with the same outputs.
    """
    other = {"Sub": ["b", "a"], "Add": ["a", "b"]}[sign]
    nodes = [
        helper.make_node(sign, ["a", "b"], ["first"]),
        helper.make_node("Sub", other, ["second"]) if sign == "Sub" else helper.make_node("Neg", ["first"], ["second"]),
        helper.make_node("Concat", ["first", "second"], ["scores"], axis=1),
        helper.make_node("Add", ["a", "b"], ["sum"]),
        helper.make_node("Identity", ["text"], ["said"]),
    ]
    column: list[int | str | None] = ["rows", 1]
    inputs: Signature = {"a": (REAL, column), "b": (REAL, column), "text": (TEXT, ["rows"])}
    return model(
        nodes, inputs, {"scores": (REAL, ["rows", 2]), "sum": (REAL, column), "said": (TEXT, ["rows"])}, producer
    )


def scalars() -> bytes:
    """Return a model without rows: an integer and a boolean in, an integer out."""
    nodes = [
        helper.make_node("Cast", ["yes"], ["one"], to=WHOLE),
        helper.make_node("Add", ["n", "one"], ["next"]),
    ]
    return model(nodes, {"n": (WHOLE, []), "yes": (TRUTH, [])}, {"next": (WHOLE, [])})


def picky() -> bytes:
    """Return a model that takes 5 numbers a row, although its signature declares no length."""
    nodes = [
        helper.make_node("Constant", [], ["shape"], value=helper.make_tensor("s", WHOLE, [2], [-1, 5])),
        helper.make_node("Reshape", ["x", "shape"], ["rows"]),
        helper.make_node("Identity", ["x"], ["y"]),
        helper.make_node("Shape", ["rows"], ["count"]),
    ]
    return model(nodes, {"x": (REAL, [1, "any"])}, {"y": (REAL, [1, "any"]), "count": (WHOLE, [2])})


def endless() -> bytes:
    """Return a model that loops without end on every request."""
    true = helper.make_tensor("true", TRUTH, [], [True])
    nodes = [
        helper.make_node("Constant", [], ["until"], value=true),
        *graphs.endless("x", "y", until="until"),
    ]
    return model(nodes, {"x": (REAL, ["n"])}, {"y": (REAL, ["n"])})


def random() -> bytes:
    """Return a model whose output is never the same twice."""
    nodes = [helper.make_node("RandomUniformLike", ["x"], ["y"])]
    return model(nodes, {"x": (REAL, ["n"])}, {"y": (REAL, ["n"])})


def doubling(shape: list[int | str | None] | None = None) -> bytes:
    """Return a model that doubles what it takes, of any shape where none is given."""
    nodes = [helper.make_node("Add", ["x", "x"], ["y"])]
    return model(nodes, {"x": (REAL, shape)}, {"y": (REAL, shape)})


def halving() -> bytes:
    """Return a model of a needed input, and of one that the file has a value for: x divided by 2."""
    nodes = [helper.make_node("Div", ["x", "by"], ["y"])]
    weights = [helper.make_tensor("by", REAL, [1], [2.0])]
    return model(nodes, {"x": (REAL, ["n"]), "by": (REAL, [1])}, {"y": (REAL, ["n"])}, weights=weights)


def encoder(vocabulary: int = 50, types: int = 2, width: int = 4) -> bytes:
    """Return a small encoder like BERT: tokens, mask and types of one batch and one sequence; a vector for each text.

    What is beyond the vocabulary, or of a type that there is not, fails; so do inputs of different lengths.
    """
    draw = random_module.Random(3)  # noqa: S311 - the same weights every time

    def table(name: str, rows: int) -> TensorProto:
        return helper.make_tensor(name, REAL, [rows, width], [draw.random() for _ in range(rows * width)])

    nodes = [
        helper.make_node("Gather", ["words", "input_ids"], ["word"]),
        helper.make_node("Gather", ["kinds", "token_type_ids"], ["kind"]),
        helper.make_node("Add", ["word", "kind"], ["both"]),
        helper.make_node("Cast", ["attention_mask"], ["weight"], to=REAL),
        helper.make_node("Unsqueeze", ["weight", "last"], ["weights"]),
        helper.make_node("Mul", ["both", "weights"], ["kept"]),
        helper.make_node("ReduceSum", ["kept", "middle"], ["total"], keepdims=0),
        helper.make_node("ReduceSum", ["weights", "middle"], ["count"], keepdims=0),
        helper.make_node("Div", ["total", "count"], ["embedding"]),
    ]
    axes = [helper.make_tensor(name, WHOLE, [1], [axis]) for name, axis in (("last", 2), ("middle", 1))]
    tokens: list[int | str | None] = ["batch", "sequence"]
    takes: Signature = {name: (WHOLE, tokens) for name in ("input_ids", "attention_mask", "token_type_ids")}
    weights = [table("words", vocabulary), table("kinds", types), *axes]
    return model(nodes, takes, {"embedding": (REAL, ["batch", width])}, weights=weights)


def image(channels: int = 3, axis: int = 1) -> bytes:
    """Return a model of images of any size, whose channels no signature tells: the mean of each."""
    shape: list[int | str | None] = ["batch", "a", "b", "c"]
    filters = helper.make_tensor("w", REAL, [2, channels, 1, 1], [1.0] * (2 * channels))
    order = [0, 1, 2, 3] if axis == 1 else [0, 3, 1, 2]
    nodes = [
        helper.make_node("Transpose", ["image"], ["planes"], perm=order),
        helper.make_node("Conv", ["planes", "w"], ["found"]),
        helper.make_node("GlobalAveragePool", ["found"], ["scores"]),
    ]
    return model(nodes, {"image": (REAL, shape)}, {"scores": (REAL, ["batch", 2, 1, 1])}, weights=[filters])


def pipeline() -> bytes:
    """Return a pipeline of scikit-learn, as skl2onnx exports it: two numbers and two texts, encoded one-hot."""
    rows = [[float(at), at / 2, ("basic", "plus")[at % 2], ("north", "south")[at // 2 % 2]] for at in range(8)]
    encoded = ColumnTransformer([("number", StandardScaler(), [0, 1]), ("text", OneHotEncoder(), [2, 3])])
    fitted = Pipeline([("encode", encoded), ("classify", LogisticRegression())])
    fitted.fit(np.array(rows, dtype=object), [at // 4 for at in range(8)])
    kinds = {"age": FloatTensorType, "fee": FloatTensorType, "plan": StringTensorType, "region": StringTensorType}
    takes = [(name, kind([None, 1])) for name, kind in kinds.items()]
    return convert_sklearn(fitted, initial_types=takes, options={"zipmap": False}).SerializeToString()


@dataclass(kw_only=True)
class Bench:
    """The steps for a bring-your-own model, with stores in memory and the model's folder in a temporary folder."""

    folder: Path
    data: Objects = field(default_factory=Objects.in_memory)
    models: Objects = field(default_factory=Objects.in_memory)
    count: int = 0

    def describe(self, golden: Any = None, **more: Any) -> None:
        """Write model.yaml, and golden.json unless `golden` is None. Only a gate that says so judges latency."""
        folder = self.folder / MODEL
        folder.mkdir(exist_ok=True)
        (folder / "model.yaml").write_text(
            yaml.safe_dump({"name": MODEL, "task": "finished", **more, "gate": NO_LATENCY | more.get("gate", {})}),
            encoding="utf-8",
        )
        if golden is not None:
            text = golden if isinstance(golden, str) else json.dumps(golden)
            (folder / "golden.json").write_text(text, encoding="utf-8")

    def upload(self, data: bytes, name: str = "model.onnx") -> str:
        key = f"{MODEL}/incoming/{name}"
        self.data.put(key, data)
        return key

    def prepare(self, data: bytes, name: str = "model.onnx") -> dict[str, Any]:
        """Upload the file, and prepare it as its arrival does."""
        return self._step({"source": self.upload(data, name)})

    def look(self) -> dict[str, Any]:
        """Prepare the newest file, as the schedule does."""
        return self._step({"model": MODEL})

    def _step(self, request: dict[str, Any]) -> dict[str, Any]:
        self.count += 1
        step = Preparation(
            data=self.data,
            models=self.models,
            execution=f"x{self.count}",
            at=AT,
            folder=self.folder,
            read_rows=read_here.open_rows,
        )
        return step(request)

    def publish(self, data: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
        """Upload, prepare and select; return the answer of select and the run's record."""
        answer = self.prepare(data)
        assert (answer["status"], answer["experiments"]) == ("accepted", []), self.record(answer["run"])
        chosen = Selection(data=self.data, models=self.models, at=AT, folder=self.folder)(MODEL, answer["run"])
        return chosen, self.record(answer["run"])

    def record(self, run: str) -> dict[str, Any]:
        record = self.registry.read_run(run)
        assert record is not None
        return record

    def checks(self, data: bytes) -> dict[str, tuple[bool, str]]:
        """Return whether each check passed for a file, and its detail."""
        return {check["name"]: (check["passed"], check["detail"]) for check in self.publish(data)[1]["checks"]}

    @property
    def registry(self) -> Registry:
        return Registry(self.models, MODEL)


Make = Callable[[], bytes]
