"""The ONNX file of a model's own `export`: its tensors have the names, types and sizes that are asked for."""

from __future__ import annotations

import re
import sys

import numpy as np
import pytest
from onnx import ModelProto, TensorProto, helper

from functions.core.onnx.session import Session
from functions.core.onnx.tensor import Tensor
from functions.core.training import converters
from functions.core.training.export import bounded, to_onnx
from functions.core.training.own_export import NUMBERS, WHOLE, checked
from functions.core.training.own_export import Tensor as Wanted
from functions.core.training.unusable import UnusableEstimator

WIDTH, CLASSES = 3, 3
OUTPUTS = {"label": Wanted(WHOLE, None), "probabilities": Wanted(NUMBERS, CLASSES)}


def exported(
    *, zipped: bool = False, names: tuple[str, str, str] = ("features", "label", "probabilities"), **types: int
) -> bytes:
    """Return a file that answers each row with its own values, by an operator of ONNX-ML alone."""
    takes, label, probabilities = names
    plain = "plain" if zipped else probabilities
    nodes = [
        helper.make_node("Normalizer", [takes], [plain], domain="ai.onnx.ml", norm="L1"),
        helper.make_node("ArgMax", [plain], [label], axis=1, keepdims=0),
    ]
    made = helper.make_tensor_value_info(probabilities, TensorProto.FLOAT, [None, CLASSES])
    if zipped:
        nodes.append(
            helper.make_node("ZipMap", [plain], [probabilities], domain="ai.onnx.ml", classlabels_int64s=[0, 1, 2])
        )
        kind = helper.make_map_type_proto(TensorProto.INT64, helper.make_tensor_type_proto(TensorProto.FLOAT, []))
        made = helper.make_value_info(probabilities, helper.make_sequence_type_proto(kind))
    graph = helper.make_graph(
        nodes,
        "model",
        [
            helper.make_tensor_value_info(
                takes, types.get("takes", TensorProto.FLOAT), [None, types.get("width", WIDTH)]
            )
        ],
        [helper.make_tensor_value_info(label, types.get("label", TensorProto.INT64), [None]), made],
    )
    opsets = [helper.make_opsetid("", 13), helper.make_opsetid("ai.onnx.ml", 2)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString()


def test_a_file_as_it_is_asked_for_is_taken() -> None:
    file = exported()
    assert ModelProto.FromString(checked(file, WIDTH, OUTPUTS)) == ModelProto.FromString(file)


def test_probabilities_in_a_map_for_each_row_become_a_tensor() -> None:
    """CatBoost writes no other file."""
    session = Session(bounded(checked(exported(zipped=True), WIDTH, OUTPUTS)))
    rows = Tensor.of("FP32", (2, WIDTH), [1.0, 2.0, 1.0, 0.0, 0.0, 4.0])
    answer = session.run({"features": rows}, ["label", "probabilities"])
    assert answer["label"].values() == (1, 2)
    assert answer["probabilities"].values() == (0.25, 0.5, 0.25, 0.0, 0.0, 1.0)


ACCEPTED = (
    "accepted: the input features FLOAT [rows, 3], and the outputs label INT64 [rows] and probabilities FLOAT [rows, 3]"
)


@pytest.mark.parametrize(
    ("file", "found"),
    [
        (exported(names=("x", "label", "probabilities")), "takes x FLOAT [rows, 3] and gives label"),
        (exported(names=("features", "y", "p")), "gives y INT64 [rows], p FLOAT [rows, 3]"),
        (exported(width=4), "takes features FLOAT [rows, 4] and gives label"),
        (exported(label=TensorProto.STRING), "gives label STRING [rows], probabilities"),
        (exported(takes=TensorProto.STRING), "takes features STRING [rows, 3]"),
    ],
    ids=["input", "outputs", "width", "label", "type"],
)
def test_another_file_is_refused_with_what_it_has_and_what_is_accepted(file: bytes, found: str) -> None:
    with pytest.raises(UnusableEstimator, match=re.escape(ACCEPTED)) as refused:
        checked(file, WIDTH, OUTPUTS)
    assert found in str(refused.value)


def test_a_file_of_classes_is_no_regression() -> None:
    with pytest.raises(UnusableEstimator, match=re.escape("and the output value FLOAT [rows, 1]")):
        checked(exported(), WIDTH, {"value": Wanted(NUMBERS, 1)})


def test_what_is_no_file_is_refused() -> None:
    with pytest.raises(UnusableEstimator, match=r"export returns ModelProto; accepted: bytes, as of model\.Serialize"):
        checked(ModelProto(), WIDTH, OUTPUTS)


def test_an_estimator_that_nothing_converts_is_refused_in_a_sentence() -> None:
    class Unheard:
        def predict_proba(self, x: np.ndarray) -> np.ndarray:
            return x

    with pytest.raises(UnusableEstimator) as refused:
        to_onnx(Unheard(), WIDTH)  # ty: ignore[invalid-argument-type]
    assert "Unheard" in str(refused.value)
    assert "or an export(estimator) -> bytes in training.py" in str(refused.value)


def test_splits_are_rounded_to_the_number_of_32_bits_below() -> None:
    """Between two such numbers that follow each other, and beyond all of them, where a missing value is told apart."""
    low, high = np.float32(1.0), np.nextafter(np.float32(1.0), np.float32(2.0))
    near_high = float(low) + 0.75 * (float(high) - float(low))
    tree = {"threshold": near_high, "left_child": {"threshold": 1e300}, "right_child": {"threshold": "0||2"}}
    converters._round_down(tree)
    assert tree["threshold"] == float(low)
    assert tree["left_child"]["threshold"] == float(np.finfo(np.float32).max)
    assert tree["right_child"]["threshold"] == "0||2"


def test_packages_that_are_not_there_are_not_looked_for() -> None:
    converters.register()
    assert not {"lightgbm", "xgboost", "onnxmltools"} & sys.modules.keys()
