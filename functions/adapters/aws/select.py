"""The step that selects and registers, on Lambda."""

from __future__ import annotations

from typing import Any

from functions.adapters.aws.step import run
from functions.entries.select import select


def handle(event: object, context: object) -> dict[str, Any]:
    return run(select, event, context)
