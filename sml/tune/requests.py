"""The requests that a function is tuned with: a version's golden rows, which it must answer each time it is opened."""

from __future__ import annotations

import base64
import json
import math
import struct
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from models.feature import COMPOUND, Feature
from sml.mistake import Mistake
from sml.tune.trial import Asked

if TYPE_CHECKING:
    from sml.records import Records

MOST = 32
"""Golden requests that take turns."""


def requests_of(records: Records, batch: int) -> tuple[list[Asked], Asked | None]:
    """Return requests of a row each, and one of `batch` rows; None where the model takes them one by one.

    Raise `Mistake` for a model without a live version, and for a version without golden rows.
    """
    pointer = records.live()
    if pointer.champion is None:
        upload = records.typed("upload", records.model, "FILE")
        raise Mistake(f"no version of {records.model} is live yet: `{upload}` trains the first")
    card, golden = records.version(pointer.champion), records.golden(pointer.champion)
    if golden.get("inputs") and _has_compound(card):
        return _of_numbers(records.model, card, golden["inputs"][:MOST], batch)
    if golden.get("inputs"):
        path, rows = f"/models/{records.model}/predict", [_named(card, row) for row in golden["inputs"][:MOST]]
        each = [_of_rows(path, [row]) for row in rows]
        return each, _of_rows(path, [rows[at % len(rows)] for at in range(batch)])
    cases = golden.get("cases") or []
    if not cases:
        verify = records.typed("registry", "verify")
        raise Mistake(f"version {pointer.champion} of {records.model} has no golden rows: `{verify}`")
    path = f"/v2/models/{records.model}/infer"
    inputs = [case["inputs"] for case in cases[:MOST]]
    first = inputs[0]
    times = max(1, batch // max(1, _rows(first)))
    whole = _of_tensors(path, first, times) if _grows(card) else None
    return [_of_tensors(path, one, 1) for one in inputs], whole


def _named(card: Mapping[str, Any], row: Sequence[float]) -> dict[str, Any]:
    """Return a row as callers write it, by name: the version has it as its model takes it, in numbers."""
    return {one["name"]: _cell(one, value) for one, value in zip(card.get("features") or (), row, strict=False)}


def _cell(feature: Mapping[str, Any], value: Any) -> Any:
    if not isinstance(value, int | float) or not math.isfinite(value):
        return None
    match feature.get("kind"):
        case "category":
            names = Feature.parse(feature).names
            return names[int(value)] if 0 <= value < len(names) else None
        case "boolean":
            return bool(value)
    return value


def _has_compound(card: Mapping[str, Any]) -> bool:
    """Return whether some values of a row cannot be told from the numbers that they became: dates and texts."""
    return any(one.get("kind") in COMPOUND for one in card.get("features") or ())


def _of_numbers(
    model: str, card: Mapping[str, Any], rows: Sequence[Sequence[float | None]], batch: int
) -> tuple[list[Asked], Asked]:
    """Return rows of numbers, as tensors."""

    def tensor(some: Sequence[Sequence[float | None]]) -> Asked:
        flat = [math.nan if value is None else value for row in some for value in row]
        data = base64.b64encode(struct.pack(f"<{len(flat)}f", *flat)).decode()
        one = {"datatype": "FP32", "shape": [len(some), len(some[0])], "data": data}
        return _of_tensors(f"/v2/models/{model}/infer", {card["input"]: one}, 1)

    return [tensor([row]) for row in rows], tensor([rows[at % len(rows)] for at in range(batch)])


def _of_rows(path: str, rows: Sequence[Mapping[str, Any]]) -> Asked:
    headers = {"content-type": "application/json"}
    return Asked(path=path, body=json.dumps({"instances": rows}).encode(), headers=headers, rows=len(rows))


def _of_tensors(path: str, inputs: Mapping[str, Mapping[str, Any]], times: int) -> Asked:
    """Return tensors as the protocol's binary extension has them, repeated along their first axis."""
    content = {name: base64.b64decode(one["data"]) * times for name, one in inputs.items()}
    head = [
        {
            "name": name,
            "datatype": one["datatype"],
            "shape": [one["shape"][0] * times, *one["shape"][1:]] if one["shape"] else [],
            "parameters": {"binary_data_size": len(content[name])},
        }
        for name, one in inputs.items()
    ]
    text = json.dumps({"inputs": head}).encode()
    headers = {"content-type": "application/octet-stream", "inference-header-content-length": str(len(text))}
    return Asked(path=path, body=text + b"".join(content.values()), headers=headers, rows=_rows(inputs) * times)


def _rows(inputs: Mapping[str, Mapping[str, Any]]) -> int:
    shapes = [one["shape"] for one in inputs.values()]
    return shapes[0][0] if shapes and shapes[0] else 1


def _grows(card: Mapping[str, Any]) -> bool:
    """Return whether every input takes any number of rows."""
    shapes = [one.get("shape") or [] for one in card.get("inputs") or ()]
    return bool(shapes) and all(shape and (shape[0] is None or shape[0] == -1) for shape in shapes)
