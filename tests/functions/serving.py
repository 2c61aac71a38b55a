"""A stack's predict function in memory: small real ONNX models, stores, clocks and a service over them."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from functions.core.api.service import Service
from functions.core.http.messages import Request, Response
from functions.core.jobs.api import JobsApi
from functions.core.onnx.deadline import LONGEST_SECONDS
from functions.core.onnx.session import Session
from functions.core.onnx.tensor import Tensor
from functions.core.registry.captures import Captures
from functions.core.registry.live_pointer import Live
from functions.core.registry.pointer import begin, promote_first
from functions.core.registry.versions import Registry
from functions.core.release.rollout import Rollout
from functions.core.runtime.log import Log
from functions.core.runtime.usage import Metering
from functions.core.serving.model_cache import ModelCache
from functions.core.serving.predictor import Predictor, hash_percent
from functions.core.serving.redaction import Redaction
from functions.core.storage.objects import Objects
from interface.rollout import RolloutPlan
from models.labels import Labels
from models.section import RolloutThresholds
from tests.functions.graphs import endless
from tests.root import ROOT

EVENTS = ROOT / "tests" / "events"
MODEL = "tumour"
FEATURES = [{"name": "mean_radius", "minimum": 0.0, "maximum": 1000.0}, {"name": "mean_texture", "minimum": 0.0}]
TARGET = {"name": "diagnosis", "classes": ["benign", "malignant"]}
GOLDEN_ROWS = [[1.0, 9.0], [9.0, 1.0], [5.0, 4.0]]
BENIGN, MALIGNANT = {"mean_radius": 1.0, "mean_texture": 9.0}, {"mean_radius": 9.0, "mean_texture": 1.0}
POISON = {"mean_radius": 500.0, "mean_texture": 1.0}
"""A row on which models made with `fails` fail, although they pass their golden rows."""


@cache
def model_bytes(
    *,
    slope: float = 1.0,
    fails: bool = False,
    infinite: bool = False,
    forgiving: bool = False,
    loops: bool = False,
) -> bytes:
    """Return a model: softmax over slope * (texture - radius, radius - texture), so the greater of the two decides.

    A radius above 100 makes a model with `fails` fail, on an index out of range, and one with
    `infinite` return NaN; one that `loops` has no end then. A `forgiving` model takes NaN for zero.
    """
    weights = slope * np.array([[-1.0, 1.0], [1.0, -1.0]], dtype=np.float32)
    constants = {
        "weights": weights,
        "zero": np.array(0, dtype=np.int64),
        "nothing": np.array(0.0, dtype=np.float32),
        "limit": np.array(100.0, dtype=np.float32),
        "table": np.zeros((1, 2), dtype=np.float32),
    }
    nodes = [
        helper.make_node("IsNaN", ["X"], ["unknown"]),
        helper.make_node("Where", ["unknown", "nothing", "X"], ["known" if forgiving else "unused"]),
        helper.make_node("MatMul", ["known" if forgiving else "X", "weights"], ["raw"]),
        helper.make_node("Gather", ["X", "zero"], ["radius"], axis=1),
        helper.make_node("Greater", ["radius", "limit"], ["above"]),
        helper.make_node("Cast", ["above"], ["index"], to=TensorProto.INT64),
        helper.make_node("Sub", ["limit", "radius"], ["rest"]),
        helper.make_node("Log", ["rest"], ["log"]),
        helper.make_node("Unsqueeze", ["log", "one"], ["column"]),
    ]
    constants["one"] = np.array([1], dtype=np.int64)
    if fails:
        nodes += [
            helper.make_node("Gather", ["table", "index"], ["looked_up"], axis=0),
            helper.make_node("Add", ["raw", "looked_up"], ["scores"]),
        ]
    elif infinite:
        nodes += [helper.make_node("Add", ["raw", "column"], ["scores"])]
    elif loops:
        greatest = helper.make_node("ReduceMax", ["index"], ["greatest"], keepdims=0)
        nodes += [greatest, *endless("raw", "scores", until="greatest")]
    else:
        nodes += [helper.make_node("Identity", ["raw"], ["scores"])]
    nodes += [
        helper.make_node("Softmax", ["scores"], ["probabilities"], axis=1),
        helper.make_node("ArgMax", ["probabilities"], ["label"], axis=1, keepdims=0),
    ]
    graph = helper.make_graph(
        nodes,
        "tumour",
        [helper.make_tensor_value_info("X", TensorProto.FLOAT, ["rows", 2])],
        [
            helper.make_tensor_value_info("label", TensorProto.INT64, ["rows"]),
            helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["rows", 2]),
        ],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return model.SerializeToString()


def golden_of(onnx: bytes) -> dict[str, Any]:
    flat = [value for row in GOLDEN_ROWS for value in row]
    rows = Tensor.of("FP32", (len(GOLDEN_ROWS), 2), flat)
    probabilities = Session(onnx).run({"X": rows})["probabilities"].values()
    return {
        "inputs": GOLDEN_ROWS,
        "probabilities": [list(probabilities[at : at + 2]) for at in range(0, len(probabilities), 2)],
        "tolerance": 1e-4,
    }


def card_of(features: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    outputs = {"label": "label", "probabilities": "probabilities"}
    return {
        "features": features or FEATURES,
        "target": TARGET,
        "input": "X",
        "outputs": outputs,
        "task": "classification",
    }


@dataclass
class Clock:
    now: float = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class Away:
    """A store that fails whenever `broken(operation, key)` says so."""

    objects: Objects
    broken: Any = field(default=lambda operation, key: False)

    def __getattr__(self, name: str) -> Any:
        operation = getattr(self.objects, name)

        def guarded(key: str, *arguments: Any, **options: Any) -> Any:
            if self.broken(name, key):
                raise OSError("the store is away")
            return operation(key, *arguments, **options)

        return guarded


class Bench:
    """Everything that serves one model, in memory, with a clock that only tests advance."""

    def __init__(
        self,
        *,
        capture_inputs: float = 0.0,
        redaction: Redaction | None = None,
        thresholds: RolloutThresholds | None = None,
        jobs: Objects | None = None,
        seconds: float = LONGEST_SECONDS,
        metering: Metering | None = None,
    ) -> None:
        self.clock = Clock()
        self.lines = io.StringIO()
        self.caller = "a caller"
        self.log = Log(stream=self.lines, clock=self.clock)
        self.models, self.captures, self.jobs = Objects.in_memory(), Objects.in_memory(), jobs or Objects.in_memory()
        self.away = Away(self.models)
        self.registry = Registry(self.models, MODEL)
        self.live = Live(self.models, MODEL)
        reachable: Any = self.away
        self.model_cache = ModelCache(
            Registry(reachable, MODEL),
            Live(reachable, MODEL),
            self.log,
            seconds=5,
            clock=self.clock,
            background=lambda work: work(),
        )
        self.predictor = Predictor(
            self.model_cache,
            Captures(self.captures, MODEL, self.log, metering=metering, clock=self.clock),
            capture_inputs=capture_inputs,
            redaction=redaction,
            clock=self.clock,
            stopwatch=self.clock,
        )
        jobs_api = JobsApi(self.jobs, clock=self.clock)
        self.service = Service({MODEL: self.predictor}, lambda: jobs_api, self.log, seconds=seconds, metering=metering)
        self.thresholds = thresholds or RolloutThresholds(minimum_requests=5, maximum_error_rate=0.1)
        self.plan()

    def plan(self, *, shadow: int | None = None, asking: tuple[str, ...] = (), labels: Labels | None = None) -> None:
        """Set the rollout plan of the releases from now on; a person approves versions of the models in `asking`.

        `labels` is what the contract says of truths, if it says anything.
        """
        self.rollout = Rollout(
            self.models,
            self.captures,
            plan=RolloutPlan(steps=(10, 50), bake_seconds=60, patience=3, shadow=shadow),
            thresholds=lambda _: self.thresholds,
            labels=lambda _: labels,
            asking=asking,
            clock=self.clock,
        )

    def register(self, onnx: bytes | None = None, features: list[dict[str, Any]] | None = None, **facts: Any) -> str:
        onnx = onnx or model_bytes()
        return self.registry.register(onnx, {**card_of(features), **facts}, golden_of(onnx), {})

    def champion(self, onnx: bytes | None = None, features: list[dict[str, Any]] | None = None, **facts: Any) -> str:
        """Register a version, whose card has these facts besides, and make it the first champion."""
        version = self.register(onnx, features, **facts)
        self.live.change(lambda pointer: promote_first(pointer, version, "first", self.clock()))
        return version

    def challenger(
        self, onnx: bytes, weight: int = 99, features: list[dict[str, Any]] | None = None, run: str = "second"
    ) -> str:
        """Register a version and make it the challenger; from now on requests come from one of its callers."""
        version = self.register(onnx, features)
        self.live.change(lambda pointer: begin(pointer, version, run, weight, self.clock()))
        self.caller = next(name for n in range(1000) if hash_percent(name := f"caller {n}", version) < weight)
        return version

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        caller: str | None = None,
        headers: dict[str, str] | None = None,
        principal: str | None = None,
    ) -> Response:
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        who = caller or self.caller
        request = Request(
            method=method,
            path=path,
            headers=headers or {},
            body=data,
            caller=who,
            request_id=f"r-{who}",
            principal=principal,
        )
        return self.service.answer(request)

    def predict(self, *rows: Any, caller: str | None = None) -> Response:
        return self.send("POST", "/predict", {"instances": list(rows or [BENIGN])}, caller=caller)

    def captured(self) -> list[dict[str, Any]]:
        """Return all captured records."""
        keys = sorted(self.captures.keys(MODEL))
        return [json.loads(line) for key in keys for line in self.captures.get(key).splitlines()]

    def logged(self, event: str) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in self.lines.getvalue().splitlines()]
        return [line for line in lines if line["event"] == event]


def said(response: Response) -> Any:
    return json.loads(response.body)


def event(name: str) -> dict[str, Any]:
    """Return a recorded event of a cloud."""
    return json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))
