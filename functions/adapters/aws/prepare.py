"""The step that prepares a dataset, on Lambda."""

from __future__ import annotations

from typing import Any

from functions.adapters.aws.step import run
from functions.entries.prepare import prepare


def handle(event: object, context: object) -> dict[str, Any]:
    return run(prepare, event, context)
