"""The Open Inference Protocol, version 2, over HTTP: what is asked, and the answer.

https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from functions.core.http.json_codec import as_object, check_size, dump_json, parse_json
from functions.core.http.messages import BINARY, JSON, Response
from functions.core.http.problem import Problem, misfit
from functions.core.onnx.tensor_bytes import LENGTH, Chunks, pack, split
from functions.core.onnx.tensor_json import BINARY_ONLY, JsonTensor, RawTensor

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from functions.core.onnx.tensor import Spec, Tensor
    from functions.core.serving.predictor import Prediction
    from functions.core.serving.servable import Servable

EXTENSIONS = ("binary_tensor_data",)
EXAMPLE = '{"inputs": [{"name": ..., "shape": [...], "datatype": ..., "data": [...]}]}'
_NOT_OFFERED = ("shared_memory_region", "sequence_id", "classification")
"""Parameters of extensions that would change what an answer means, and cannot be passed over."""


class Wanted(NamedTuple):
    """An output that is asked for."""

    name: str
    binary: bool
    """Behind the JSON of the answer, not in it."""


class Inference(NamedTuple):
    """An inference request whose form is right. Whether it fits a version, `encode` finds out."""

    id: str | None
    inputs: tuple[JsonTensor | RawTensor, ...]
    outputs: tuple[Wanted, ...]
    """None of them: all."""
    binary: bool
    """How outputs travel that nothing is said about."""

    @classmethod
    def read(cls, body: bytes, headers: Mapping[str, str]) -> Inference:
        """Raises `Problem` 400 that names the member, 413 or 415."""
        check_size(body, headers)
        text, chunks = split(body, headers)
        if not text and chunks is not None:
            return cls(id=None, inputs=(RawTensor(data=chunks.rest()),), outputs=(), binary=True)
        request = as_object(parse_json(text), EXAMPLE)
        identity = request.get("id")
        if identity is not None and (not isinstance(identity, str) or len(identity) > 256):
            raise misfit("id", "is not a text of at most 256 letters")
        binary = _flag(parameters(request, "parameters"), "binary_data_output", "parameters", default=False)
        return cls(
            id=identity,
            inputs=_inputs(request.get("inputs"), text, chunks),
            outputs=_wanted(request.get("outputs"), binary),
            binary=binary,
        )

    def encode(self, servable: Servable) -> dict[str, Tensor]:
        """Return the tensors as the inputs of a version. Raise `Problem` 400 where they do not fit it."""
        for index, wanted in enumerate(self.outputs):
            if wanted.name not in servable.outputs:
                accepted = ", ".join(sorted(servable.outputs))
                raise misfit(f"outputs[{index}].name", f"is no output; accepted: {accepted}")
        tensors: dict[str, Tensor] = {}
        for sent in self.inputs:
            spec = sent.among(servable.inputs)
            if spec.name in tensors:
                raise misfit(f"{sent.field}.name", "stands twice")
            tensors[spec.name] = sent.read(spec)
        if len(tensors) < len(servable.inputs):
            raise misfit("inputs", f"lacks {', '.join(name for name in servable.inputs if name not in tensors)}")
        servable.admit(tensors)
        return tensors

    def response(self, prediction: Prediction) -> Response:
        """The answer. Raises `Problem` 400 for an output that JSON does not carry."""
        wanted = self.outputs or [Wanted(name, self.binary) for name in prediction.outputs]
        chunks: list[bytes | memoryview] = []
        document = {
            "model_name": prediction.servable.model,
            "model_version": prediction.servable.version,
            "outputs": [_output(one, prediction.outputs[one.name], chunks) for one in wanted],
        }
        if self.id is not None:
            document["id"] = self.id
        text = dump_json(document)
        if not any(one.binary for one in wanted):
            return Response(status=200, body=text, headers={"content-type": JSON})
        headers = {"content-type": BINARY, LENGTH: str(len(text))}
        return Response(status=200, body=b"".join([text, *chunks]), headers=headers)


def metadata(by: Servable, versions: Sequence[str]) -> dict[str, Any]:
    """What a model takes and gives; -1 in a shape is any length."""
    return {
        "name": by.model,
        "versions": versions,
        "platform": "onnxruntime_onnx",
        "inputs": [_spec(spec) for spec in by.inputs.values()],
        "outputs": [_spec(spec) for spec in by.outputs.values()],
    }


def parameters(holder: dict[str, Any], field: str) -> dict[str, Any]:
    """The parameters of an object. Raises `Problem` 400 for what is none, and for those of other extensions."""
    found = holder.get("parameters")
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise misfit(field, "is not an object")
    for name in _NOT_OFFERED:
        if found.get(name):
            raise misfit(f"{field}.{name}", "is an extension that is not offered; GET /v2 lists those that are")
    return found


def _inputs(inputs: Any, text: bytes, chunks: Chunks | None) -> tuple[JsonTensor, ...]:
    if not isinstance(inputs, list) or not inputs:
        raise misfit("inputs", "is not a list of one tensor or more")
    booleans = _may_hold_booleans(text)
    found = []
    for index, tensor in enumerate(inputs):
        field = f"inputs[{index}]"
        if not isinstance(tensor, dict):
            raise misfit(field, "is not a tensor")
        size = parameters(tensor, f"{field}.parameters").get("binary_data_size")
        data = None
        if size is not None:
            place = f"{field}.parameters.binary_data_size"
            if chunks is None:
                raise misfit(place, "needs the header Inference-Header-Content-Length")
            if "data" in tensor:
                raise misfit(f"{field}.data", "is there beside binary_data_size; accepted: one of the two")
            data = chunks.take(size, place)
        found.append(JsonTensor(field=field, tensor=tensor, data=data, booleans=booleans))
    if chunks is not None:
        chunks.close()
    return tuple(found)


def _may_hold_booleans(text: bytes) -> bool:
    """Python takes true for 1. Only where no u and no l follows on the first data, no value is true or false."""
    start = text.find(b'"data"')
    return start >= 0 and (text.find(b"u", start) >= 0 or text.find(b"l", start) >= 0)


def _wanted(outputs: Any, binary: bool) -> tuple[Wanted, ...]:
    if outputs is None:
        return ()
    if not isinstance(outputs, list):
        raise misfit("outputs", 'is not a list; accepted: [{"name": ...}]')
    found: dict[str, Wanted] = {}
    for index, output in enumerate(outputs):
        if not isinstance(output, dict) or not isinstance(output.get("name"), str):
            raise misfit(f"outputs[{index}]", 'is not an output; accepted: {"name": ...}')
        field = f"outputs[{index}].parameters"
        as_bytes = _flag(parameters(output, field), "binary_data", field, default=binary)
        found[output["name"]] = Wanted(name=output["name"], binary=as_bytes)
    if len(found) != len(outputs):
        raise misfit("outputs", "names one output twice")
    return tuple(found.values())


def _flag(given: dict[str, Any], name: str, field: str, *, default: bool) -> bool:
    value = given.get(name, default)
    if not isinstance(value, bool):
        raise misfit(f"{field}.{name}", "is neither true nor false")
    return value


def _spec(spec: Spec) -> dict[str, Any]:
    return {"name": spec.name, "datatype": spec.datatype, "shape": list(spec.shape)}


def _output(wanted: Wanted, tensor: Tensor, chunks: list[bytes | memoryview]) -> dict[str, Any]:
    document: dict[str, Any] = {"name": wanted.name, "datatype": tensor.datatype, "shape": tensor.shape}
    if wanted.binary:
        chunks.append(pack(tensor))
        document["parameters"] = {"binary_data_size": len(chunks[-1])}
        return document
    if tensor.datatype in BINARY_ONLY:
        accepted = f"is {tensor.datatype}, which JSON does not carry; accepted: binary_data: true"
        raise Problem(400, f"the output {wanted.name} {accepted}")
    document["data"] = tensor.values()
    return document
