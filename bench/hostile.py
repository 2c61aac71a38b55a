"""Hostile request bodies: how long the predict function takes to refuse each, from event to response."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from bench import subject
from bench.measure import Sample, in_turn
from bench.row import Row
from bench.warm import answering

GROUP = "refused within"
MILLISECONDS = 50
INFER = f"/v2/models/{subject.MODEL}/infer"


def bodies() -> Mapping[str, Mapping[str, Any]]:
    """Return events by what is wrong with them."""
    half = 500_000
    row = json.dumps({"instances": subject.rows(1)})
    twice = '{"instances": [{' + ",".join(f'"a": {n}' for n in range(60_000)) + "}]}"
    tensor = {"name": subject.INPUT, "shape": [10_000, subject.WIDTH], "datatype": "FP32", "data": [1.0]}
    return {
        "1 MB of nested brackets": subject.event("[" * half + "]" * half),
        "1 MB of nested objects": subject.event('{"a":' * (half // 3) + "1" + "}" * (half // 3)),
        "NaN": subject.event(row.replace("17.99", "NaN", 1)),
        "a name that stands twice, 60,000 times": subject.event(twice),
        "10,000 rows of one value each": subject.event(json.dumps({"instances": [[1.0]] * 10_000})),
        "a shape that is not the data's": subject.event(json.dumps({"inputs": [tensor]}), INFER),
        "Base64 that is none": subject.event("!" * 1_000_000) | {"isBase64Encoded": True},
        "10 MB": subject.event("1" * 10_000_000),
        "10 MB of Base64": subject.event("") | {
            "body": base64.b64encode(bytes(10_000_000)).decode(), "isBase64Encoded": True
        },
    }  # fmt: skip


def rows(workspace: Path, *, rounds: int, quick: bool, say: Callable[[str], None]) -> Iterator[Row]:
    answer = answering(workspace)
    events = bodies()
    for name, event in events.items():
        status = answer(event)["statusCode"]
        if not 400 <= status < 500:
            raise RuntimeError(f"{name}: {status}, and not a refusal")
    measured = in_turn({name: _once(answer, event) for name, event in events.items()}, rounds=rounds, say=say)
    for name in events:
        figure = measured.values(name).times(1000)
        yield Row(group=GROUP, name=name, against="", figure=figure, unit="ms", target=MILLISECONDS)


def _once(answer: Callable[[Mapping[str, Any]], object], event: Mapping[str, Any]) -> Callable[[], Sample]:
    def measure() -> Sample:
        began = time.perf_counter()
        answer(event)
        return Sample(seconds=time.perf_counter() - began)

    return measure
