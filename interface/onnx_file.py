"""Which files are ONNX models that are served, told from their bytes alone: each refusal names the way out.

The program asks before a deployment, and the functions when a file arrives. Protocol buffers are parsed only as far
as needed, without the onnx package.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from interface.foreign_file import kind_of

ONNXRUNTIME: Final = "1.31"
"""The release that serves, and the newest formats that it takes."""
OPSETS: Final[Mapping[str, int]] = {"ai.onnx": 26, "ai.onnx.ml": 5}
IR_VERSION: Final = 13
DATATYPES: Final[Mapping[int, str]] = {
    1: "FP32", 2: "UINT8", 3: "INT8", 4: "UINT16", 5: "INT16", 6: "INT32", 7: "INT64", 8: "BYTES", 9: "BOOL",
    10: "FP16", 11: "FP64", 12: "UINT32", 13: "UINT64", 16: "BF16",
}  # fmt: skip
"""The datatypes of ONNX (TensorProto.DataType) that are served, by the protocol's names."""
ONE_FILE: Final = (
    "the model keeps weights in other files; accepted: one file that holds all of it, as by"
    " torch.onnx.export(..., external_data=False), or by"
    ' onnx.save(onnx.load("model.onnx"), "model.onnx", save_as_external_data=False)'
)
# Field numbers of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
_IR, _GRAPH, _OPSET = 1, 7, 8
_INITIALIZER, _INPUT, _OUTPUT = 5, 11, 12
_TENSOR_NAME = 8
_TENSOR, _SEQUENCE, _MAP, _OPAQUE, _SPARSE, _OPTIONAL = 1, 4, 5, 7, 8, 9
_EXTERNAL_DATA, _DATA_LOCATION = 13, 14
_INSIDE: Final[Mapping[str, Mapping[int, str]]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 11: "attribute"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
}
_REMEDIES: Final[Mapping[int, tuple[str, str]]] = {
    _SEQUENCE: ("a sequence", "concatenate or stack its elements before the export"),
    _MAP: ("a map", "export its keys and values as tensors"),
    _OPAQUE: ("an opaque value", "export a tensor in its place"),
    _SPARSE: ("a sparse tensor", "export a dense one"),
    _OPTIONAL: ("an optional value", "export the model so that the value is always there"),
}
_ZIPMAP: Final = (
    "a sequence of maps, one for each row; accepted: tensors; export without ZipMap:"
    ' options={id(model): {"zipmap": False}} for skl2onnx, zipmap=False for onnxmltools'
)


def foreign(data: bytes) -> str | None:
    """Return why a file is no ONNX model at all; None where it looks like one: a format version and a graph."""
    try:
        if {_IR, _GRAPH} <= {number for number, _ in fields(memoryview(data))}:
            return None
        cut_off = False
    except IndexError:
        # An ONNX file begins with its format version, a small number, and goes on with a text, its graph or operators.
        cut_off = data[:1] == b"\x08" and data[2:3] in (b"\x12", b"\x1a", b"\x22", b"\x2a", b"\x3a", b"\x42")
    if (known := kind_of(data)) is not None:
        return f"the file is no ONNX model: it is {known.name}; {known.remedy}"
    if cut_off:
        return f"the file is no ONNX model: it begins like one and is cut off after {len(data):,} bytes; copy all of it"
    return "the file is no ONNX model; accepted: one model.onnx that holds all of its weights"


def unservable(data: bytes) -> str | None:
    """Return why a file is not served, as far as its bytes alone tell; None where nothing speaks against it."""
    try:
        if (why := foreign(data) or _too_new(data)) is not None:
            return why
        # Without this key no reference can be followed.
        return ONE_FILE if b"location" in data and weights_elsewhere(data) else _no_tensors(data)
    except IndexError:
        return "the file is damaged, or is not an ONNX model"


def inputs_of(data: bytes) -> tuple[str, ...]:
    """Return the names of what a file that is served takes: of its inputs those that are no weights."""
    names: list[str] = []
    for graph in _all(memoryview(data), _GRAPH):
        weights = {_text(tensor, _TENSOR_NAME) for tensor in _all(graph, _INITIALIZER)}
        names += [name for value in _all(graph, _INPUT) if (name := _text(value, 1)) not in weights]
    return tuple(names)


def weights_elsewhere(model: bytes | memoryview) -> bool:
    """Return whether a tensor lies outside the file. Raise `IndexError` where it is too damaged to find out."""
    return any(
        number == _EXTERNAL_DATA or (number == _DATA_LOCATION and value != 0)
        for tensor in _tensors(memoryview(model).cast("B"))
        for number, value in fields(tensor)
    )


def fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Yield the number and the value of each field that is a whole number or has a length. Raise `IndexError`."""
    at = 0
    while at < len(message):
        tag, at = varint(message, at)
        match tag & 7:
            case 0:
                value, at = varint(message, at)
                yield tag >> 3, value
            case 1:
                at += 8
            case 5:
                at += 4
            case 2:
                length, at = varint(message, at)
                if at + length > len(message):
                    raise IndexError
                yield tag >> 3, message[at : at + length]
                at += length
            case _:
                raise IndexError


def varint(message: memoryview, at: int) -> tuple[int, int]:
    """Return the whole number that is written at a position, and the position behind it. Raise `IndexError`."""
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise IndexError


def _tensors(model: memoryview) -> Iterator[memoryview]:
    pending = [("model", model)]
    while pending:
        kind, message = pending.pop()
        if kind == "tensor":
            yield message
            continue
        for number, value in fields(message):
            inner = _INSIDE[kind].get(number)
            if inner is not None and isinstance(value, memoryview):
                pending.append((inner, value))


def _all(message: memoryview, wanted: int) -> Iterator[memoryview]:
    """Yield the messages below a field."""
    for number, value in fields(message):
        if number == wanted and isinstance(value, memoryview):
            yield value


def _number(message: memoryview, wanted: int) -> int:
    return next((value for number, value in fields(message) if number == wanted and isinstance(value, int)), 0)


def _text(message: memoryview, wanted: int) -> str:
    return next((bytes(value).decode("utf-8", "replace") for value in _all(message, wanted)), "")


def _too_new(data: bytes) -> str | None:
    """Return what of a file is newer than onnxruntime takes: its format, or the operators of a domain."""
    model = memoryview(data)
    version = _number(model, _IR)
    found = [f"has IR version {version}, of at most {IR_VERSION}"] if version > IR_VERSION else []
    remedies = [f"model.ir_version = {IR_VERSION} before onnx.save"] if found else []
    for entry in _all(model, _OPSET):
        domain, opset = _text(entry, 1) or "ai.onnx", _number(entry, 2)
        newest = OPSETS.get(domain)
        if newest is not None and opset > newest:
            found.append(f"uses opset {opset} of {domain}, of at most {newest}")
    if len(found) > len(remedies):
        newest = OPSETS["ai.onnx"]
        remedies.append(f"opset_version={newest} for torch.onnx.export")
        remedies.append(f'target_opset={{"": {newest}, "ai.onnx.ml": {OPSETS["ai.onnx.ml"]}}} for skl2onnx')
    if not found:
        return None
    return f"the file {' and '.join(found)} that onnxruntime {ONNXRUNTIME} takes: {', '.join(remedies)}"


def _no_tensors(data: bytes) -> str | None:
    for graph in _all(memoryview(data), _GRAPH):
        for side, number in (("input", _INPUT), ("output", _OUTPUT)):
            for value in _all(graph, number):
                for kind in _all(value, 2):
                    if (wrong := _wrong_type(kind)) is not None:
                        return f"the {side} {_text(value, 1)} is {wrong}"
    return None


def _wrong_type(kind: memoryview) -> str | None:
    """Return what a value is, and what to do about it, unless it is a tensor of a datatype that is served."""
    for number, value in fields(kind):
        if number == _TENSOR and isinstance(value, memoryview):
            code = _number(value, 1)
            if code and code not in DATATYPES:
                served = ", ".join(DATATYPES.values())
                return f"of datatype {code} of ONNX, which is not served; cast it in the graph; accepted: {served}"
        elif number == _SEQUENCE and isinstance(value, memoryview):
            element = next(_all(value, 1), memoryview(b""))
            if any(inner == _MAP for inner, _ in fields(element)):
                return _ZIPMAP
        if number in _REMEDIES:
            name, remedy = _REMEDIES[number]
            return f"{name}; accepted: tensors; {remedy}"
    return None
