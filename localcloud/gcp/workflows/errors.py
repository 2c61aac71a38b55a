"""What can go wrong in an execution, and in a document before it is one.

Tags and their meaning: https://cloud.google.com/workflows/docs/reference/syntax/error-types
"""

from __future__ import annotations

from typing import Any


class Raised(Exception):
    """An error that a workflow can catch: a map with `message` and `tags`, or whatever `raise` was given."""

    def __init__(self, value: Any) -> None:
        super().__init__(value["message"] if isinstance(value, dict) and "message" in value else str(value))
        self.value = value
        self.where = ""
        """The step and the routine that it came from."""


class Refused(ValueError):
    """A document that is not deployed. The message names the step and what is accepted."""


class Undocumented(Exception):
    """Something on which the documentation is silent. It ends the execution, uncaught, rather than guess."""


class Cancelled(Exception):
    """The execution was cancelled."""


def error(tag: str, message: str, **more: Any) -> Raised:
    return Raised({"message": message, "tags": [tag], **more})
