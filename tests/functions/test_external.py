from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from functions.core.onnx import BadModel, Session
from functions.core.tensor import Tensor
from tests.functions.graphs import graph


def elsewhere(**reference: object) -> Any:
    tensor = numpy_helper.from_array(np.zeros(4, dtype=np.float32), "w")
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (reference or {"location": "/etc/passwd"}).items():
        tensor.external_data.add(key=key, value=str(value))
    return tensor


def identity(weights: list[Any] | None = None, nodes: list[Any] | None = None) -> bytes:
    nodes = nodes or [helper.make_node("Identity", ["X"], ["Y"])]
    return graph(nodes, [("X", "FP32", [None])], [("Y", "FP32", [None])], weights or [])


def beside(folder: Path, **reference: object) -> Path:
    """A model whose one weight lies outside it, in a folder that has more than it should read."""
    (folder / "bundle" / "deeper").mkdir(parents=True)
    content = np.arange(4, dtype=np.float32).tobytes()
    for name in ("outside.bin", "bundle/weights.bin", "bundle/deeper/weights.bin"):
        (folder / name).write_bytes(content)
    (folder / "bundle" / "link.bin").symlink_to(folder / "outside.bin")
    file = folder / "bundle" / "model.onnx"
    nodes = [helper.make_node("Add", ["X", "w"], ["Y"])]
    file.write_bytes(identity([elsewhere(**reference)], nodes))
    return file


def inside(place: str) -> bytes:
    """A model with an external tensor in one of the places where tensors can be."""
    sparse = helper.make_sparse_tensor(elsewhere(), numpy_helper.from_array(np.zeros(4, dtype=np.int64)), [4])
    match place:
        case "initializer":
            return identity([elsewhere()])
        case "attribute":
            nodes = [helper.make_node("Constant", [], ["w"], value=elsewhere())]
        case "list":
            nodes = [helper.make_node("Custom", [], ["w"], values=[elsewhere()])]
        case "sparse":
            nodes = [helper.make_node("Constant", [], ["w"], sparse_value=sparse)]
        case _:
            branch = helper.make_graph([helper.make_node("Constant", [], ["b"], value=elsewhere())], "branch", [], [])
            nodes = [helper.make_node("If", ["X"], ["w"], then_branch=branch, else_branch=branch)]
    return identity(nodes=[*nodes, helper.make_node("Identity", ["X"], ["Y"])])


@pytest.mark.parametrize("place", ["initializer", "attribute", "list", "sparse", "branch"])
def test_a_model_that_reaches_for_other_files_is_refused_wherever_it_does(place: str) -> None:
    with pytest.raises(BadModel, match="weights in other files"):
        Session(inside(place))


@pytest.mark.parametrize("half", ["data_location", "external_data"])
def test_half_a_reference_to_another_file_is_enough(half: str) -> None:
    tensor = numpy_helper.from_array(np.zeros(1, dtype=np.float32), "location")
    if half == "data_location":
        tensor.data_location = TensorProto.EXTERNAL
    else:
        tensor.external_data.add(key="location", value="weights.bin")
    with pytest.raises(BadModel, match="weights in other files"):
        Session(identity([tensor]))


def test_a_model_that_only_speaks_of_a_location_is_opened() -> None:
    kept = numpy_helper.from_array(np.zeros(1, dtype=np.float32), "location")
    data = identity([kept])
    assert b"location" in data
    assert Session(data).inputs[0].name == "X"


def test_weights_right_beside_a_file_are_its_own(tmp_path: Path) -> None:
    session = Session(beside(tmp_path, location="weights.bin", offset=0, length=16))
    assert session.run({"X": Tensor.of("FP32", (4,), [1.0] * 4)})["Y"].values() == (1.0, 2.0, 3.0, 4.0)


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ({"location": "/etc/passwd"}, "in another folder"),
        ({"location": "../outside.bin"}, "in another folder"),
        ({"location": "deeper/weights.bin"}, "in another folder"),
        ({"location": "deeper\\weights.bin"}, "in another folder"),
        ({"location": ".hidden"}, "in another folder"),
        ({"location": "*/_ORT_MEM_ADDR_/*", "offset": 4096}, "in another folder"),
        ({"location": ""}, "in another folder"),
        ({"location": "weights.bin", "prepacked_0": "MatMul+1|0;16;0"}, "keeps weights with 'prepacked_0'"),
        ({"location": "gone.bin"}, "is not beside it"),
        ({"location": "x" * 5000}, "is not beside it"),
        ({"location": "link.bin"}, "no regular file"),
        ({"location": "deeper"}, "no regular file"),
        ({"location": "weights.bin", "offset": 16, "length": 16}, "beyond the end"),
        ({"location": "weights.bin", "offset": -16}, "beyond the end"),
        ({"location": "weights.bin", "length": 2**64 - 8}, "beyond the end"),
        ({"location": "weights.bin", "offset": "9" * 5000}, "beyond the end"),
        ({"location": "weights.bin", "offset": "four"}, "beyond the end"),
    ],
)
def test_any_other_file_is_refused(reference: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(BadModel, match=said):
        Session(beside(tmp_path, **reference))


@pytest.mark.parametrize("content", [None, b"", b"junk", b"location junk"])
def test_a_file_that_is_no_model_or_is_not_there_is_a_bad_model(content: bytes | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "model.onnx").write_bytes(content)
    with pytest.raises(BadModel):
        Session(tmp_path / "model.onnx")
