"""Sends a message to the queue of a function of the running stack."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from infra.function_table import FUNCTIONS, Messages
from localcloud.commands.control import FILE, ask
from localcloud.commands.progress import Progress
from localcloud.engine.cloud import CloudFailed


def main(progress: Progress, state: Path, function: str, message: str) -> int:
    """Send a JSON object to a function of the stack of `make up`.

    Raises `CloudFailed` when no stack is up, for a text that is no JSON object, and for a function that takes no
    messages.
    """
    ask(state / FILE, "send", function=takes_messages(function), message=json_object(message))
    progress.line("sent", f"to the queue of {function}; its log: python -m localcloud logs {function}")
    return 0


def json_object(text: str) -> Mapping[str, Any]:
    """Return a message. Raises `CloudFailed` for a text that is no JSON object."""
    try:
        message = json.loads(text)
    except ValueError as problem:
        raise CloudFailed(f"the message is no JSON: {problem}; accepted: a JSON object") from None
    if not isinstance(message, dict):
        raise CloudFailed(f"the message is {text.strip()}; accepted: a JSON object")
    return message


def takes_messages(function: str) -> str:
    """Return the name. Raises `CloudFailed` for a function of another trigger, and lists those that take messages."""
    names = [spec.name for spec in FUNCTIONS if isinstance(spec.trigger, Messages)]
    if function not in names:
        there = ", ".join(names) or "none"
        raise CloudFailed(f"no function called {function} takes messages; there are: {there} (infra/function_table.py)")
    return function
