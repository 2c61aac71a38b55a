from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx import helper, numpy_helper

from functions.core.onnx import BadModel, Session
from functions.core.packed import pack
from functions.core.tensor import Tensor
from tests.functions.graphs import MAGIKA, graph

WIDTH = 256


def wide() -> bytes:
    """A matrix product over 256 kB of weights."""
    weights = np.random.default_rng(1).standard_normal((WIDTH, WIDTH)).astype(np.float32)
    nodes = [helper.make_node("MatMul", ["X", "W"], ["product"]), helper.make_node("Relu", ["product"], ["Y"])]
    return graph(
        nodes,
        [("X", "FP32", ["rows", WIDTH])],
        [("Y", "FP32", ["rows", WIDTH])],
        [numpy_helper.from_array(weights, "W")],
    )


def rows(count: int) -> Tensor:
    return Tensor.over("FP32", (count, WIDTH), np.random.default_rng(2).random((count, WIDTH), dtype=np.float32).data)


@pytest.mark.parametrize("prepacked", [True, False])
def test_a_packed_model_answers_as_the_plain_one_with_its_weights_beside_it(tmp_path: Path, prepacked: bool) -> None:
    file = pack(wide(), tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.onnx", "weights.bin"]
    assert file.stat().st_size < 5_000
    assert (tmp_path / "weights.bin").stat().st_size == 4 * WIDTH * WIDTH
    opened, plain = Session(file, optimised=True, prepacked=prepacked), Session(wide(), prepacked=prepacked)
    assert (opened.inputs, opened.outputs) == (plain.inputs, plain.outputs)
    for count in (1, 8, 100):
        assert opened.run({"X": rows(count)}) == plain.run({"X": rows(count)})


def test_a_file_is_packed_as_its_bytes_are(tmp_path: Path) -> None:
    content = np.random.default_rng(3).integers(0, 257, (2, 2048), dtype=np.int32)
    given = {"bytes": Tensor.over("INT32", content.shape, content.data)}
    file = pack(MAGIKA, tmp_path)
    assert Session(file, optimised=True).run(given) == Session(MAGIKA).run(given)


def test_weights_that_were_cut_off_are_a_bad_model(tmp_path: Path) -> None:
    file = pack(wide(), tmp_path)
    weights = tmp_path / "weights.bin"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(BadModel, match="beyond the end"):
        Session(file, optimised=True)


def test_what_cannot_be_opened_cannot_be_packed(tmp_path: Path) -> None:
    with pytest.raises(BadModel, match="cannot be packed"):
        pack(b"no model", tmp_path)
    with pytest.raises(BadModel, match="cannot be packed"):
        pack(tmp_path / "nowhere.onnx", tmp_path)


def test_a_session_that_lays_nothing_out_answers_alike(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(wide())
    sessions = [Session(wide()), Session(wide(), prepacked=False), Session(tmp_path / "model.onnx", threads=2)]
    answers = [np.array(session.run({"X": rows(3)})["Y"].values()) for session in sessions]
    assert np.allclose(answers[0], answers[1], atol=1e-4)
    assert np.allclose(answers[0], answers[2], atol=1e-4)
