"""What the benchmarks measure: a small tabular model, live in a store of files, and the predict function's archive."""

from __future__ import annotations

import json
import os
import time
import zipfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.ensemble import GradientBoostingClassifier

from bench.environments import FOLDER
from bench.files import MODEL
from functions.core.onnx.session import Session
from functions.core.onnx.tensor import Tensor
from functions.core.registry.pointer import Pointer, promote_first
from functions.core.registry.versions import Registry
from functions.core.storage.store_url import open_store
from functions.core.training.export import to_onnx
from functions.core.training.signature import INPUT, LABEL, PROBABILITIES
from infra import bundle, clouds
from infra.archive import Archive
from infra.function_table import named
from infra.settings import Runtime
from infra.target import target
from interface import layout
from models.breast_cancer import sample
from models.contract import Contract

WIDTH = 30


@cache
def cases() -> tuple[np.ndarray, np.ndarray]:
    """The Wisconsin data: float32 [569, 30], and 0 or 1 [569]."""
    instances, labels = sample.instances()
    x = np.array([list(instance.values()) for instance in instances], dtype=np.float32)
    return x, np.array([label == "malignant" for label in labels], dtype=np.int64)


@cache
def tabular() -> bytes:
    """A hundred boosted trees of depth three, 54 kB of ONNX."""
    x, y = cases()
    return to_onnx(GradientBoostingClassifier(n_estimators=100, max_depth=3, random_state=0).fit(x, y), WIDTH)


def rows(count: int) -> list[list[float]]:
    """Return `count` rows of the sample data, repeated as often as needed."""
    instances, _ = sample.instances()
    return [list(instances[index % len(instances)].values()) for index in range(count)]


def event(body: bytes | str, path: str = "/predict", headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return an event of an API Gateway HTTP API, payload format 2.0, with a text body."""
    text = body if isinstance(body, str) else body.decode()
    http = {"method": "POST", "path": path, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7", "userAgent": "bench"}
    context = {
        "accountId": "000000000000",
        "apiId": "bench",
        "domainName": "bench.execute-api.eu-west-1.amazonaws.com",
        "domainPrefix": "bench",
        "http": http,
        "requestId": "JKJaXmPLvHcESHA=",
        "routeKey": f"POST {path}",
        "stage": "$default",
        "time": "21/Sep/2026:14:13:20 +0000",
        "timeEpoch": 1790000000000,
    }
    return {
        "version": "2.0",
        "routeKey": f"POST {path}",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"content-type": "application/json", **(headers or {})},
        "requestContext": context,
        "body": text,
        "isBase64Encoded": False,
    }


def plain_event(count: int) -> dict[str, Any]:
    return event(json.dumps({"instances": rows(count)}))


def registered(folder: Path, onnx: bytes | None = None) -> Path:
    """Register a model and make it live in a store of files below `folder`; return `folder`."""
    onnx = onnx or tabular()
    folder.mkdir(parents=True, exist_ok=True)
    store = open_store(f"file://{folder}")
    contract = Contract.load(MODEL).model_dump(mode="json")
    card = {
        "features": contract["features"],
        "target": contract["target"],
        "task": "classification",
        "input": INPUT,
        "outputs": {"label": LABEL, "probabilities": PROBABILITIES},
    }
    version = Registry(store, MODEL).register(onnx, card, _golden(onnx), {})
    pointer = promote_first(Pointer(), version, "bench", time.time())
    store.put_json(f"{MODEL}/{layout.LIVE}", pointer.document())
    return folder


def _golden(onnx: bytes) -> dict[str, Any]:
    inputs = rows(4)
    tensor = Tensor.of("FP32", (len(inputs), WIDTH), [value for row in inputs for value in row])
    probabilities = Session(onnx).run({INPUT: tensor})[PROBABILITIES].values()
    pairs = [list(probabilities[at : at + 2]) for at in range(0, len(probabilities), 2)]
    return {"inputs": inputs, "probabilities": pairs, "tolerance": 1e-4}


def archive(entry: str, cloud: str) -> Archive:
    """Return a function's archive for this machine."""
    platform = target(Runtime(python="host", architecture="host"))
    return bundle.archive(named(entry), cloud=clouds.find(cloud), platform=platform, models=[MODEL])


def unpacked(entry: str = "predict", cloud: str = "aws") -> Path:
    """Unpack an archive as Lambda does, once for each digest, and return the folder."""
    packed = archive(entry, cloud)
    folder = FOLDER / "unpacked" / packed.digest[:16]
    if not folder.is_dir():
        draft = folder.with_name(f"{folder.name}.{os.getpid()}")
        with zipfile.ZipFile(packed.path) as content:
            content.extractall(draft)
        draft.rename(folder)
    return folder
