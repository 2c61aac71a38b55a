"""The step that runs one experiment, on Lambda."""

from __future__ import annotations

from typing import Any

from functions.adapters.aws.step import run
from functions.entries.train import train


def handle(event: object, context: object) -> dict[str, Any]:
    return run(train, event, context)
