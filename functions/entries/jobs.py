"""The function that does batch prediction jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.onnx import library as ort

ort.begin()  # the library is opened while the rest is imported

from functions.core.jobs.worker import Worker
from functions.core.registry.live_pointer import Live
from functions.core.registry.versions import Registry
from functions.core.runtime.consumer import Consumer
from functions.core.serving.model_cache import ModelCache
from interface import variables

if TYPE_CHECKING:
    from functions.core.runtime.environment import Environment


def jobs(environment: Environment) -> Consumer[str]:
    """Compose the consumer that does the job at every new key of the jobs store."""
    log = environment.log()
    models = environment.store(variables.MODELS_URL)
    model_caches = {
        name: ModelCache(
            Registry(models, name), Live(models, name), log, seconds=environment.number(variables.POINTER_SECONDS)
        )
        for name in environment.names(variables.MODELS)
    }
    worker = Worker(
        environment.store(variables.JOBS_URL),
        model_caches,
        log,
        attempts=int(environment.number(variables.ATTEMPTS)),
        parallelism=int(environment.number(variables.PARALLELISM)),
    )
    return Consumer(work=worker.work, log=log, timeout_seconds=environment.number(variables.TIMEOUT_SECONDS))
