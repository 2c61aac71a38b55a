"""Predictions, behind API Gateway."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.adapters.gcp.environment import composed
from functions.adapters.gcp.http import answer_of, request_of
from functions.adapters.gcp.warm import warm
from functions.entries.predict import predict

if TYPE_CHECKING:
    import flask


def handle(request: flask.Request) -> flask.Response:
    return answer_of(composed(predict).answer(request_of(request)))


warm(predict)
