"""The step that prepares a dataset, on Cloud Run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.adapters.gcp.step import run
from functions.entries.prepare import prepare

if TYPE_CHECKING:
    import flask


def handle(request: flask.Request) -> flask.Response:
    return run(prepare, request)
