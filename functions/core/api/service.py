"""The HTTP API, without a gateway: a request in, a response out, whatever happens."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from functions.core.http import instances as plain
from functions.core.http import json_codec
from functions.core.http.json_codec import respond
from functions.core.http.messages import BINARY, PROBLEM, Request, Response
from functions.core.http.problem import Problem
from functions.core.http.request_body import read_json
from functions.core.http.routes import Operation, find
from functions.core.serving.predictor import Question

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from functions.core.jobs.api import JobsApi
    from functions.core.onnx.tensor import Tensor
    from functions.core.registry.live_pointer import Live
    from functions.core.runtime.log import Log
    from functions.core.serving.predictor import Prediction, Predictor
    from functions.core.serving.servable import Servable

NAME = "serverless-ml"
VERSION = "0.1.0"
LARGEST_ANSWER = 5_500_000
"""Bytes. A Lambda function's answer may have 6 MB: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""
LARGEST_BINARY = 4_100_000
"""Bytes of an answer that is no text, which travels there as Base64."""


class Service:
    """Every operation of `routes.OPERATIONS` is a method of the same name."""

    def __init__(
        self,
        predictors: Mapping[str, Predictor],
        jobs_api: Callable[[], JobsApi],
        log: Log,
        *,
        elsewhere: Mapping[str, Live] | None = None,
    ) -> None:
        """`desk` is asked for when there is a job. `elsewhere` are models that other functions serve: of those it tells
        only that they are there, and live."""
        self._predictors = predictors
        self._desk = jobs_api
        self._log = log
        self._elsewhere = elsewhere or {}

    def warm(self) -> None:
        """Open every model that is live: each has answered its golden inputs then. One that cannot be opened waits
        until it is asked for."""
        json_codec.note_first_answer()
        for predictor in self._predictors.values():
            try:
                predictor.model_cache.current()
            except Problem:
                self._log.warning("not warmed", model=predictor.model)

    def renew(self) -> None:
        """Look for the live version of every model before it answers again."""
        for predictor in self._predictors.values():
            predictor.model_cache.renew()

    def answer(self, request: Request) -> Response:
        """Never raises: a fault of ours is an opaque 500, logged in full under the request's id."""
        start = time.perf_counter()
        operation: Operation | None = None
        try:
            operation, segments = find(request.method, request.path)
            handler: Callable[..., Response] = getattr(self, operation.id)
            response = handler(request, **segments)
            most = LARGEST_BINARY if response.headers.get("content-type") == BINARY else LARGEST_ANSWER
            if len(response.body) > most:
                raise Problem(413, f"the answer has more than {most} bytes; send fewer rows, or a job")
        except Problem as problem:
            if problem.__cause__ is not None:
                # What a model says of its inside is for its owner alone.
                cause = str(problem.__cause__)
                self._log.warning("request refused by the model", request_id=request.request_id, cause=cause)
            response = _refusal(problem, request)
        except Exception as problem:
            self._log.error("request failed", problem=problem, request_id=request.request_id, metric="RequestFailed")
            response = _refusal(Problem(500, f"something went wrong here; request {request.request_id}"), request)
        headers = response.headers
        headers["x-request-id"] = request.request_id
        self._log.info(
            "request",
            request_id=request.request_id,
            operation=None if operation is None else operation.id,
            status=response.status,
            ms=round((time.perf_counter() - start) * 1000, 2),
            model=headers.get("x-model"),
            version=headers.get("x-model-version"),
            variant=headers.get("x-model-variant"),
        )
        json_codec.note_first_answer()
        return response

    def predict(self, request: Request) -> Response:
        return self.predict_model(request, next(iter(self._predictors)))

    def predict_model(self, request: Request, model: str) -> Response:
        predictor = self._predictor(model)
        instances = plain.instances_of(read_json(request.body, request.headers))
        prediction = predictor.predict(_question(request, lambda by: by.encode(instances)))
        return _predicted(prediction, respond(plain.document(prediction)))

    def model_infer(self, request: Request, model: str) -> Response:
        return self.version_infer(request, model, None)

    def version_infer(self, request: Request, model: str, version: str | None) -> Response:
        from functions.core.api import open_inference  # noqa: PLC0415 - POST /predict does without it

        predictor = self._predictor(model)
        inference = open_inference.Inference.read(request.body, request.headers)
        prediction = predictor.predict(_question(request, inference.tensors), version)
        return _predicted(prediction, inference.response(prediction))

    def server_live(self, _: Request) -> Response:
        return respond({"live": True})

    def server_ready(self, _: Request) -> Response:
        for predictor in self._predictors.values():
            predictor.model_cache.current()
        for model, live in self._elsewhere.items():
            if live.read().champion is None:
                raise Problem(503, f"{model} has no version that is ready", headers={"retry-after": "5"})
        return respond({"ready": True})

    def server_metadata(self, _: Request) -> Response:
        from functions.core.api import open_inference  # noqa: PLC0415

        return respond({"name": NAME, "version": VERSION, "extensions": open_inference.EXTENSIONS})

    def model_metadata(self, _: Request, model: str) -> Response:
        serving = self._predictor(model).model_cache.current()
        by = [serving.champion, *([serving.challenger] if serving.challenger else [])]
        return respond(_metadata(serving.champion, [opened.version for opened in by]))

    def model_ready(self, _: Request, model: str) -> Response:
        self._predictor(model).model_cache.current()
        return respond({"name": model, "ready": True})

    def version_metadata(self, _: Request, model: str, version: str) -> Response:
        opened = self._predictor(model).model_cache.pinned(version)
        return respond(_metadata(opened, [version]))

    def version_ready(self, _: Request, model: str, version: str) -> Response:
        self._predictor(model).model_cache.pinned(version)
        return respond({"name": model, "version": version, "ready": True})

    def submit_job(self, request: Request, model: str) -> Response:
        self._predictor(model)
        job = self._desk().submit(model, request.body, request.headers, request.caller)
        where = f"/v2/models/{model}/jobs/{job['id']}"
        return respond({**job, "url": where}, 202, {"location": where, "x-model": model})

    def job_status(self, _: Request, model: str, job: str) -> Response:
        self._predictor(model)
        status = self._desk().status(model, job)
        over = status["status"] in ("done", "failed")
        return respond(status, headers=None if over else {"retry-after": "1"})

    def openapi(self, _: Request) -> Response:
        from functions.core.api.openapi import description  # noqa: PLC0415 - nobody's first answer

        champions = {name: self._open(name) for name in self._predictors}
        everything = {**champions, **dict.fromkeys(self._elsewhere)}
        return respond(description(NAME, VERSION, everything, uploads=self._desk().uploads))

    def _open(self, model: str) -> Servable | None:
        try:
            return self._predictors[model].model_cache.current().champion
        except Problem:
            return None

    def _predictor(self, model: str) -> Predictor:
        if model not in self._predictors:
            there = ", ".join([*self._predictors, *self._elsewhere])
            raise Problem(404, f"there is no such model; served here: {there}")
        return self._predictors[model]


def _question(request: Request, encode: Callable[[Servable], Mapping[str, Tensor]]) -> Question:
    return Question(encode=encode, caller=request.caller, request_id=request.request_id)


def _metadata(by: Servable, versions: Sequence[str]) -> dict[str, Any]:
    from functions.core.api import open_inference  # noqa: PLC0415

    return open_inference.metadata(by, versions)


def _predicted(prediction: Prediction, response: Response) -> Response:
    by = prediction.by
    response.headers |= {"x-model": by.model, "x-model-version": by.version, "x-model-variant": prediction.variant}
    return response


def _refusal(problem: Problem, request: Request) -> Response:
    if request.path.startswith("/v2"):
        return respond({"error": problem.text}, problem.status, problem.headers)
    document = {**problem.document(), "request_id": request.request_id}
    return respond(document, problem.status, problem.headers, PROBLEM)
