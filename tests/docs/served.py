"""The model of the examples, trained on its own data and served in memory: what the pages send is sent to it."""

from __future__ import annotations

import io
import json
from functools import cache
from typing import Any

import numpy as np

from functions.core.api.service import Service
from functions.core.jobs.api import JobsApi
from functions.core.jobs.job import Job
from functions.core.jobs.worker import Worker
from functions.core.registry.captures import Captures
from functions.core.registry.live_pointer import Live
from functions.core.registry.pointer import promote_first
from functions.core.registry.versions import Registry
from functions.core.runtime.log import Log
from functions.core.serving.model_cache import ModelCache
from functions.core.serving.predictor import Predictor
from functions.core.storage.objects import Objects
from functions.core.training.export import to_onnx
from functions.core.training.signature import INPUT, LABEL, PROBABILITIES
from models.breast_cancer.sample import instances
from models.breast_cancer.training import fit
from models.contract import Contract
from tests.functions.jobbing import signing

MODEL = "breast_cancer"
GOLDEN = 4
"""Rows whose answers the version is held to when it is opened."""


def service() -> Service:
    """The HTTP API over `breast_cancer`, whose one version is the champion; its jobs store is empty."""
    jobs = signing()
    return Service({MODEL: _predictor()}, lambda: JobsApi(jobs), log())


def job_lines(name: str, rows: bytes) -> list[dict[str, Any]]:
    """What comes of a file of JSON Lines that is put into the jobs store: the lines of its result."""
    jobs, job = Objects.in_memory(), Job(model=MODEL, name=name)
    jobs.put(job.input, rows)
    Worker(jobs, {MODEL: _predictor().model_cache}, log(), attempts=1).work(job.input)
    result = json.loads(jobs.get(job.result))
    return [json.loads(line) for line in jobs.get(result["result_key"]).splitlines()]


def log() -> Log:
    return Log(stream=io.StringIO())


@cache
def _predictor() -> Predictor:
    models = Objects.in_memory()
    registry, live = Registry(models, MODEL), Live(models, MODEL)
    version = registry.register(*_version(), {})
    live.change(lambda pointer: promote_first(pointer, version, "first", 0.0))
    captures = Captures(Objects.in_memory(), MODEL, log())
    return Predictor(ModelCache(registry, live, log(), seconds=5), captures, capture_inputs=1.0)


def _version() -> tuple[bytes, dict[str, Any], dict[str, Any]]:
    contract = Contract.load(MODEL)
    cases, labels = instances()
    x = np.array([list(case.values()) for case in cases], dtype=np.float32)
    y = np.array([contract.target.classes.index(label) for label in labels])
    estimator: Any = fit(x, y, {"family": "logistic", "C": 1.0})
    card = {
        "task": "classification",
        "features": [{"name": feature.name, "minimum": feature.minimum} for feature in contract.features],
        "target": {"name": contract.target.name, "classes": list(contract.target.classes)},
        "input": INPUT,
        "outputs": {"label": LABEL, "probabilities": PROBABILITIES},
    }
    golden = {
        "inputs": x[:GOLDEN].tolist(),
        "probabilities": estimator.predict_proba(x[:GOLDEN]).tolist(),
        "tolerance": 1e-4,
    }
    return to_onnx(estimator, x.shape[1]), card, golden
