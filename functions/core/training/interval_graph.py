"""One ONNX file of three estimators: a number, and the two ends between which the truth is to lie."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.training.graph_edits import name_output, rename
from functions.core.training.signature import HIGH, LOW, VALUE

if TYPE_CHECKING:
    from onnx import ModelProto, ValueInfoProto

_BROADCASTS = 8
"""The first opset whose Min and Max take what callers' numbers are."""


def has_an_end(onnx: bytes) -> bool:
    """Return whether a file gives an end itself."""
    model = _read(onnx)
    return model is not None and any(output.name in (LOW, HIGH) for output in model.graph.output)


def joined(value: bytes, low: bytes, high: bytes) -> bytes:
    """Return one file of three that each give `VALUE`: the second's is now `LOW`, the third's `HIGH`.

    What is no ONNX file with a graph is returned as it is.
    """
    from onnx import compose  # noqa: PLC0415 - most models have no interval

    models = [_read(one) for one in (value, low, high)]
    if any(model is None for model in models):
        return value
    whole, *ends = (model for model in models if model is not None)
    for name, model in zip((LOW, HIGH), ends, strict=True):
        _keep_one_output(model)
        _add(whole, compose.add_prefix(model, f"{name}_", rename_inputs=False), name)
    return whole.SerializeToString(deterministic=True)


def bounded(onnx: bytes) -> bytes:
    """Return a file whose ends never cross its number: the lower one is at most the number, the upper one at least.

    What is no ONNX file with these outputs is returned as it is.
    """
    model = _read(onnx)
    if model is None:
        return onnx
    outputs = {output.name: output for output in model.graph.output}
    for name, operator in ((LOW, "Min"), (HIGH, "Max")):
        _bound(model, outputs[name], outputs[VALUE], operator)
    _require_opset(model)
    return model.SerializeToString(deterministic=True)


def _read(onnx: bytes) -> ModelProto | None:
    from google.protobuf.message import DecodeError  # noqa: PLC0415 - as above
    from onnx import ModelProto  # noqa: PLC0415

    try:
        model = ModelProto.FromString(onnx)
    except DecodeError:
        return None
    return model if model.graph.node else None


def _keep_one_output(model: ModelProto) -> None:
    kept = [output for output in model.graph.output if output.name == VALUE]
    del model.graph.output[:]
    model.graph.output.extend(kept)


def _add(whole: ModelProto, part: ModelProto, name: str) -> None:
    """Add a model of the same input to another; `name` is what its output is called there."""
    name_output(part, name)
    whole.graph.node.extend(part.graph.node)
    whole.graph.output.extend(part.graph.output)
    whole.graph.initializer.extend(part.graph.initializer)
    whole.graph.sparse_initializer.extend(part.graph.sparse_initializer)
    whole.graph.value_info.extend(part.graph.value_info)
    whole.functions.extend(part.functions)
    whole.ir_version = max(whole.ir_version, part.ir_version)
    versions = {entry.domain: entry.version for entry in whole.opset_import}
    for entry in part.opset_import:
        versions[entry.domain] = max(entry.version, versions.get(entry.domain, 0))
    _set_opsets(whole, versions)


def _bound(model: ModelProto, end: ValueInfoProto, value: ValueInfoProto, operator: str) -> None:
    from onnx import helper  # noqa: PLC0415 - as above

    computed, compared = f"{end.name}_computed", f"{end.name}_compared"
    rename(model.graph, end.name, computed)
    kind = value.type.tensor_type.elem_type
    model.graph.node.extend(
        [
            helper.make_node("Cast", [computed], [compared], to=kind),
            helper.make_node(operator, [compared, VALUE], [end.name]),
        ]
    )
    end.type.tensor_type.elem_type = kind


def _require_opset(model: ModelProto) -> None:
    versions = {entry.domain: entry.version for entry in model.opset_import}
    _set_opsets(model, {**versions, "": max(_BROADCASTS, versions.get("", 0))})


def _set_opsets(model: ModelProto, versions: dict[str, int]) -> None:
    del model.opset_import[:]
    for domain, version in sorted(versions.items()):
        model.opset_import.add(domain=domain, version=version)
