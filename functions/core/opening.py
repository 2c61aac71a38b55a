"""A version, opened as the kind of model that its card says it is. A kind that nobody serves is not imported."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.onnx import BadModel

if TYPE_CHECKING:
    from functions.core.registry import Version
    from functions.core.servable import Servable


def open_version(version: Version) -> Servable:
    """Raises `BadModel` when it cannot be opened, or does not answer as it did when it was made."""
    match version.card["task"]:
        case "classification":
            from functions.core.classifier import Classifier  # noqa: PLC0415

            return Classifier(version)
        case "finished":
            from functions.core.finished import FinishedModel  # noqa: PLC0415

            return FinishedModel(version)
        case _:
            raise BadModel("its card names a task that this release does not know")
