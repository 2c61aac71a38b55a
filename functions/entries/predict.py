"""The function that answers predictions."""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING

from functions.core.onnx import library as ort

ort.begin()  # the library is opened while the rest is imported

from functions.core.api.service import Service
from functions.core.http.json_codec import dump_json
from functions.core.registry.captures import Captures
from functions.core.registry.live_pointer import Live
from functions.core.registry.versions import Registry
from functions.core.serving.model_cache import ModelCache
from functions.core.serving.predictor import Predictor
from interface import variables

if TYPE_CHECKING:
    from functions.core.jobs.api import JobsApi
    from functions.core.runtime.environment import Environment
    from functions.core.serving.redaction import Redaction

SHARE = 0.9
"""How much of the function's time models may take: the answer that they did not end needs some, too."""


def predict(environment: Environment) -> Service:
    """Compose the HTTP API over the models of this function, which stay open between requests."""
    # Small numbers in the line of a first answer would have orjson imported for it.
    encode = partial(dump_json, alike=False)
    log = environment.log(encode=encode)
    models = environment.store(variables.MODELS_URL, patience_seconds=8)
    captures = environment.store(variables.CAPTURES_URL, patience_seconds=2)
    redaction = _redaction(environment)
    predictors = {
        name: Predictor(
            ModelCache(
                Registry(models, name), Live(models, name), log, seconds=environment.number(variables.POINTER_SECONDS)
            ),
            Captures(captures, name, log, metering=environment.metering, encode=encode),
            capture_inputs=environment.number(variables.CAPTURE_INPUTS),
            redaction=redaction,
        )
        for name in environment.names(variables.MODELS)
    }
    environment.text(variables.JOBS_URL)

    @cache
    def jobs_api() -> JobsApi:
        from functions.core.jobs.api import JobsApi  # noqa: PLC0415 - predictions do without it

        return JobsApi(environment.store(variables.JOBS_URL, patience_seconds=8))

    elsewhere = {name: Live(models, name) for name in environment.names(variables.MODELS_ELSEWHERE, optional=True)}
    seconds = environment.number(variables.TIMEOUT_SECONDS) * SHARE
    return Service(predictors, jobs_api, log, elsewhere=elsewhere, seconds=seconds, metering=environment.metering)


def _redaction(environment: Environment) -> Redaction | None:
    columns = environment.optional(variables.CAPTURE_REDACT)
    if columns is None:
        return None
    from functions.core.serving.redaction import Redaction  # noqa: PLC0415 - few stacks redact

    return Redaction.of(columns, environment.optional(variables.CAPTURE_KEY))
