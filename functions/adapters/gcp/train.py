"""The step that runs one experiment, on Cloud Run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.adapters.gcp.step import run
from functions.entries.train import train

if TYPE_CHECKING:
    import flask


def handle(request: flask.Request) -> flask.Response:
    return run(train, request)
