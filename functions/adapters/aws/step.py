"""A step of the workflow as Step Functions invokes it: an exception is the invocation's failure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from functions.adapters.aws.environment import composed

if TYPE_CHECKING:
    from collections.abc import Callable

    from functions.core.runtime.environment import Environment
    from functions.core.runtime.step import Step


def run(entry: Callable[[Environment], Step], event: object, context: object) -> dict[str, Any]:
    """The step's answer to the payload that the event is."""
    return composed(entry).run(event, getattr(context, "aws_request_id", None))
