"""One input of an inference request, as it was sent: in JSON, as bytes behind it, or as bytes alone."""

from __future__ import annotations

import math
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from functions.core.http.problem import misfit
from functions.core.onnx.tensor import DATATYPES, INTEGERS, SIZES, Tensor
from functions.core.onnx.tensor_bytes import unpack
from models.feature import LARGEST
from models.light import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from functions.core.onnx.tensor import Spec

BINARY_ONLY = frozenset({"FP16", "BF16"})
"""Datatypes that JSON does not carry."""
_NUMBERS = frozenset({int, float})


class JsonTensor(NamedTuple):
    """A tensor in JSON, or announced by it."""

    field: str
    """Where it stands: `inputs[0]`."""
    tensor: dict[str, Any]
    """Name, shape and datatype; data too, unless it is bytes."""
    data: memoryview | None
    booleans: bool
    """May there be a true or a false among the values in JSON?"""

    def among(self, known: Mapping[str, Spec], kind: str = "input") -> Spec:
        """Which of a model's inputs, or outputs, it is. Raises `Problem` 400."""
        name = self.tensor.get("name")
        if not isinstance(name, str) or name not in known:
            raise misfit(f"{self.field}.name", f"is no {kind}; accepted: {', '.join(known)}")
        return known[name]

    def read(self, spec: Spec) -> Tensor:
        """As the input that `spec` tells of. Raises `Problem` 400."""
        datatype = self.tensor.get("datatype")
        if datatype != spec.datatype:
            known = isinstance(datatype, str) and datatype in DATATYPES
            found = f"is {datatype}" if known else "is no datatype of this input"
            raise misfit(f"{self.field}.datatype", f"{found}; accepted: {spec.datatype}")
        shape = self._shape(spec)
        if self.data is None:
            return from_json(
                self.tensor.get("data"), spec.datatype, shape, f"{self.field}.data", booleans=self.booleans
            )
        try:
            return unpack(spec.datatype, shape, self.data)
        except ValueError as problem:
            raise misfit(f"{self.field}: the bytes behind the JSON", str(problem)) from None

    def _shape(self, spec: Spec) -> tuple[int, ...]:
        shape = self.tensor.get("shape")
        if isinstance(shape, list) and len(shape) == len(spec.shape):
            pairs = zip(shape, spec.shape, strict=True)
            if all([type(length) is int and length >= 0 and wanted in (-1, length) for length, wanted in pairs]):
                return tuple(shape)
        accepted = f"is not a shape of this input; accepted: {list(spec.shape)}, where -1 is any length"
        raise misfit(f"{self.field}.shape", accepted)


@dataclass(frozen=True, kw_only=True)
class RawTensor:
    """A body that is one tensor and nothing else, without a word about it.

    https://docs.nvidia.com/deeplearning/triton-inference-server/user-guide/docs/protocol/extension_binary_data.html#raw-binary-request
    """

    data: memoryview
    field = "body"

    def among(self, inputs: Mapping[str, Spec]) -> Spec:
        """The one input of the model. Raises `Problem` 400 when there are several."""
        if len(inputs) != 1:
            raise misfit(self.field, f"is one tensor; the model takes {', '.join(inputs)}")
        return next(iter(inputs.values()))

    def read(self, spec: Spec) -> Tensor:
        """One length at most may be open: it follows from the number of bytes. Raises `Problem` 400."""
        size = SIZES.get(spec.datatype)
        if size is None or spec.shape.count(-1) > 1:
            raise misfit(self.field, f"tells nothing of the shape of {spec.name}; accepted: JSON before the bytes")
        width = size * math.prod([length for length in spec.shape if length != -1])
        shape = tuple(len(self.data) // max(width, 1) if length == -1 else length for length in spec.shape)
        try:
            return unpack(spec.datatype, shape, self.data)
        except ValueError as problem:
            raise misfit(self.field, str(problem)) from None


def from_json(values: Any, datatype: str, shape: tuple[int, ...], place: str, *, booleans: bool = True) -> Tensor:
    """Values in JSON, flat or nested as the shape says. Raises `Problem` 400 that names `place`.

    Whoever knows that there is no true and no false among them may say so, and spare a look at each.
    """
    if not isinstance(values, list):
        raise misfit(place, "is not a list of values")
    if datatype in BINARY_ONLY:
        raise misfit(place, f"is {datatype}, which JSON does not carry; accepted: binary_data_size")
    if values and type(values[0]) is list:
        values = _flattened(values, shape, place)
    if len(values) != math.prod(shape):
        raise misfit(place, f"holds {len(values)} values; the shape says {math.prod(shape)}")
    if booleans or datatype not in SIZES or datatype == "BOOL":
        _refuse_misfit(values, datatype, place)
    try:
        return Tensor.of(datatype, shape, values)
    except ValueError:
        _refuse_misfit(values, datatype, place)
        raise misfit(place, f"is no {datatype}") from None


def _flattened(values: list[Any], shape: tuple[int, ...], place: str) -> list[Any]:
    """Lists in lists, as long as the shape says, in row-major order."""
    for length in shape[1:]:
        if set(map(type, values)) != {list}:
            raise misfit(place, "mixes values and lists")
        if set(map(len, values)) != {length}:
            raise misfit(place, f"holds lists of other lengths than the shape {list(shape)} says")
        values = list(chain.from_iterable(values))
    return values


def _refuse_misfit(values: list[Any], datatype: str, place: str) -> None:
    for position, value in enumerate(values):
        if not _fits(value, datatype):
            raise misfit(f"{place} value {position}", f"is no {datatype}")


def _fits(value: Any, datatype: str) -> bool:
    if datatype in INTEGERS:
        least, greatest = INTEGERS[datatype]
        return type(value) is int and least <= value <= greatest
    match datatype:
        case "BOOL":
            return isinstance(value, bool)
        case "BYTES":
            return isinstance(value, str)
        case "FP32":
            return type(value) in _NUMBERS and abs(value) <= LARGEST
        case _:
            return type(value) in _NUMBERS and _is_finite(value)


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:
        return False
