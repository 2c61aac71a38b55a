"""Jobs: a queue's batch of events about new objects in the jobs store."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from functions.adapters.aws.environment import Environment
from functions.adapters.aws.queue import in_part, new_object
from functions.core.follower import Follower
from functions.core.jobs import Worker
from functions.core.live import Live
from functions.core.registry import Registry

if TYPE_CHECKING:
    from functions.core.log import Log


def handle(event: dict[str, Any], context: object) -> dict[str, Any]:
    worker, log = _worker()
    return in_part(event, lambda body: worker.work(new_object(body)), log)


@cache
def _worker() -> tuple[Worker, Log]:
    told = Environment()
    log = told.log()
    models = told.store("MODELS_URL")
    followers = {
        name: Follower(Registry(models, name), Live(models, name), log, seconds=told.number("POINTER_SECONDS"))
        for name in told.names("MODELS")
    }
    return Worker(told.store("JOBS_URL"), followers, log), log
