"""A version as people write it: `breast_cancer@bdfb`, by the first letters of its name."""

from __future__ import annotations

from typing import Annotated

import typer

from sml.mistake import Mistake

ModelVersion = Annotated[
    str, typer.Argument(help="The model, and the version by the first letters of its name.", metavar="MODEL[@VERSION]")
]


def parted(text: str) -> tuple[str, str | None]:
    """Return the model and the version that a text names; None where it names no version. Raise `Mistake`."""
    model, at, version = text.partition("@")
    if not model or (at and not version):
        raise Mistake(f"{text!r} names no version; accepted: MODEL or MODEL@VERSION")
    return model, version or None
