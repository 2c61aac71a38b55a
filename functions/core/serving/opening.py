"""The choice of the `Servable` for a version, by the task on its card. A kind that is not served is not imported."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.onnx.session import BadModel

if TYPE_CHECKING:
    from functions.core.registry.versions import Version
    from functions.core.serving.servable import Servable
    from functions.core.serving.tabular import Tabular


def open_version(version: Version) -> Servable:
    """Open a version. Raise `BadModel` where that fails, or its golden answers are not those of its making."""
    match version.card["task"]:
        case "finished":
            from functions.core.serving.onnx_model import OnnxModel  # noqa: PLC0415

            return OnnxModel(version)
        case _:
            return open_trained(version)


def open_trained(version: Version) -> Tabular:
    """Open a version that was trained here, as `open_version` does."""
    match version.card["task"]:
        case "classification":
            from functions.core.serving.classifier import Classifier  # noqa: PLC0415

            return Classifier(version)
        case "regression" | "forecasting":
            from functions.core.serving.regressor import Regressor  # noqa: PLC0415

            return Regressor(version)
        case _:
            raise BadModel("its card names a task that this release does not know")
