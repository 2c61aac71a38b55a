"""The HTTP API, without a gateway: a request in, a response out, whatever happens."""

from __future__ import annotations

import time
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from functions.core.http import json_codec
from functions.core.http.json_codec import instances_of, read_json, respond
from functions.core.http.messages import BINARY, Request, Response, key_of
from functions.core.http.problem import Problem
from functions.core.http.routes import Operation, find
from functions.core.onnx.deadline import LONGEST_SECONDS, Within
from functions.core.runtime import spans
from functions.core.serving.predictor import Instances, Question

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from functions.core.jobs.api import JobsApi
    from functions.core.registry.live_pointer import Live
    from functions.core.runtime.log import Log
    from functions.core.runtime.usage import Metering
    from functions.core.serving.predictor import Predictor
    from functions.core.serving.servable import Servable

    Segments = Mapping[str, str]
    """The variable segments of a path, by name."""

NAME = "serverless-ml"
VERSION = "0.1.0"
LARGEST_ANSWER = 5_500_000
"""Bytes. A Lambda function's answer may have 6 MB: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""
LARGEST_BINARY = 4_100_000
"""Bytes of an answer that is no text, which travels there as Base64."""


class Service:
    """One method for each operation of `routes.OPERATIONS`; `METHODS` is the table of them."""

    def __init__(
        self,
        predictors: Mapping[str, Predictor],
        jobs_api: Callable[[], JobsApi],
        log: Log,
        *,
        elsewhere: Mapping[str, Live] | None = None,
        seconds: float = LONGEST_SECONDS,
        metering: Metering | None = None,
    ) -> None:
        """`predictors` are the models that this may be asked about, by name; `POST /predict` asks the only one.

        `jobs_api` is called when a request is about jobs. `elsewhere` are the live pointers of those of them that other
        functions serve. They are opened if a request comes after all, and for nothing else: the API tells of them that
        they exist, and whether they are live. `seconds` is how long models may take to answer a request.
        """
        self._predictors = predictors
        self._served = {name: predictors[name] for name in predictors if name not in (elsewhere or {})}
        self._jobs_api = jobs_api
        self._log = log
        self._elsewhere = elsewhere or {}
        self._seconds = seconds
        self._metering = metering
        # Most requests are billed for one of a few durations.
        self._used = None if metering is None else lru_cache(1024)(lambda billed: log.part(metering.fields(billed)))

    def warm(self) -> None:
        """Open every model that is live, which asks each its golden inputs.

        One that cannot be opened is logged, and tried again by the first request for it.
        """
        json_codec.note_first_answer()
        for predictor in self._served.values():
            try:
                predictor.model_cache.current()
            except Problem:
                self._log.warning("not warmed", model=predictor.model)

    def renew(self) -> None:
        """Have the live pointer of every model read again before its next answer."""
        for predictor in self._served.values():
            predictor.model_cache.renew()

    def answer(self, request: Request) -> Response:
        """Answer a request and log it. Never raise: a fault of ours is an opaque 500, logged in full under its id."""
        start, metering = time.perf_counter(), self._metering
        span = request.span or spans.Span.asked(request.headers)
        spans.enter(span)
        begun = 0.0 if metering is None else metering.begin()
        operation: Operation | None = None
        segments: Segments = {}
        try:
            operation, segments = find(request.method, request.path)
            with Within(self._seconds):
                response = METHODS[operation.id](self, request, segments)
            most = LARGEST_BINARY if response.headers.get("content-type") == BINARY else LARGEST_ANSWER
            if len(response.body) > most:
                raise Problem(413, f"the answer has more than {most} bytes; send fewer rows, or a job")
        except Exception as problem:
            from functions.core.api.refusal import refusal  # noqa: PLC0415 - most requests are answered

            response = refusal(problem, request, span, self._log, self._seconds)
        headers = response.headers
        headers["x-request-id"], headers["traceresponse"] = request.request_id, span.traceparent
        ms = round((time.perf_counter() - start) * 1000, 2)
        billed = 0.0 if metering is None else metering.end(begun)
        if (asked := self._asked(operation, segments)) is not None:
            billed += asked.captures.settle(headers.get("x-model-version"), billed)
        self._log.info_also(
            "request",
            b"" if self._used is None else self._used(billed),
            request_id=request.request_id,
            operation=None if operation is None else operation.id,
            status=response.status,
            ms=ms,
            model=headers.get("x-model"),
            version=headers.get("x-model-version"),
            variant=headers.get("x-model-variant"),
            **span.facts(),
        )
        spans.enter(None)
        json_codec.note_first_answer()
        return response

    def _asked(self, operation: Operation | None, segments: Segments) -> Predictor | None:
        """Return the predictor of the model that a request is about; None where it is about none."""
        if operation is not None and operation.id == "predict" and len(self._predictors) == 1:
            return next(iter(self._predictors.values()))
        return self._predictors.get(segments.get("model", ""))

    def predict(self, request: Request, _: Segments) -> Response:
        [model, *others] = self._predictors
        if others:
            paths = ", ".join(f"POST /models/{name}/predict" for name in self._predictors)
            raise Problem(404, f"there are several models here; ask one of them: {paths}")
        return self._predict(request, model)

    def predict_model(self, request: Request, segments: Segments) -> Response:
        return self._predict(request, segments["model"])

    def _predict(self, request: Request, model: str) -> Response:
        predictor = self._predictor(model)
        instances = Instances(instances_of(read_json(request.body, request.headers)))
        question = Question(
            instances, caller=request.caller, request_id=request.request_id, key=key_of(request.headers)
        )
        prediction = predictor.predict(question)
        return respond(prediction.document(), headers=prediction.labels)

    def model_infer(self, request: Request, segments: Segments) -> Response:
        return self._infer(request, segments["model"], None)

    def version_infer(self, request: Request, segments: Segments) -> Response:
        return self._infer(request, segments["model"], segments["version"])

    def _infer(self, request: Request, model: str, version: str | None) -> Response:
        from functions.core.api.open_inference import Inference  # noqa: PLC0415 - POST /predict does without it

        predictor = self._predictor(model)
        inference = Inference.read(request.body, request.headers)
        question = Question(
            inference, caller=request.caller, request_id=request.request_id, key=key_of(request.headers)
        )
        prediction = predictor.predict(question, version)
        response = inference.response(prediction)
        response.headers.update(prediction.labels)
        return response

    def server_live(self, _: Request, __: Segments) -> Response:
        return respond({"live": True})

    def server_ready(self, _: Request, __: Segments) -> Response:
        for predictor in self._served.values():
            predictor.model_cache.ready()
        for model, live in self._elsewhere.items():
            if not live.names_champion():
                raise Problem(503, f"{model} has no version that is ready", headers={"retry-after": "5"})
        return respond({"ready": True})

    def server_metadata(self, _: Request, __: Segments) -> Response:
        from functions.core.api import open_inference  # noqa: PLC0415

        return respond({"name": NAME, "version": VERSION, "extensions": open_inference.EXTENSIONS})

    def list_models(self, _: Request, __: Segments) -> Response:
        live = {name: self._live_version(name) for name in self._predictors}
        return respond({"models": [{"name": name, "version": live[name], "ready": bool(live[name])} for name in live]})

    def model_metadata(self, _: Request, segments: Segments) -> Response:
        serving = self._predictor(segments["model"]).model_cache.current()
        asked = [serving.champion, *([serving.challenger] if serving.challenger else [])]
        return respond(_metadata(serving.champion, [servable.version for servable in asked]))

    def model_ready(self, _: Request, segments: Segments) -> Response:
        model = segments["model"]
        self._predictor(model).model_cache.ready()
        return respond({"name": model, "ready": True})

    def version_metadata(self, _: Request, segments: Segments) -> Response:
        servable = self._predictor(segments["model"]).model_cache.pinned(segments["version"])
        return respond(_metadata(servable, [servable.version]))

    def version_ready(self, _: Request, segments: Segments) -> Response:
        model, version = segments["model"], segments["version"]
        self._predictor(model).model_cache.pinned(version)
        return respond({"name": model, "version": version, "ready": True})

    def take_feedback(self, request: Request, segments: Segments) -> Response:
        from functions.core.api.feedback import taken  # noqa: PLC0415 - predictions do without it

        return respond(taken(request, self._predictor(segments["model"])), headers={"x-model": segments["model"]})

    def submit_job(self, request: Request, segments: Segments) -> Response:
        model = segments["model"]
        job = self._jobs_api().submit(model, request, self._predictor(model).model_cache.knows)
        url = f"/v2/models/{model}/jobs/{job['id']}"
        return respond({**job, "url": url}, 202, {"location": url, "x-model": model})

    def list_jobs(self, request: Request, segments: Segments) -> Response:
        self._predictor(segments["model"])
        return respond(self._jobs_api().listed(segments["model"], request))

    def job_status(self, request: Request, segments: Segments) -> Response:
        from functions.core.jobs.api import ENDED  # noqa: PLC0415 - predictions do without it

        self._predictor(segments["model"])
        status = self._jobs_api().status(segments["model"], segments["job"], request)
        return respond(status, headers=None if status["status"] in ENDED else {"retry-after": "1"})

    def stop_job(self, request: Request, segments: Segments) -> Response:
        self._predictor(segments["model"])
        return respond(self._jobs_api().cancel(segments["model"], segments["job"], request))

    def openapi(self, _: Request, __: Segments) -> Response:
        from functions.core.api.openapi import description  # noqa: PLC0415 - nobody's first answer

        everything = {**{name: self._champion(name) for name in self._served}, **dict.fromkeys(self._elsewhere)}
        return respond(description(NAME, VERSION, everything, uploads=self._jobs_api().uploads))

    def _live_version(self, model: str) -> str | None:
        """Return the version that answers for a model, whichever function serves it; None where there is none."""
        if model in self._served:
            return getattr(self._champion(model), "version", None)
        try:
            return self._elsewhere[model].read().champion
        except Exception as problem:
            self._log.error("pointer unreadable", problem=problem, model=model, metric="PointerUnreadable")
            return None

    def _champion(self, model: str) -> Servable | None:
        try:
            return self._predictors[model].model_cache.current().champion
        except Problem:
            return None

    def _predictor(self, model: str) -> Predictor:
        if model not in self._predictors:
            raise Problem(404, f"there is no such model; served here: {', '.join(self._predictors)}")
        return self._predictors[model]


METHODS: Mapping[str, Callable[[Service, Request, Segments], Response]] = {
    "predict": Service.predict,
    "predict_model": Service.predict_model,
    "openapi": Service.openapi,
    "server_live": Service.server_live,
    "server_ready": Service.server_ready,
    "server_metadata": Service.server_metadata,
    "list_models": Service.list_models,
    "model_metadata": Service.model_metadata,
    "model_ready": Service.model_ready,
    "model_infer": Service.model_infer,
    "version_metadata": Service.version_metadata,
    "version_ready": Service.version_ready,
    "version_infer": Service.version_infer,
    "take_feedback": Service.take_feedback,
    "submit_job": Service.submit_job,
    "list_jobs": Service.list_jobs,
    "job_status": Service.job_status,
    "stop_job": Service.stop_job,
}
"""The method of every operation of `routes.OPERATIONS`, by its id."""


def _metadata(servable: Servable, versions: Sequence[str]) -> dict[str, Any]:
    from functions.core.api import open_inference  # noqa: PLC0415

    return open_inference.metadata(servable, versions)
