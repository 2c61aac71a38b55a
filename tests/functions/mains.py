"""What the archives' `main.py` offers, in this process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from infra.bundle import main
from infra.function_table import named


def handle(function: str, cloud: str = "aws") -> Callable[..., Any]:
    """Return the function that a cloud calls, from its `main.py` on."""
    namespace: dict[str, Any] = {}
    exec(main(named(function), cloud), namespace)  # noqa: S102 - the archive's own file
    return namespace["handle"]
