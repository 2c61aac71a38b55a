"""Convert a fitted scikit-learn estimator to ONNX, with the tensor names of `functions.core.training.signature`.

The file answers as the estimator does: skl2onnx forgets at which threshold an estimator decides, and where the
trees of a forest send a missing value.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from functions.core.training import converters
from functions.core.training.class_answers import Threshold
from functions.core.training.graph_edits import FOREST, bound_probabilities, decide_by, name_output
from functions.core.training.signature import INPUT, VALUE
from functions.core.training.unusable import UnusableEstimator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from onnx import ModelProto
    from sklearn.base import BaseEstimator

_WHERE = 9
"""The first opset that chooses between two values."""
_OPSET = {"": 21, "ai.onnx.ml": 3}
"""Fixed, so that a newer converter does not change the bytes."""


def to_onnx(estimator: BaseEstimator, width: int, *, decides: bool = True) -> bytes:
    """Return the ONNX file of a classifier for rows of `width` features; the same estimator gives the same bytes.

    `decides`: whether a threshold of the estimator decides about the label.

    Raises `UnusableEstimator` for one of a kind that nothing here converts, and what skl2onnx raises where it fails.
    """
    model = _converted(estimator, width, {"zipmap": False})
    threshold = threshold_of(estimator)
    if decides and threshold is not None:
        decide_by(model, threshold)
    return _bytes_of(model)


def number_to_onnx(estimator: BaseEstimator, width: int) -> bytes:
    """Return the ONNX file of a regressor, as `to_onnx` does."""
    model = _converted(estimator, width, {})
    name_output(model, VALUE)
    return _bytes_of(model)


def _converted(estimator: BaseEstimator, width: int, options: dict[str, Any]) -> ModelProto:
    from skl2onnx import convert_sklearn  # noqa: PLC0415 - 0.7 s that a failing fit need not pay
    from skl2onnx.common.data_types import FloatTensorType  # noqa: PLC0415
    from skl2onnx.common.exceptions import MissingConverter, MissingShapeCalculator  # noqa: PLC0415

    converted = _without_threshold(estimator)
    _round_splits_down(converted)
    converters.register()
    try:
        model = convert_sklearn(
            converted,
            name="model",  # its default is a random one
            initial_types=[(INPUT, FloatTensorType([None, width]))],
            options={id(converted): options} if options else None,
            target_opset=_OPSET,
        )
    except (MissingConverter, MissingShapeCalculator) as problem:
        raise UnusableEstimator(f"{converters.unknown(str(problem))}") from None
    _send_missing_values(model, converted)
    return model


def _bytes_of(model: ModelProto) -> bytes:
    domains = {entry.domain: entry.version for entry in model.opset_import}
    del model.opset_import[:]
    for domain, version in sorted(domains.items()):
        model.opset_import.add(domain=domain, version=version)
    return model.SerializeToString(deterministic=True)


def bounded(onnx: bytes) -> bytes:
    """Return an ONNX file whose probabilities are from 0 to 1 and sum to 1, where sums in 32 bits leave this range.

    What is no ONNX file with these outputs is returned as it is.
    """
    from google.protobuf.message import DecodeError  # noqa: PLC0415 - as above
    from onnx import ModelProto  # noqa: PLC0415

    try:
        model = ModelProto.FromString(onnx)
    except DecodeError:
        return onnx
    return model.SerializeToString(deterministic=True) if bound_probabilities(model) else onnx


def decided(onnx: bytes, threshold: Threshold) -> bytes:
    """Return an ONNX file whose label says whether the probability of a class reaches a threshold.

    What is no ONNX file with a graph is returned as it is. Raise `UnusableEstimator` for an opset that is too old.
    """
    from google.protobuf.message import DecodeError  # noqa: PLC0415 - as above
    from onnx import ModelProto  # noqa: PLC0415

    try:
        model = ModelProto.FromString(onnx)
    except DecodeError:
        return onnx
    if not model.graph.node:
        return onnx
    oldest = min((entry.version for entry in model.opset_import if not entry.domain), default=_WHERE)
    if oldest < _WHERE:
        raise UnusableEstimator(f"the file of export has opset {oldest}; a decision needs {_WHERE} or a newer one")
    decide_by(model, threshold)
    return model.SerializeToString(deterministic=True)


def threshold_of(estimator: Any) -> Threshold | None:
    """Return how an estimator decides whose threshold was tuned or fixed; None for every other."""
    decides = _decides(estimator)
    if decides is None:
        return None
    if hasattr(decides, "best_threshold_"):
        # The label is not told otherwise.
        value, label = decides.best_threshold_, decides._curve_scorer._get_pos_label()
    else:
        value, label = 0.5 if decides.threshold == "auto" else decides.threshold, decides.pos_label
    positive = 1 if label is None else list(decides.classes_).index(label)
    return Threshold(positive=positive, value=float(value))


def _decides(estimator: Any) -> Any:
    """Return the part of an estimator that compares probabilities with a threshold; None where there is none."""
    # An estimator of scikit-learn has imported it; for another it would take a second.
    selection = sys.modules.get("sklearn.model_selection")
    if selection is None:
        return None
    for part in _parts(estimator):
        if isinstance(part, selection.FixedThresholdClassifier | selection.TunedThresholdClassifierCV):
            method = part.response_method
            # A threshold of another scale is not one of probabilities: the file then shows that it decides otherwise.
            return part if method == "predict_proba" or (method == "auto" and _has_probabilities(part)) else None
    return None


def _has_probabilities(part: Any) -> bool:
    return hasattr(part.estimator_, "predict_proba")


def _parts(estimator: Any) -> Iterator[Any]:
    """Yield an estimator, and the one inside it whose `predict` it calls, and so on."""
    while estimator is not None:
        yield estimator
        steps = getattr(estimator, "steps", None)
        estimator = steps[-1][1] if steps else getattr(estimator, "best_estimator_", None)


def _without_threshold(estimator: Any) -> Any:
    """Return an estimator of the same probabilities for the converter, which refuses or forgets thresholds."""
    decides = _decides(estimator)
    if decides is None:
        return estimator
    if decides is estimator:
        return decides.estimator_
    steps = getattr(estimator, "steps", None)
    if steps is None:
        return _without_threshold(estimator.best_estimator_)
    name, last = steps[-1]
    return type(estimator)([*steps[:-1], (name, _without_threshold(last))])


def _round_splits_down(estimator: Any) -> None:
    """Have histogram trees split where 32 bits can: a split between two such numbers is rounded to the lower side.

    To the nearest, as the converter rounds, a number above the split may come to lie below. For numbers of 32 bits,
    which are all that a model gets, the estimator decides as before.
    """
    for part in _parts(estimator):
        for trees in getattr(part, "_predictors", None) or ():
            for tree in trees if isinstance(trees, list) else ():
                splits = tree.nodes["num_threshold"]
                near = splits.astype(np.float32)
                tree.nodes["num_threshold"] = np.where(near > splits, np.nextafter(near, np.float32(-np.inf)), near)


def _send_missing_values(model: ModelProto, estimator: Any) -> None:
    """Have the trees of a forest send missing values where the estimator's do, and not all to one side."""
    trees = [tree for part in _parts(estimator) for tree in _trees(part)]
    forests = [node for node in model.graph.node if node.op_type in FOREST]
    if len(forests) != 1 or not all(hasattr(tree, "missing_go_to_left") for tree in trees):
        return
    tracks = [int(left) for tree in trees for left in tree.missing_go_to_left]
    for attribute in forests[0].attribute:
        if attribute.name == "nodes_missing_value_tracks_true" and len(attribute.ints) == len(tracks):
            # A leaf has no children, whatever is written there.
            leaves = [mode == b"LEAF" for mode in _attribute(forests[0], "nodes_modes").strings]
            attribute.ints[:] = [0 if leaf else left for left, leaf in zip(tracks, leaves, strict=True)]


def _trees(part: Any) -> list[Any]:
    """Return the trees of a forest, or of a single tree, in the order in which skl2onnx writes them."""
    single = getattr(part, "tree_", None)
    if single is not None:
        return [single]
    found = [getattr(one, "tree_", None) for one in getattr(part, "estimators_", ()) if not isinstance(one, str)]
    return [tree for tree in found if tree is not None]


def _attribute(node: Any, name: str) -> Any:
    return next(attribute for attribute in node.attribute if attribute.name == name)
