"""Read one input of an inference request, sent as JSON, as bytes after the JSON, or as bytes alone."""

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
"""Datatypes that are sent as bytes only."""
MOST_LENGTHS = 16
"""The most lengths of a shape where a model does not say how many it has."""
_LONGEST = 2**63 - 1
_NUMBERS = frozenset({int, float})
_INTEGER, _TEXT, _TRUTH = frozenset({int}), frozenset({str}), frozenset({bool})
_KINDS = {"BYTES": _TEXT, "BOOL": _TRUTH}


class JsonTensor(NamedTuple):
    """A tensor whose name, datatype and shape are JSON; its values are JSON or bytes."""

    field: str
    """Its path in the request, such as `inputs[0]`."""
    tensor: dict[str, Any]
    """The JSON object: name, shape, datatype, and data unless the values are bytes."""
    data: memoryview | None
    booleans: bool
    """Whether the values in JSON may contain true or false."""

    def among(self, known: Mapping[str, Spec], kind: str = "input") -> Spec:
        """Return the model's input (or output, by `kind`) that the tensor names. Raises `Problem` 400."""
        name = self.tensor.get("name")
        if not isinstance(name, str) or name not in known:
            raise misfit(f"{self.field}.name", f"is no {kind}; accepted: {', '.join(known)}")
        return known[name]

    def read(self, spec: Spec) -> Tensor:
        """Read the tensor as the input that `spec` describes. Raises `Problem` 400."""
        datatype = self.tensor.get("datatype")
        if datatype != spec.datatype:
            known = isinstance(datatype, str) and datatype in DATATYPES
            fault = f"is {datatype}" if known else "is no datatype of this input"
            raise misfit(f"{self.field}.datatype", f"{fault}; accepted: {spec.datatype}")
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
        if isinstance(shape, list) and len(shape) <= MOST_LENGTHS:
            declared = [-1] * len(shape) if spec.shape is None else spec.shape
            if len(shape) == len(declared) and all(map(_is_length, shape, declared)):
                return tuple(shape)
        accepted = "is not a shape of this input; accepted: "
        if spec.shape is None:
            accepted += f"a list of at most {MOST_LENGTHS} lengths"
        else:
            accepted += f"{list(spec.shape)}, where -1 is any length"
        raise misfit(f"{self.field}.shape", accepted)


def _is_length(length: Any, declared: int) -> bool:
    return type(length) is int and 0 <= length <= _LONGEST and declared in (-1, length)


@dataclass(frozen=True, kw_only=True)
class RawTensor:
    """A body that is the bytes of one tensor, without JSON.

    https://docs.nvidia.com/deeplearning/triton-inference-server/user-guide/docs/protocol/extension_binary_data.html#raw-binary-request
    """

    data: memoryview
    field = "body"

    def among(self, inputs: Mapping[str, Spec]) -> Spec:
        """Return the only input that the model needs. Raises `Problem` 400 when it needs several."""
        needed = [spec for spec in inputs.values() if not spec.optional]
        if len(needed) != 1:
            raise misfit(self.field, f"is one tensor; the model takes {', '.join(spec.name for spec in needed)}")
        return needed[0]

    def read(self, spec: Spec) -> Tensor:
        """Read the tensor as the input that `spec` describes. Raises `Problem` 400.

        At most one length of the shape may be -1: it follows from the number of bytes.
        """
        size = SIZES.get(spec.datatype)
        if size is None or spec.shape is None or spec.shape.count(-1) > 1:
            raise misfit(self.field, f"does not tell the shape of {spec.name}; accepted: JSON before the bytes")
        width = size * math.prod([length for length in spec.shape if length != -1])
        shape = tuple(len(self.data) // max(width, 1) if length == -1 else length for length in spec.shape)
        try:
            return unpack(spec.datatype, shape, self.data)
        except ValueError as problem:
            raise misfit(self.field, str(problem)) from None


def from_json(
    values: Any, datatype: str, shape: tuple[int, ...], field: str, *, booleans: bool = True, halves: bool = False
) -> Tensor:
    """Make a tensor from values in JSON, flat or nested as the shape says. Raises `Problem` 400 that names `field`.

    `halves`: whether FP16 and BF16 are made of numbers, as which the protocol does not carry them.

    With `booleans=False` the caller states that the values contain neither true nor false,
    which saves a check of each.
    """
    if not isinstance(values, list):
        raise misfit(field, "is not a list of values")
    if datatype in BINARY_ONLY and not halves:
        raise misfit(field, f"is {datatype}, which JSON does not carry; accepted: binary_data_size")
    if values and type(values[0]) is list:
        values = _flattened(values, shape, field)
    if len(values) != math.prod(shape):
        raise misfit(field, f"holds {len(values)} values; the shape says {math.prod(shape)}")
    if booleans or datatype not in SIZES or datatype == "BOOL":
        _refuse_misfit(values, datatype, field)
    try:
        return Tensor.of(datatype, shape, values)
    except ValueError:
        _refuse_misfit(values, datatype, field)
        raise misfit(field, f"is no {datatype}") from None


def _flattened(values: list[Any], shape: tuple[int, ...], field: str) -> list[Any]:
    """Return the values of nested lists in row-major order. Raises `Problem` 400 when they do not fit the shape."""
    for length in shape[1:]:
        if set(map(type, values)) != {list}:
            raise misfit(field, "mixes values and lists")
        if set(map(len, values)) != {length}:
            raise misfit(field, f"holds lists of other lengths than the shape {list(shape)} says")
        values = list(chain.from_iterable(values))
    return values


def _refuse_misfit(values: list[Any], datatype: str, field: str) -> None:
    """Raise `Problem` 400 that names the first value of another kind, or else one that is out of range."""
    kinds = _KINDS.get(datatype, _INTEGER if datatype in INTEGERS else _NUMBERS)
    found = list(map(type, values))
    positions = [found.index(kind) for kind in set(found) - kinds]
    if positions:
        first = min(positions)
        null = ", but null" if values[first] is None else ""
        raise misfit(f"{field} value {first}", f"is no {datatype}{null}")
    if not values or kinds in (_TEXT, _TRUTH):
        return
    for extreme in (min(values), max(values)):
        if not _is_within(extreme, datatype):
            raise misfit(f"{field} value {values.index(extreme)}", f"is no {datatype}")


def _is_within(value: float, datatype: str) -> bool:
    if datatype in INTEGERS:
        least, greatest = INTEGERS[datatype]
        return least <= value <= greatest
    if datatype == "FP32":
        return abs(value) <= LARGEST
    try:
        return math.isfinite(value)
    except OverflowError:
        return False
