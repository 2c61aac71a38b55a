"""The Open Inference Protocol, version 2, over HTTP: its requests, responses and metadata.

https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from functions.core.http.json_codec import as_object, dump_json, parse_json
from functions.core.http.messages import BINARY, JSON, Response, content_of, unreplaced
from functions.core.http.problem import Problem, misfit
from functions.core.onnx.tensor_bytes import LENGTH, Chunks, pack, split
from functions.core.onnx.tensor_json import BINARY_ONLY, JsonTensor, RawTensor

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from functions.core.onnx.tensor import Tensor
    from functions.core.serving.predictor import Prediction
    from functions.core.serving.servable import Servable

EXTENSIONS = ("binary_tensor_data",)
EXAMPLE = '{"inputs": [{"name": ..., "shape": [...], "datatype": ..., "data": [...]}]}'
_NOT_OFFERED = ("shared_memory_region", "sequence_id", "classification")
"""Parameters of extensions that change what an answer means: to ignore them would be wrong."""


class Wanted(NamedTuple):
    """An output that a request asks for."""

    name: str
    binary: bool
    """Whether its bytes follow on the JSON of the answer, instead of numbers in it."""


class Inference(NamedTuple):
    """An inference request whose form is right. Whether it fits a version, `encode` finds out."""

    id: str | None
    inputs: tuple[JsonTensor | RawTensor, ...]
    outputs: tuple[Wanted, ...]
    """Empty: all of them are asked for."""
    binary: bool
    """Whether outputs travel as bytes where the request does not say how."""

    @property
    def encoded(self) -> bool:
        return True

    @classmethod
    def read(cls, body: bytes, headers: Mapping[str, str]) -> Inference:
        """Read the form of a request. Raise `Problem` 400 that names the member, 413 or 415."""
        text, chunks = split(content_of(body, headers), headers)
        if not text and chunks is not None:
            return cls(id=None, inputs=(RawTensor(data=chunks.rest()),), outputs=(), binary=True)
        request = as_object(parse_json(unreplaced(text)), EXAMPLE)
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
            missing = [spec.name for spec in servable.inputs.values() if spec.name not in tensors and not spec.optional]
            if missing:
                raise misfit("inputs", f"lacks {', '.join(missing)}")
        servable.admit(tensors)
        return tensors

    def response(self, prediction: Prediction) -> Response:
        """Return the response to this request. Raise `Problem` 400 for an output that JSON does not carry."""
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


def metadata(servable: Servable, versions: Sequence[str]) -> dict[str, Any]:
    """Return what a version takes and gives; -1 in a shape is any length, and null in place of it any shape."""
    return {
        "name": servable.model,
        "versions": versions,
        "platform": "onnxruntime_onnx",
        "inputs": [spec.document() for spec in servable.inputs.values()],
        "outputs": [spec.document() for spec in servable.outputs.values()],
    }


def parameters(holder: dict[str, Any], field: str) -> dict[str, Any]:
    """Return the parameters of a member. Raise `Problem` 400 for other than an object, and for other extensions."""
    values = holder.get("parameters")
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise misfit(field, "is not an object")
    for name in _NOT_OFFERED:
        if values.get(name):
            raise misfit(f"{field}.{name}", "is an extension that is not offered; GET /v2 lists those that are")
    return values


def _inputs(inputs: Any, text: bytes, chunks: Chunks | None) -> tuple[JsonTensor, ...]:
    if not isinstance(inputs, list) or not inputs:
        raise misfit("inputs", "is not a list of one tensor or more")
    booleans = _may_hold_booleans(text)
    tensors = []
    for index, tensor in enumerate(inputs):
        field = f"inputs[{index}]"
        if not isinstance(tensor, dict):
            raise misfit(field, "is not a tensor")
        size = parameters(tensor, f"{field}.parameters").get("binary_data_size")
        data = None
        if size is not None:
            size_field = f"{field}.parameters.binary_data_size"
            if chunks is None:
                raise misfit(size_field, "needs the header Inference-Header-Content-Length")
            if "data" in tensor:
                raise misfit(f"{field}.data", "is there together with binary_data_size; accepted: one of the two")
            data = chunks.take(size, size_field)
        tensors.append(JsonTensor(field=field, tensor=tensor, data=data, booleans=booleans))
    if chunks is not None:
        chunks.close()
    return tuple(tensors)


def _may_hold_booleans(text: bytes) -> bool:
    """Return False only where no value can be true or false, which Python takes for 1 and 0.

    Both have a u or an l in them, and no number has.
    """
    start = text.find(b'"data"')
    return start >= 0 and (text.find(b"u", start) >= 0 or text.find(b"l", start) >= 0)


def _wanted(outputs: Any, binary: bool) -> tuple[Wanted, ...]:
    if outputs is None:
        return ()
    if not isinstance(outputs, list):
        raise misfit("outputs", 'is not a list; accepted: [{"name": ...}]')
    wanted: dict[str, Wanted] = {}
    for index, output in enumerate(outputs):
        if not isinstance(output, dict) or not isinstance(output.get("name"), str):
            raise misfit(f"outputs[{index}]", 'is not an output; accepted: {"name": ...}')
        field = f"outputs[{index}].parameters"
        as_bytes = _flag(parameters(output, field), "binary_data", field, default=binary)
        wanted[output["name"]] = Wanted(name=output["name"], binary=as_bytes)
    if len(wanted) != len(outputs):
        raise misfit("outputs", "names one output twice")
    return tuple(wanted.values())


def _flag(values: dict[str, Any], name: str, field: str, *, default: bool) -> bool:
    value = values.get(name, default)
    if not isinstance(value, bool):
        raise misfit(f"{field}.{name}", "is neither true nor false")
    return value


def _output(wanted: Wanted, tensor: Tensor, chunks: list[bytes | memoryview]) -> dict[str, Any]:
    document: dict[str, Any] = {"name": wanted.name, "datatype": tensor.datatype, "shape": tensor.shape}
    if wanted.binary:
        chunks.append(pack(tensor))
        document["parameters"] = {"binary_data_size": len(chunks[-1])}
        return document
    if tensor.datatype in BINARY_ONLY or not tensor.is_text:
        what = tensor.datatype if tensor.datatype in BINARY_ONLY else "bytes that are not UTF-8"
        accepted = f"is {what}, which JSON does not carry; accepted: binary_data: true"
        raise Problem(400, f"the output {wanted.name} {accepted}")
    document["data"] = tensor.values()
    return document
