"""The workflow's release, judge and abandon steps, on Cloud Run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.adapters.gcp.step import run
from functions.entries.rollout import rollout

if TYPE_CHECKING:
    import flask


def handle(request: flask.Request) -> flask.Response:
    return run(rollout, request)
