"""Predictions, behind an HTTP API."""

from __future__ import annotations

from functools import cache
from typing import Any

from functions.adapters.aws.environment import Environment
from functions.adapters.aws.http import answer_of, request_of
from functions.core.capture import Captures
from functions.core.follower import Follower
from functions.core.jobs import Desk
from functions.core.live import Live
from functions.core.predict import Predictor
from functions.core.registry import Registry
from functions.core.service import Service


def handle(event: dict[str, Any], context: object) -> dict[str, Any]:
    return answer_of(_service().answer(request_of(event)))


@cache
def _service() -> Service:
    """The one service of this copy of the function: its models stay open between requests."""
    told = Environment()
    log = told.log()
    models = told.store("MODELS_URL", patience_seconds=8)
    captures = told.store("CAPTURES_URL", patience_seconds=2)
    predictors = {
        name: Predictor(
            Follower(Registry(models, name), Live(models, name), log, seconds=told.number("POINTER_SECONDS")),
            Captures(captures, name, log),
            capture_inputs=told.number("CAPTURE_INPUTS"),
        )
        for name in told.names("MODELS")
    }
    return Service(predictors, Desk(told.store("JOBS_URL", patience_seconds=8)), log)
