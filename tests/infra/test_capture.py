"""Columns that captures do not keep are columns of the stack's models."""

from __future__ import annotations

import pulumi
import pytest
from onnx import TensorProto, helper

from infra import chosen_models
from infra.settings import Settings
from interface.onnx_file import inputs_of
from tests.functions.bring_your_own import pair, scalars
from tests.graph import deploy


def told(**redact: str) -> str:
    settings = Settings.parse(
        {"cloud": "aws", "models": ["breast_cancer", "file_type"], "capture": {"redact": redact}}, where=""
    )
    found: list[str] = []

    def program() -> None:
        try:
            chosen_models.require(settings)
        except pulumi.RunError as refused:
            found.append(str(refused))

    deploy(program)
    return "".join(found)


def test_a_column_of_any_model_is_accepted_of_a_finished_one_its_inputs() -> None:
    assert told(mean_radius="omit", bytes="omit") == ""


def test_a_column_that_no_model_has_is_told_with_those_there_are() -> None:
    message = told(radius="omit", mean_radius="omit", weight="omit")
    first, second = message.splitlines()
    assert first.startswith(
        "Pulumi.test.yaml: serverless-ml:settings -> capture.redact.radius: no model of the stack has this column;"
        " accepted: mean_radius, mean_texture, "
    )
    assert first.endswith("(breast_cancer); bytes (file_type)")
    assert "capture.redact.weight" in second


@pytest.mark.parametrize(("onnx", "names"), [(pair(), ("a", "b", "text")), (scalars(), ("n", "yes"))])
def test_the_inputs_of_a_file_are_read_from_its_bytes(onnx: bytes, names: tuple[str, ...]) -> None:
    assert inputs_of(onnx) == names


def test_weights_that_an_old_file_lists_among_its_inputs_are_none() -> None:
    graph = helper.make_graph(
        [helper.make_node("Add", ["x", "w"], ["y"])],
        "old",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in ("x", "w")],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])],
        [helper.make_tensor("w", TensorProto.FLOAT, [1], [2.0])],
    )
    assert inputs_of(helper.make_model(graph).SerializeToString()) == ("x",)
