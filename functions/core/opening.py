"""A version, opened as the kind of model that its card says it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.classifier import Classifier
from functions.core.finished import FinishedModel

if TYPE_CHECKING:
    from functions.core.registry import Version
    from functions.core.servable import Servable

KINDS: dict[str, type[Classifier] | type[FinishedModel]] = {"classification": Classifier, "finished": FinishedModel}


def open_version(version: Version) -> Servable:
    """Raises `BadModel` when it cannot be opened, or does not answer as it did when it was made."""
    return KINDS[version.card["task"]](version)
