"""Jobs: pushed messages about new objects in the jobs store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.adapters.gcp.environment import composed
from functions.adapters.gcp.queue import acknowledged
from functions.entries.jobs import jobs

if TYPE_CHECKING:
    import flask


def handle(request: flask.Request) -> flask.Response:
    return acknowledged(request, composed(jobs))
