"""The Open Inference Protocol, version 2, over HTTP with JSON tensors.

https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from functions.core.body import as_object
from functions.core.problem import Fault, Problem, shown
from functions.core.rows import MOST_ROWS, check_values
from functions.core.tensor import DATATYPES, FLOATS, INTEGERS, Spec, Tensor

if TYPE_CHECKING:
    from functions.core.classifier import Classifier
    from functions.core.predict import Prediction

EXAMPLE = '{"inputs": [{"name": ..., "shape": [...], "datatype": ..., "data": [...]}]}'
_DEEPEST = 8


@dataclass(frozen=True, kw_only=True)
class Inference:
    """An inference request whose form is right; whether it fits a version, `tensor` tells."""

    id: str | None
    input: dict[str, Any]
    outputs: tuple[str, ...] | None
    """The outputs asked for; None is all of them."""

    @classmethod
    def parse(cls, body: Any) -> Inference:
        """Raises `Problem` 400 that names the member."""
        request = as_object(body, EXAMPLE)
        identity = request.get("id")
        if identity is not None and (not isinstance(identity, str) or len(identity) > 256):
            raise _refusal("id", "is not a text of at most 256 letters")
        _parameters(request, "parameters")
        inputs = request.get("inputs")
        if not isinstance(inputs, list) or len(inputs) != 1 or not isinstance(inputs[0], dict):
            raise _refusal("inputs", "is not a list of one tensor")
        _parameters(inputs[0], "inputs[0].parameters")
        return cls(id=identity, input=inputs[0], outputs=_requested(request.get("outputs")))

    def tensor(self, by: Classifier) -> Tensor:
        """The input of a version. Raises `Problem` 400 when it does not fit."""
        known = {output.name for output in by.session.outputs}
        for index, name in enumerate(self.outputs or ()):
            if name not in known:
                raise _refusal(f"outputs[{index}].name", f"is no output; accepted: {', '.join(sorted(known))}")
        shape, values = _content(self.input, by.takes)
        if by.takes.datatype in FLOATS:
            check_values(values, by.features, "inputs[0].data")
        try:
            return Tensor.of(by.takes.datatype, shape, values)
        except ValueError as problem:
            raise _refusal("inputs[0].data", str(problem)) from None

    def document(self, prediction: Prediction) -> dict[str, Any]:
        """The answer."""
        outputs = prediction.answer.outputs
        names = self.outputs or [spec.name for spec in prediction.by.session.outputs]
        answer = {
            "model_name": prediction.by.model,
            "model_version": prediction.by.version,
            "outputs": [_document(name, outputs[name]) for name in names],
        }
        return answer if self.id is None else {**answer, "id": self.id}


def metadata(by: Classifier, versions: list[str]) -> dict[str, Any]:
    """What a model takes and gives; -1 in a shape is any number of rows."""
    return {
        "name": by.model,
        "versions": versions,
        "platform": "onnxruntime_onnx",
        "inputs": [_spec(by.takes)],
        "outputs": [_spec(spec) for spec in by.session.outputs],
    }


def _spec(spec: Spec) -> dict[str, Any]:
    return {"name": spec.name, "datatype": spec.datatype, "shape": list(spec.shape)}


def _document(name: str, tensor: Tensor) -> dict[str, Any]:
    return {"name": name, "datatype": tensor.datatype, "shape": list(tensor.shape), "data": list(tensor.values())}


def _refusal(field: str, message: str) -> Problem:
    return Problem(400, "the request does not fit the protocol", faults=[Fault(field=field, message=message)])


def _parameters(holder: dict[str, Any], field: str) -> None:
    parameters = holder.get("parameters", {})
    if not isinstance(parameters, dict):
        raise _refusal(field, "is not an object")
    for name in ("binary_data_size", "binary_data_output", "binary_data", "classification"):
        if parameters.get(name):
            raise _refusal(f"{field}.{name}", "is an extension that is not offered; GET /v2 lists those that are")


def _requested(outputs: Any) -> tuple[str, ...] | None:
    if outputs is None or outputs == []:
        return None
    if not isinstance(outputs, list):
        raise _refusal("outputs", 'is not a list; accepted: [{"name": ...}]')
    for index, output in enumerate(outputs):
        if not isinstance(output, dict) or not isinstance(output.get("name"), str):
            raise _refusal(f"outputs[{index}]", 'is not an output; accepted: {"name": ...}')
        _parameters(output, f"outputs[{index}].parameters")
    names = tuple(output["name"] for output in outputs)
    if len(set(names)) != len(names):
        raise _refusal("outputs", "names one output twice")
    return names


def _content(given: dict[str, Any], spec: Spec) -> tuple[tuple[int, ...], list[Any]]:
    """The shape and the values of a tensor."""
    if given.get("name") != spec.name:
        raise _refusal("inputs[0].name", f"is no input; accepted: {spec.name}")
    if given.get("datatype") != spec.datatype:
        kind = given.get("datatype")
        found = f"is {kind}" if isinstance(kind, str) and kind in DATATYPES else "is no datatype of this input"
        raise _refusal("inputs[0].datatype", f"{found}; accepted: {spec.datatype}")
    shape = _shape(given.get("shape"), spec)
    return shape, _flat(given.get("data"), math.prod(shape), spec.datatype)


def _shape(given: Any, spec: Spec) -> tuple[int, ...]:
    accepted = f"accepted: {list(spec.shape)}, where -1 is 1 to {MOST_ROWS}"
    if not isinstance(given, list) or len(given) != len(spec.shape):
        raise _refusal("inputs[0].shape", f"is not a shape of this input; {accepted}")
    for length, wanted in zip(given, spec.shape, strict=True):
        if type(length) is not int or length < 1 or (wanted not in (-1, length)):
            raise _refusal("inputs[0].shape", f"is not a shape of this input; {accepted}")
    if given[0] > MOST_ROWS:
        raise Problem(413, f"there are more than {MOST_ROWS} rows; send fewer, or a job")
    return tuple(given)


def _flat(given: Any, count: int, datatype: str) -> list[Any]:
    """The values of a tensor, which may come flat or nested."""
    if not isinstance(given, list):
        raise _refusal("inputs[0].data", "is not a list of values")
    values = given
    for _ in range(_DEEPEST):
        if not any(isinstance(value, list) for value in values):
            break
        if not all(isinstance(value, list) for value in values):
            raise _refusal("inputs[0].data", "mixes values and lists")
        values = [value for part in values for value in part]
    if len(values) != count:
        raise _refusal("inputs[0].data", f"holds {len(values)} values; the shape says {count}")
    for position, value in enumerate(values):
        if not _fits(value, datatype):
            raise _refusal(f"inputs[0].data value {position}", f"is no {shown(datatype)}")
    return values


def _fits(value: Any, datatype: str) -> bool:
    if datatype in INTEGERS:
        least, greatest = INTEGERS[datatype]
        return type(value) is int and least <= value <= greatest
    match datatype:
        case "BOOL":
            return isinstance(value, bool)
        case "BYTES":
            return isinstance(value, str)
        case _:
            return isinstance(value, (int, float)) and not isinstance(value, bool) and _is_finite(value)


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:
        return False
