"""Run a step as Step Functions or EventBridge Scheduler invokes it: an exception fails the invocation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from functions.adapters.aws.environment import called, composed, loaded
from functions.core.runtime.spans import of_call

if TYPE_CHECKING:
    from collections.abc import Callable

    from functions.core.runtime.environment import Environment
    from functions.core.runtime.step import Step


def handler(entry: Callable[[Environment], Step]) -> Callable[[object, object], dict[str, Any]]:
    """Return the Lambda function that runs the step that `entry` composes; the event is its payload."""

    def handle(event: object, context: object) -> dict[str, Any]:
        own, cloud_id = called()
        span = of_call(event, otherwise=own)
        span.cloud_id = cloud_id
        return composed(entry, span).run(event, getattr(context, "aws_request_id", None), span)

    loaded()
    return handle
