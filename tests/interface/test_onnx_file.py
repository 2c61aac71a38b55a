"""Files that are no models, and models that are not served: told from their bytes, with the way out."""

from __future__ import annotations

import gzip
import io
import pickle
import re
import zipfile
from collections.abc import Callable
from typing import Any

import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from functions.core.onnx.session import BadModel, Session
from interface.onnx_file import IR_VERSION, ONNXRUNTIME, OPSETS, foreign, unservable
from tests.functions.bring_your_own import pair
from tests.functions.graphs import KINDS, graph
from tests.root import ROOT


def zipped(*names: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name in names:
            archive.writestr(name, b"x")
    return made.getvalue()


def saved_model() -> bytes:
    return b"\x08\x01\x12\x0b\x0a\x09" + b"\x22\x05serve" + b"\x0a\x00"


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "it is empty; put the model there"),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n",
            "it is a Git LFS pointer; fetch what it stands for by git lfs pull",
        ),
        (b"\n<!DOCTYPE html><html><body>Sign in</body></html>", "it is an HTML page; download the file itself"),
        (zipped("archive/data.pkl", "archive/code/__torch__.py"), "it is a PyTorch archive, TorchScript or a"),
        (zipped("config.json", "model.weights.h5"), "it is a Keras archive; export"),
        (zipped("m/saved_model.pb"), "it is a zipped TensorFlow SavedModel; convert"),
        (zipped("model.onnx"), "it is a zip file; unpack the model"),
        (gzip.compress(pair(), mtime=0), "it is compressed by gzip; unpack it"),
        (pickle.dumps({"a": 1}), "it is a pickle; export it, by skl2onnx or torch.onnx.export"),
        (b"\x89HDF\r\n\x1a\n" + bytes(9), "it is an HDF5 file, as Keras writes it"),
        (b"\x1c\0\0\0TFL3" + bytes(9), "it is a TensorFlow Lite model; convert it by tf2onnx --tflite"),
        (b"\x1c\0\0\0ORTM" + bytes(9), "it is a model in onnxruntime's own format, .ort"),
        (b"\x40\0\0\0\0\0\0\0" + b'{"w": {}}', "it is a safetensors file"),
        (b"GGUF\x03\0\0\0", "it is a GGUF file"),
        (b"\x93NUMPY\x01\0", "it is a NumPy array"),
        (b"PAR1" + bytes(9), "it is a Parquet file"),
        (b"Salted__" + bytes(range(200, 255)), "it is encrypted; decrypt it"),
        (saved_model(), "it is a TensorFlow SavedModel; convert its folder by tf2onnx --saved-model"),
        (b"a,b\r\n1,2\r\n", "it is text; put the model there"),
        ("größe\n".encode() * 999, "it is text; put the model there"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_model_is_called_what_it_is(data: bytes, told: str) -> None:
    assert (foreign(data) or "").startswith(f"the file is no ONNX model: {told}")
    assert unservable(data) == foreign(data)


@pytest.mark.parametrize("keep", [9, 40, -1])
def test_a_model_that_is_cut_off_is_called_so(keep: int) -> None:
    cut = pair(producer="made by hand")[:keep]
    assert foreign(cut) == (
        f"the file is no ONNX model: it begins like one and is cut off after {len(cut):,} bytes; copy all of it"
    )


@pytest.mark.parametrize("data", [bytes(range(256)), b"\xff" * 50, b"\x08\x01\x12"])
def test_a_file_of_no_known_kind_is_refused_too(data: bytes) -> None:
    assert (foreign(data) or "").startswith("the file is no ONNX model")


def changed(change: Callable[[Any], object]) -> bytes:
    model = onnx.load_from_string(pair())
    change(model)
    return model.SerializeToString()


def retyped(kind: Any) -> bytes:
    """Return a model whose first output is of another type."""
    return changed(lambda model: model.graph.output[0].type.CopyFrom(kind))


NEWEST = OPSETS["ai.onnx"]
TENSOR = helper.make_tensor_type_proto(TensorProto.FLOAT, [None])
MAPS = helper.make_sequence_type_proto(helper.make_map_type_proto(TensorProto.STRING, TENSOR))


def everything_newer(model: Any) -> None:
    model.ir_version = model.opset_import[0].version = 99


def elsewhere(model: Any) -> None:
    tensor = TensorProto(name="w", data_type=1, dims=[1], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="model.onnx.data")
    model.graph.initializer.append(tensor)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (changed(elsewhere), "external_data=False)"),
        (changed(elsewhere), "save_as_external_data=False)"),
        (retyped(MAPS), "the output scores is a sequence of maps"),
        (retyped(MAPS), 'options={id(model): {"zipmap": False}} for skl2onnx'),
        (retyped(helper.make_sequence_type_proto(TENSOR)), "the output scores is a sequence; accepted: tensors; c"),
        (retyped(helper.make_map_type_proto(TensorProto.STRING, TENSOR)), "the output scores is a map; accepted: tens"),
        (retyped(helper.make_optional_type_proto(TENSOR)), "the output scores is an optional value; accepted: tensors"),
        (retyped(helper.make_sparse_tensor_type_proto(1, [None])), "the output scores is a sparse tensor; accepted:"),
        (
            retyped(helper.make_tensor_type_proto(TensorProto.FLOAT8E4M3FN, [None])),
            "the output scores is of datatype 17 of ONNX, which is not served; cast it in the graph; accepted: FP32,",
        ),
        (
            retyped(helper.make_tensor_type_proto(TensorProto.COMPLEX64, [None])),
            "the output scores is of datatype 14 of ONNX",
        ),
        (
            changed(lambda model: setattr(model, "ir_version", IR_VERSION + 1)),
            f"the file has IR version {IR_VERSION + 1}, of at most {IR_VERSION} that onnxruntime {ONNXRUNTIME} takes:"
            f" model.ir_version = {IR_VERSION} before onnx.save",
        ),
        (
            changed(lambda model: setattr(model.opset_import[0], "version", NEWEST + 1)),
            f"the file uses opset {NEWEST + 1} of ai.onnx, of at most {NEWEST} that onnxruntime {ONNXRUNTIME} takes:",
        ),
        (
            changed(lambda model: model.opset_import.add(domain="ai.onnx.ml", version=9)),
            f'target_opset={{"": {NEWEST}, "ai.onnx.ml": {OPSETS["ai.onnx.ml"]}}} for skl2onnx',
        ),
        (changed(everything_newer), f"has IR version 99, of at most {IR_VERSION} and uses opset 99 of ai.onnx"),
        (changed(elsewhere)[:-3] + b"\x0a\x7f", "cut off"),
    ],
)  # fmt: skip
def test_a_model_that_is_not_served_is_refused_with_the_option_of_its_exporter(data: bytes, told: str) -> None:
    assert told in (unservable(data) or "")


def test_models_that_are_served_are_not_spoken_against() -> None:
    assert unservable(pair()) is None
    assert unservable((ROOT / "models/file_type/model.onnx").read_bytes()) is None
    for kind in KINDS:
        assert (
            unservable(graph([helper.make_node("Identity", ["X"], ["Y"])], [("X", kind, None)], [("Y", kind, None)]))
            is None
        )


@pytest.mark.parametrize("newer", [0, 1])
@pytest.mark.parametrize("domain", OPSETS)
def test_the_newest_operators_are_those_that_onnxruntime_takes(domain: str, newer: int) -> None:
    nodes = [helper.make_node("Identity", ["X"], ["Y"])]
    values = [helper.make_tensor_value_info(name, 1, [None]) for name in ("X", "Y")]
    opsets = {"": 17} | {domain.removesuffix("ai.onnx"): OPSETS[domain] + newer}
    model = helper.make_model(
        helper.make_graph(nodes, "made", values[:1], values[1:]),
        opset_imports=[helper.make_opsetid(*opset) for opset in opsets.items()],
        ir_version=IR_VERSION,
    ).SerializeToString()
    assert (unservable(model) is None) == opens(model) == (not newer)


@pytest.mark.parametrize("newer", [0, 1])
def test_the_newest_format_is_the_one_that_onnxruntime_takes(newer: int) -> None:
    model = changed(lambda model: setattr(model, "ir_version", IR_VERSION + newer))
    assert (unservable(model) is None) == opens(model) == (not newer)


def opens(model: bytes) -> bool:
    try:
        Session(model)
    except BadModel:
        return False
    return True


def test_the_release_that_messages_name_is_the_one_that_functions_run_with() -> None:
    for lock in (ROOT / "functions" / "requirements").glob("*.in"):
        for version in re.findall(r"^onnxruntime==(\d+\.\d+)", lock.read_text(encoding="utf-8"), re.MULTILINE):
            assert version == ONNXRUNTIME, lock.name


@settings(deadline=None)
@given(st.data())
def test_any_bytes_have_a_verdict(data: st.DataObject) -> None:
    whole = bytearray(pair())
    for _ in range(data.draw(st.integers(0, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    made = bytes(whole) if data.draw(st.booleans()) else data.draw(st.binary(max_size=80))
    assert unservable(made[: data.draw(st.integers(0, len(made)))]) != ""
