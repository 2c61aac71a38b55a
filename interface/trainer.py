"""Which function trains a model: what the prepare step answers, and the workflow chooses by."""

from __future__ import annotations

SHARED = "shared"
"""The function of the models without packages of their own."""


def own(model: str) -> str:
    """Return the answer for a model that has a function of its own."""
    return f"own {model}"
