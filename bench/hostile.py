"""Hostile request bodies: how long the predict function takes to refuse each, from event to response."""

from __future__ import annotations

import base64
import gzip
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench import files, subject
from bench.measure import Sample, in_turn
from bench.row import Row
from bench.warm import answering

GROUP = "refused within"
MILLISECONDS = 50
INFER = f"/v2/models/{files.MODEL}/infer"
LARGEST = 6_000_000
"""Bytes of a body that is read: see interface/operations.py."""


def bodies() -> Mapping[str, Mapping[str, Any]]:
    """Return events by what is wrong with them: each body in the order that is worst for its reader."""
    return {**_texts(), **_tensors(), **_bytes()}


def _texts() -> Mapping[str, Mapping[str, Any]]:
    """Return bodies at which the reader of JSON has the most to do."""
    row = json.dumps({"instances": subject.rows(1)})
    half = LARGEST // 2
    return {
        "nested brackets": subject.event("[" * half + "]" * half),
        "240,000 nested brackets": subject.event("[" * 120_000 + "]" * 120_000),
        "nested objects": subject.event('{"a":' * (LARGEST // 6) + "1" + "}" * (LARGEST // 6)),
        "empty lists": subject.event(_filled('{"instances":[', "[],", "0]}")),
        "240,000 empty lists": subject.event('{"instances":[' + "[]," * 240_000 + "0]}"),
        "NaN": subject.event(row.replace("17.99", "NaN", 1)),
        "numbers, the last one NaN": subject.event(_filled('{"instances":[', "1,", "NaN]}")),
        "numbers, and a comma too many": subject.event(_filled('{"instances":[', "1,", "]}")),
        "numbers behind a name that stands twice": subject.event(_filled('{"a":1,"a":1,"b":[', "1,", "0]}")),
        "one whole number": subject.event(_filled('{"instances":[', "7", "]}")),
        "one fraction": subject.event(_filled('{"instances":[0.', "7", "]}")),
        "a name that stands twice, 60,000 times": subject.event(_names(["a"] * 60_000)),
        "30,000 names, the last one twice": subject.event(_names([*map(str, range(30_000)), "29999"])),
        "150,000 names, the last one twice": subject.event(_names([*map(str, range(150_000)), "149999"])),
        "150,000 names with spaces, the last one twice": subject.event(
            _names([*map(str, range(150_000)), "149999"], colon=" :")
        ),
        "150,000 names as escapes, the last one twice": subject.event(
            _names([*(f"\\u0061{name}" for name in range(150_000)), "a149999"])
        ),
        "150,000 unknown features": subject.event(_names(map(str, range(150_000)))),
        "spaces before": subject.event(_filled("", " ", "{}")),
        "spaces within": subject.event(_filled('{"instances":[', "\t", "]}")),
        "spaces after": subject.event(_filled("{}", "\n", "")),
        "escapes, and half a surrogate pair at the end": subject.event(
            _filled('{"instances":["', "\\u0041", '\\ud800"]}')
        ),
    }


def _tensors() -> Mapping[str, Mapping[str, Any]]:
    """Return requests that are JSON and do not fit the model, or only their last row does not."""
    rows = subject.rows(10_000)
    last = [*rows[:-1], [*rows[-1][:-1], -1.0]]
    text = [*rows[:-1], [*rows[-1][:-1], "1"]]
    short = [*rows[:-1], rows[-1][:-1]]
    names = [f"feature_{at}" for at in range(subject.WIDTH)]
    flat = [value for row in rows for value in row]
    return {
        "10,000 rows of one value each": subject.event(json.dumps({"instances": [[1.0]] * 10_000})),
        "10,000 rows, a bound broken in the last": subject.event(json.dumps({"instances": last})),
        "10,000 rows, a text in the last": subject.event(json.dumps({"instances": text})),
        "10,000 rows, a value too few in the last": subject.event(json.dumps({"instances": short})),
        "10,000 rows of names that are no features": subject.event(
            json.dumps({"instances": [dict(zip(names, row, strict=True)) for row in rows]})[:LARGEST]
        ),
        "a shape that is not the data's": _tensor([1.0]),
        "a tensor, the last value true": _tensor([*flat[:-1], True]),
        "a tensor, the last value beyond 32 bits": _tensor([*flat[:-1], 1e39]),
        "a tensor, a bound broken in the last row": _tensor([*flat[:-1], -1.0]),
        "a tensor in lists, the last one short": _tensor(short),
    }


def _bytes() -> Mapping[str, Mapping[str, Any]]:
    """Return bodies that are too large, or not what they are said to be."""
    encoded = {"isBase64Encoded": True}
    packed = gzip.compress(bytes(200_000_000), 9)
    return {
        "Base64 that is none": subject.event("!" * LARGEST) | encoded,
        "Base64, but for its last character": subject.event("A" * (LARGEST - 1) + "!") | encoded,
        "10 MB": subject.event("1" * 10_000_000),
        "10 MB of Base64": subject.event("") | {"body": base64.b64encode(bytes(10_000_000)).decode()} | encoded,
        "gzip of 200 MB": subject.event("", headers={"content-encoding": "gzip"})
        | {"body": base64.b64encode(packed).decode()}
        | encoded,
    }


def _filled(before: str, filling: str, after: str) -> str:
    """Return as many fillings between two texts as a body may hold."""
    return before + filling * ((LARGEST - len(before) - len(after)) // len(filling)) + after


def _names(names: Iterable[str], colon: str = ":") -> str:
    return '{"instances": [{' + ",".join(f'"{name}"{colon}1' for name in names) + "}]}"


def _tensor(data: Sequence[Any]) -> dict[str, Any]:
    tensor = {"name": subject.INPUT, "shape": [10_000, subject.WIDTH], "datatype": "FP32", "data": data}
    return subject.event(json.dumps({"inputs": [tensor]}), INFER)


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
