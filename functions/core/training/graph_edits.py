"""Nodes that are added to the graph of an exported model, so that it answers as its callers must be answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from functions.core.training.signature import LABEL, PROBABILITIES

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto

    from functions.core.training.class_answers import Threshold

FOREST = frozenset({"TreeEnsembleClassifier", "TreeEnsembleRegressor"})
_MARGIN = 1e-6
"""Below a threshold, for sums in 32 bits: a tuned threshold is often the very probability of some rows."""
_ML = "ai.onnx.ml"
_ABS = 13
"""The newest version of ONNX's own operators that changed Abs."""


def bound_probabilities(model: ModelProto) -> bool:
    """Bring probabilities into the range from 0 to 1, and their sum to 1. Return whether the model has such an output.

    The sign of what rounding put below 0 is dropped: a comparison would lose a NaN, which must stay visible.
    """
    from onnx import TensorProto, helper  # noqa: PLC0415 - 0.2 s that a failing fit need not pay

    graph = model.graph
    output = next((output for output in graph.output if output.name == PROBABILITIES), None)
    computed = {name for node in graph.node for name in node.output}
    if output is None or PROBABILITIES not in computed or len(output.type.tensor_type.shape.dim) != 2:
        return False
    rename(graph, PROBABILITIES, "probabilities_computed")
    graph.node.extend(
        [
            helper.make_node("Abs", ["probabilities_computed"], ["probabilities_positive"]),
            helper.make_node("Normalizer", ["probabilities_positive"], [PROBABILITIES], domain=_ML, norm="L1"),
        ]
    )
    output.type.tensor_type.elem_type = TensorProto.FLOAT
    if all(entry.domain != _ML for entry in model.opset_import):
        model.opset_import.add(domain=_ML, version=1)
    if all(entry.domain for entry in model.opset_import):
        model.opset_import.add(domain="", version=_ABS)
    return True


def unzip_probabilities(graph: GraphProto, classes: int) -> None:
    """Have probabilities be a tensor [rows, classes] where a last node makes a map by class of each row.

    Converters add that node by default, and some libraries always.
    """
    from onnx import TensorProto, helper  # noqa: PLC0415 - as above

    zipped = next((node for node in graph.node if node.op_type == "ZipMap" and PROBABILITIES in node.output), None)
    if zipped is None:
        return
    plain = zipped.input[0]
    graph.node.remove(zipped)
    rename(graph, plain, PROBABILITIES)
    for output in graph.output:
        if output.name == PROBABILITIES:
            output.CopyFrom(helper.make_tensor_value_info(PROBABILITIES, TensorProto.FLOAT, [None, classes]))


def decide_by(model: ModelProto, threshold: Threshold) -> None:
    """Have the label say whether the probability of a class reaches a threshold, in place of the likeliest class."""
    from onnx import TensorProto, helper  # noqa: PLC0415 - as above

    graph = model.graph
    given = {output.name: output for output in graph.output}
    rename(graph, LABEL, "label_likeliest")
    constants = {
        "served_threshold": (TensorProto.FLOAT, threshold.value - _MARGIN),
        "served_positive": (TensorProto.INT64, threshold.positive),
        "served_negative": (TensorProto.INT64, 1 - threshold.positive),
    }
    for name, (kind, value) in constants.items():
        graph.initializer.append(helper.make_tensor(name, kind, [], [value]))
    compared = PROBABILITIES
    if given[PROBABILITIES].type.tensor_type.elem_type != TensorProto.FLOAT:
        compared = "probabilities_compared"
        graph.node.append(helper.make_node("Cast", [PROBABILITIES], [compared], to=TensorProto.FLOAT))
    if (label := given[LABEL].type.tensor_type).elem_type != TensorProto.INT64 or len(label.shape.dim) != 1:
        given[LABEL].CopyFrom(helper.make_tensor_value_info(LABEL, TensorProto.INT64, [None]))
    graph.node.extend(
        [
            helper.make_node("Gather", [compared, "served_positive"], ["probability_positive"], axis=1),
            helper.make_node("Less", ["probability_positive", "served_threshold"], ["below_threshold"]),
            helper.make_node("Where", ["below_threshold", "served_negative", "served_positive"], [LABEL]),
        ]
    )


def name_output(model: ModelProto, name: str) -> None:
    """Give the one output of a model another name."""
    [output] = model.graph.output
    rename(model.graph, output.name, name)
    output.name = name


def rename(graph: GraphProto, name: str, other: str) -> None:
    """Give a tensor another name inside a graph, and inside the graphs within it; outputs of the graph keep theirs."""
    for node in graph.node:
        for names in (node.input, node.output):
            names[:] = [other if one == name else one for one in names]
        for inner in _inner(node):
            rename(inner, name, other)


def _inner(node: Any) -> list[GraphProto]:
    return [
        graph
        for attribute in node.attribute
        for graph in (*([attribute.g] * attribute.HasField("g")), *attribute.graphs)
    ]
