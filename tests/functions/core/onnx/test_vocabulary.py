from __future__ import annotations

from typing import Any

import pytest
from onnx import NodeProto, helper

from functions.core.onnx.vocabulary import categories
from tests.functions.graphs import graph


def one_hot(takes: str, gives: str, **known: Any) -> NodeProto:
    return helper.make_node("OneHotEncoder", [takes], [gives], domain="ai.onnx.ml", zeros=0, **known)


def made(*nodes: NodeProto, inputs: tuple[str, ...] = ("a", "b", "c")) -> bytes:
    return graph(nodes, [(name, "BYTES", [None, 1]) for name in inputs], [("y", "FP32", None)])


def test_each_input_has_the_categories_of_the_encoder_that_it_leads_to() -> None:
    data = made(
        helper.make_node("Identity", ["b"], ["b1"]),
        one_hot("a", "a1", cats_strings=["x", "ü"]),
        one_hot("b1", "b2", cats_int64s=[-1, 0, 2**62]),
        helper.make_node("Concat", ["a1", "b2"], ["y"], axis=1),
    )
    assert categories(data, ["a", "b", "c"]) == {"a": ("x", "ü"), "b": (-1, 0, 2**62)}


def test_columns_that_are_joined_first_have_each_the_encoder_of_their_position() -> None:
    picked = [helper.make_node("ArrayFeatureExtractor", ["both", at], [at + "x"], domain="ai.onnx.ml") for at in "01"]
    data = made(
        helper.make_node("Concat", ["a", "b"], ["both"], axis=1),
        *picked,
        one_hot("0x", "0y", cats_strings=["x"]),
        one_hot("1x", "1y", cats_strings=["z"]),
        helper.make_node("Concat", ["0y", "1y"], ["y"], axis=1),
    )
    assert categories(data, ["a", "b"]) == {"a": ("x",), "b": ("z",)}


@pytest.mark.parametrize("known", [{"keys_strings": ["x"]}, {"keys_int64s": [3]}])
def test_the_keys_of_a_label_encoder_are_categories_too(known: Any) -> None:
    data = made(helper.make_node("LabelEncoder", ["a"], ["y"], domain="ai.onnx.ml", values_floats=[0.0], **known))
    assert categories(data, ["a"]) == {"a": tuple(next(iter(known.values())))}


def test_a_model_without_encoders_knows_no_categories() -> None:
    assert categories(made(helper.make_node("Identity", ["a"], ["y"])), ["a"]) == {}
    assert categories(made(helper.make_node("Custom", ["a"], ["y"], classes=["x"])), ["a"]) == {}
