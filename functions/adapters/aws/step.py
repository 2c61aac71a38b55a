"""Run a step as Step Functions or EventBridge Scheduler invokes it: an exception fails the invocation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from functions.adapters.aws.environment import composed, loaded

if TYPE_CHECKING:
    from collections.abc import Callable

    from functions.core.runtime.environment import Environment
    from functions.core.runtime.step import Step


def handler(entry: Callable[[Environment], Step]) -> Callable[[object, object], dict[str, Any]]:
    """Return the Lambda function that runs the step that `entry` composes; the event is its payload."""

    def handle(event: object, context: object) -> dict[str, Any]:
        return composed(entry).run(event, getattr(context, "aws_request_id", None))

    loaded()
    return handle
