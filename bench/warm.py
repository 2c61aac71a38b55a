"""Warm requests in one process, from API Gateway event to response, against the bare `session.run`."""

from __future__ import annotations

import base64
import json
import os
import struct
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from bench import files, subject
from bench.cold import ALWAYS, PEERS
from bench.environments import Unavailable, interpreter
from bench.measure import Sample, Spread, in_turn
from bench.row import Missing, Row

GROUP = "warm request"
RAW = "bare session.run"
AGAIN = "bare session.run, again"
FRAMEWORKS = {"Powertools": ("powertools", "powertools"), "FastAPI + Mangum": ("fastapi", "fastapi_mangum")}


def rows(workspace: Path, *, rounds: int, quick: bool, say: Callable[[str], None]) -> Iterator[Row | Missing]:
    answer = answering(workspace)
    for count, calls in ((1, 500), (100, 50), (10_000, 1)):
        events = {"JSON": _json_event(count)} | ({"binary tensors": _binary_event(count)} if count > 1 else {})
        for kind, event in events.items():
            say(f"{count} rows, {kind}")
            yield _row(answer, event, f"{count:,} row{'s' * (count > 1)}, {kind}", count, calls, rounds)
    for name, (environment, module) in FRAMEWORKS.items():
        try:
            yield _peer(workspace, name, environment, module, rounds)
        except (Unavailable, subprocess.CalledProcessError) as problem:
            yield Missing(group=GROUP, name=name, reason=str(problem))


def answering(workspace: Path) -> Callable[[Mapping[str, Any]], Mapping[str, Any]]:
    """Return the predict function's handler, loaded in this process."""
    os.environ.update(files.environment(subject.registered(workspace / "models"), workspace))
    os.environ["LOG_LEVEL"] = "ERROR"
    # They read the environment variables set above.
    from functions.adapters.aws.http import handler  # noqa: PLC0415
    from functions.entries.predict import predict  # noqa: PLC0415

    handle = handler(predict)
    return lambda event: handle(dict(event), None)


def _row(answer: Any, event: Mapping[str, Any], name: str, count: int, calls: int, rounds: int) -> Row:
    response = answer(event)
    if response["statusCode"] != 200:
        raise RuntimeError(f"{name}: {response['statusCode']} {response['body'][:300]}")
    bare = _bare(count)
    measured = in_turn(
        {
            name: lambda: _block(lambda: answer(event), calls),
            RAW: lambda: _block(bare, calls),
            AGAIN: lambda: _block(bare, calls),
        },
        rounds=rounds,
    )
    control = measured.ratios(AGAIN, RAW).median
    value = measured.values(name).times(1000)
    if count == 1:
        added = measured.differences(name, RAW).times(1e6)
        return Row(
            group=GROUP, name=name, against=RAW, figure=added, unit="us", target=25, value=value, control=control
        )
    target = 1.3 if name.endswith("binary tensors") and count > 100 else 2.3
    figure = measured.ratios(name, RAW)
    return Row(group=GROUP, name=name, against=RAW, figure=figure, target=target, value=value, control=control)


def _block(call: Callable[[], object], calls: int) -> Sample:
    began = time.perf_counter()
    for _ in range(calls):
        call()
    return Sample(seconds=(time.perf_counter() - began) / calls)


def _bare(count: int) -> Callable[[], object]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(subject.tabular(), options)
    name = session.get_inputs()[0].name
    x = np.array(subject.rows(count), dtype=np.float32)
    return lambda: session.run(None, {name: x})


def _json_event(count: int) -> dict[str, Any]:
    return subject.event(json.dumps({"instances": subject.rows(count)}))


def _binary_event(count: int) -> dict[str, Any]:
    """Return an event with binary tensors both in and out, in Base64 as API Gateway passes bodies of bytes."""
    values = [value for row in subject.rows(count) for value in row]
    raw = struct.pack(f"<{len(values)}f", *values)
    tensor = {
        "name": subject.INPUT,
        "shape": [count, subject.WIDTH],
        "datatype": "FP32",
        "parameters": {"binary_data_size": len(raw)},
    }
    header = json.dumps({"inputs": [tensor], "parameters": {"binary_data_output": True}}).encode()
    path = f"/v2/models/{files.MODEL}/infer"
    headers = {"content-type": "application/octet-stream", "inference-header-content-length": str(len(header))}
    return subject.event("", path, headers) | {"body": base64.b64encode(header + raw).decode(), "isBase64Encoded": True}


def _peer(workspace: Path, name: str, environment: str, module: str, rounds: int) -> Row:
    """Measure, for comparison, what a framework adds to one row, in an environment of its own."""
    model, event = workspace / "tabular.onnx", workspace / "one.json"
    model.write_bytes(subject.tabular())
    event.write_text(json.dumps(_json_event(1)), encoding="utf-8")
    command = [str(interpreter(environment)), str(PEERS / "warm.py"), module, str(event), str(rounds), "200"]
    env = {**ALWAYS, "MODEL": str(model), "PYTHONPATH": str(PEERS)}
    done = subprocess.run(command, env=env, check=True, capture_output=True, text=True, timeout=300)
    pairs = json.loads(done.stdout)
    added = Spread.of([peer - bare for peer, bare in pairs])
    return Row(group=GROUP, name=f"{name}, 1 row, JSON", against=RAW, figure=added, unit="us")
