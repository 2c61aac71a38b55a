"""Converters to ONNX for estimators of packages that a model brings, which skl2onnx is told of.

onnxmltools has them; a model that is to be converted by them brings it, too.
"""

from __future__ import annotations

import re
import sys
from importlib import import_module
from typing import Any

import numpy as np

ACCEPTED = (
    "an estimator of scikit-learn; of LightGBM or XGBoost, with onnxmltools and packaging in requirements.in;"
    " or an export(estimator) -> bytes in training.py"
)
KIND = re.compile(r"<class '([^']+)'>")


def register() -> None:
    """Tell skl2onnx how the estimators of LightGBM and of XGBoost are converted, where both packages are there."""
    for package, prefix, converter in (("lightgbm", "LGBM", _lightgbm), ("xgboost", "XGB", _xgboost)):
        # An estimator of the package has imported it.
        if package in sys.modules and (convert := converter()) is not None:
            for classifies, kind in ((True, f"{prefix}Classifier"), (False, f"{prefix}Regressor")):
                _tell(getattr(sys.modules[package], kind), f"{package}{kind}", convert, classifies=classifies)


def unknown(problem: str) -> str:
    """Return a sentence in place of what skl2onnx says of an estimator that it knows no converter of."""
    kind = KIND.search(problem)
    return f"{kind[1] if kind else 'the estimator'} is converted to ONNX by nothing here; accepted: {ACCEPTED}"


def _tell(estimator: type, name: str, convert: Any, *, classifies: bool) -> None:
    from skl2onnx import update_registered_converter  # noqa: PLC0415 - 0.7 s that a failing fit need not pay
    from skl2onnx.common import shape_calculator as shapes  # noqa: PLC0415

    if classifies:
        options = {"nocl": [True, False], "zipmap": [True, False, "columns"], "raw_scores": [True, False]}
        shape = shapes.calculate_linear_classifier_output_shapes
    else:
        options, shape = {"split": None}, shapes.calculate_linear_regressor_output_shapes
    update_registered_converter(estimator, name, shape, convert, options=options)


def _lightgbm() -> Any:
    try:
        converters = import_module("onnxmltools.convert.lightgbm.operator_converters.LightGbm")
    except ImportError:
        return None

    def convert(scope: Any, operator: Any, container: Any) -> None:
        """Convert with splits rounded down to 32 bits: to the nearest, a number above a split may come to lie below."""
        booster = operator.raw_operator.booster_
        dumped = booster.dump_model()
        for tree in dumped["tree_info"]:
            _round_down(tree["tree_structure"])
        # By these two the converter takes another dump than the one it would make.
        booster.is_mock, booster.dump_model = True, lambda: dumped
        try:
            converters.convert_lightgbm(scope, operator, container)
        finally:
            del booster.is_mock, booster.dump_model

    return convert


def _round_down(node: dict[str, Any]) -> None:
    """Round the splits of a tree below a node. One of categories is no number, and stays."""
    split = node.get("threshold")
    if isinstance(split, float):
        with np.errstate(over="ignore"):  # a split of what is missing from all numbers is at 1e300
            near = np.float32(split)
        # Compared as numbers of 64 bits: beside one of 32, Python's own are rounded first.
        node["threshold"] = float(near if float(near) <= split else np.nextafter(near, np.float32(-np.inf)))
    for side in ("left_child", "right_child"):
        if side in node:
            _round_down(node[side])


def _xgboost() -> Any:
    try:
        converters = import_module("onnxmltools.convert.xgboost.operator_converters.XGBoost")
    except ImportError:
        return None
    return converters.convert_xgboost
