"""The models that the settings of a stack single out: each is one of the stack's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

SECTIONS = ("scaling", "training", "rollout")
"""Each may say something of single models, under `models`."""


def unknown_models(document: Any) -> Iterator[ErrorDetails]:
    """Yield a problem for each model that a section of the settings names and the stack does not have."""
    models = document.get("models") if isinstance(document, dict) else None
    if not isinstance(models, list):
        return
    for section in SECTIONS:
        stated = document.get(section)
        singled_out = stated.get("models") if isinstance(stated, dict) else None
        for name in singled_out if isinstance(singled_out, dict) else ():
            if name not in models:
                yield {
                    "type": "value_error",
                    "loc": (section, "models", name),
                    "input": name,
                    "msg": "the models of the stack",
                    "ctx": {"accepted": ", ".join(map(str, models))},
                }
