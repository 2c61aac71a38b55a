"""Golden requests of a bring-your-own model, with the answers it gave when it was admitted and must give ever after.

The requests are the user's own, or made up from the signature.
"""

from __future__ import annotations

import base64
import math
from typing import TYPE_CHECKING, Any

from functions.core.onnx.session import BadModel, ModelFailure
from functions.core.onnx.tensor import FLOATS
from functions.core.onnx.tensor_bytes import pack, unpack
from models.light import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from functions.core.onnx.session import Session
    from functions.core.onnx.tensor import Tensor

_COARSE = {"FP16": 2e-3, "BF16": 2e-2}
"""The least tolerance for datatypes of few digits."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One request and its answer."""

    inputs: Mapping[str, Tensor]
    outputs: Mapping[str, Tensor]


def document(cases: Sequence[Case], tolerance: float) -> dict[str, Any]:
    """Return golden.json as it is stored with a version: the bytes of each tensor as Base64."""
    return {
        "tolerance": tolerance,
        "cases": [{"inputs": _written(case.inputs), "outputs": _written(case.outputs)} for case in cases],
    }


def check(session: Session, golden: Mapping[str, Any]) -> None:
    """Ask every golden request again. Raise `BadModel` on the first answer that differs."""
    for position, case in enumerate(golden["cases"]):
        try:
            outputs = session.run(_read(case["inputs"]))
        except ModelFailure as problem:
            raise BadModel(f"the model fails on golden request {position}: {problem}") from None
        for name, expected in _read(case["outputs"]).items():
            difference = unlike(expected, outputs.get(name), golden["tolerance"])
            if difference:
                raise BadModel(f"golden request {position}: {name} {difference}")


def unlike(expected: Tensor, actual: Tensor | None, tolerance: float) -> str | None:
    """Return how a tensor differs from the expected one; None where it does not, up to rounding."""
    if actual is None:
        return "is missing"
    if (actual.datatype, actual.shape) != (expected.datatype, expected.shape):
        was = f"{expected.datatype} of the shape {list(expected.shape)}"
        return f"is {actual.datatype} of the shape {list(actual.shape)}; it was {was}"
    if bytes(pack(actual)) == bytes(pack(expected)):
        return None
    if expected.datatype not in FLOATS:
        return "has other values than it had"
    allowed = max(tolerance, _COARSE.get(expected.datatype, 0.0))
    farthest = max(map(distance, expected.values(), actual.values()))
    if farthest <= allowed:
        return None
    return f"differs by {farthest:.2g}; at most {allowed:g} is accepted"


def distance(one: float, other: float) -> float:
    """Return the distance of two numbers as a share of the greater of 1 and `one`.

    It is infinite where just one is NaN, or infinite.
    """
    if one == other or (math.isnan(one) and math.isnan(other)):
        return 0.0
    apart = abs(one - other) / max(1.0, abs(one))
    return math.inf if math.isnan(apart) else apart


def _written(tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    return {
        name: {
            "datatype": tensor.datatype,
            "shape": list(tensor.shape),
            "data": base64.b64encode(pack(tensor)).decode(),
        }
        for name, tensor in tensors.items()
    }


def _read(written: Mapping[str, Any]) -> dict[str, Tensor]:
    return {
        name: unpack(entry["datatype"], tuple(entry["shape"]), memoryview(base64.b64decode(entry["data"])))
        for name, entry in written.items()
    }
