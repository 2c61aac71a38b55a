"""Predictions, behind an HTTP API."""

from __future__ import annotations

from typing import Any

from functions.adapters.aws.environment import composed
from functions.adapters.aws.http import answer_of, request_of
from functions.adapters.aws.warm import warm
from functions.entries.predict import predict


def handle(event: dict[str, Any], context: object) -> dict[str, Any]:
    return answer_of(composed(predict).answer(request_of(event)))


warm(predict)
