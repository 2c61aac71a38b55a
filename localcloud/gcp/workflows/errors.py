"""Errors of executions and of documents.

Tags and their meaning: https://cloud.google.com/workflows/docs/reference/syntax/error-types
"""

from __future__ import annotations

from typing import Any


class Raised(Exception):
    """An error that a workflow can catch: a map with `message` and `tags`, or the value of its `raise`."""

    def __init__(self, value: Any) -> None:
        super().__init__(value["message"] if isinstance(value, dict) and "message" in value else str(value))
        self.value = value
        self.where = ""
        """The step and the routine that raised it."""


class Refused(ValueError):
    """A document is not deployed. The message names the step and what is accepted."""


class Undocumented(Exception):
    """Google's documentation does not say what happens. The execution ends, and cannot catch this."""


class Cancelled(Exception):
    """The execution was cancelled."""


def error(tag: str, message: str, **more: Any) -> Raised:
    """Return an error with one tag, and more fields of its map."""
    return Raised({"message": message, "tags": [tag], **more})
