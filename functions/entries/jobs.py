"""The function that does batch prediction jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.onnx import library as ort

ort.begin()  # the library is opened while the rest is imported

from functions.core.jobs.job_usage import JobUsage
from functions.core.jobs.worker import Worker
from functions.core.registry.live_pointer import Live
from functions.core.registry.versions import Registry
from functions.core.runtime.consumer import Consumer
from functions.core.serving.model_cache import ModelCache
from interface import variables

if TYPE_CHECKING:
    from functions.core.jobs.telling import Telling
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
    objects, attempts = environment.store(variables.JOBS_URL), int(environment.number(variables.ATTEMPTS))
    parallelism = int(environment.number(variables.PARALLELISM))
    worker: Worker | Telling = Worker(objects, model_caches, log, attempts=attempts, parallelism=parallelism)
    url = environment.optional(variables.JOBS_WEBHOOK)
    if url is not None:
        from functions.core.jobs.telling import Telling  # noqa: PLC0415 - most stacks have no webhook
        from functions.core.jobs.webhook import Webhook  # noqa: PLC0415

        webhook = Webhook(url, environment.text(variables.JOBS_WEBHOOK_SECRET))
        worker = Telling(worker, webhook, objects, model_caches, log, attempts=attempts)
    return Consumer(
        work=worker.work,
        log=log,
        metering=environment.metering,
        note=JobUsage(objects, model_caches).note,
        timeout_seconds=environment.number(variables.TIMEOUT_SECONDS),
    )
