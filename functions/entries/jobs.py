"""The function that does long work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.onnx import library as ort

ort.begin()  # the library is opened while the rest is imported

from functions.core.jobs.worker import Worker
from functions.core.registry.live_pointer import Live
from functions.core.registry.versions import Registry
from functions.core.runtime.consumer import Consumer
from functions.core.serving.model_cache import ModelCache

if TYPE_CHECKING:
    from functions.core.runtime.environment import Environment


def jobs(told: Environment) -> Consumer:
    """Does the job at every new key of the jobs store."""
    log = told.log()
    models = told.store("MODELS_URL")
    model_caches = {
        name: ModelCache(Registry(models, name), Live(models, name), log, seconds=told.number("POINTER_SECONDS"))
        for name in told.names("MODELS")
    }
    worker = Worker(told.store("JOBS_URL"), model_caches, log, attempts=int(told.number("ATTEMPTS")))
    return Consumer(work=worker.work, log=log, timeout_seconds=told.number("TIMEOUT_SECONDS"))
