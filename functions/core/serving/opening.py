"""A version, opened as the kind of model that its card says it is. A kind that nobody serves is not imported."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.onnx.session import BadModel

if TYPE_CHECKING:
    from functions.core.registry.versions import Version
    from functions.core.serving.servable import Servable


def open_version(version: Version) -> Servable:
    """Raises `BadModel` when it cannot be opened, or does not answer as it did when it was made."""
    match version.card["task"]:
        case "classification":
            from functions.core.serving.classifier import Classifier  # noqa: PLC0415

            return Classifier(version)
        case "finished":
            from functions.core.serving.onnx_model import OnnxModel  # noqa: PLC0415

            return OnnxModel(version)
        case _:
            raise BadModel("its card names a task that this release does not know")
