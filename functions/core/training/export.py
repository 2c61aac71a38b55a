"""Convert a fitted scikit-learn estimator to ONNX, with the tensor names of `functions.core.training.signature`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.training.signature import INPUT

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

_OPSET = {"": 21, "ai.onnx.ml": 3}
"""Fixed, so that a newer converter does not change the bytes."""


def to_onnx(estimator: BaseEstimator, width: int) -> bytes:
    """Return an ONNX file for rows of `width` features; the same estimator gives the same bytes.

    Raises what skl2onnx raises for an estimator that it cannot convert.
    """
    from skl2onnx import convert_sklearn  # noqa: PLC0415 - 0.7 s that a failing fit need not pay
    from skl2onnx.common.data_types import FloatTensorType  # noqa: PLC0415

    model = convert_sklearn(
        estimator,
        name="model",  # its default is a random one
        initial_types=[(INPUT, FloatTensorType([None, width]))],
        options={id(estimator): {"zipmap": False}},
        target_opset=_OPSET,
    )
    domains = {entry.domain: entry.version for entry in model.opset_import}
    del model.opset_import[:]
    for domain, version in sorted(domains.items()):
        model.opset_import.add(domain=domain, version=version)
    return model.SerializeToString(deterministic=True)
