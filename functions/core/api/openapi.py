"""The OpenAPI 3.1 description of the API: an operation for each call, whatever model it is about.

Each model has schemas of its own. Of JSON Schema it uses what generators of clients understand: `enum` in place of
`const`, and no other words for one value.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from functions.core.http.messages import LONGEST_KEY
from functions.core.jobs.api import LARGEST_KEY, LISTED, MOST_LISTED
from functions.core.jobs.job import UPLOADS
from functions.core.jobs.tickets import PLACE
from functions.core.onnx.tensor import DATATYPES
from functions.core.serving.json_schema import Schema, Schemas, list_of, object_of
from functions.core.serving.rows import MOST_ROWS
from interface.operations import OPERATIONS, Operation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from functions.core.serving.servable import Servable

_TEXT: Schema = {"type": "string"}
_WHOLE: Schema = {"type": "integer"}
_FLAG: Schema = {"type": "boolean"}
_OBJECT: Schema = {"type": "object"}
_STATUS: Schema = {**_TEXT, "enum": ["waiting", "queued", "running", "done", "failed", "cancelled"]}
_REQUESTS = {
    "predict": "predict_request", "predict_model": "predict_request", "submit_job": "job_request",
    "model_infer": "infer_request", "version_infer": "infer_request", "take_feedback": "feedback_request",
}  # fmt: skip
_ANSWERS = {
    "predict": "predict_answer", "predict_model": "predict_answer",
    "model_infer": "infer_answer", "version_infer": "infer_answer", "submit_job": "job", "job_status": "job",
    "stop_job": "job", "list_jobs": "jobs", "list_models": "models",
    "model_metadata": "metadata", "version_metadata": "metadata", "take_feedback": "feedback_answer",
}  # fmt: skip
_OF_A_MODEL = frozenset({"predict_request", "infer_request", "predict_answer"})
"""Schemas of which each model has its own."""
_SEGMENTS: Mapping[str, Schema] = {
    "version": {**_TEXT, "pattern": "^[0-9a-f]{16}$"},
    "job": {**_TEXT, "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$"},
}
_BINARY = (
    "Tensors may travel as bytes, both ways, by the binary tensor data extension: then the content type is"
    " application/octet-stream, and Inference-Header-Content-Length says how many bytes of the body are JSON."
)


def description(name: str, version: str, champions: Mapping[str, Servable | None], *, uploads: bool) -> dict[str, Any]:
    """Return the document. The inputs of a model are described where it has a champion.

    `uploads`: whether the rows of a job may be uploaded to a URL. Where there are several models, none is asked
    without its name.
    """
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        if operation.id != "predict" or len(champions) == 1:
            paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, list(champions))
    return {
        "openapi": "3.1.0",
        "info": {"title": name, "version": version},
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {"schemas": {**_shared(uploads), **_own(champions)}},
    }


def _operation(operation: Operation, models: list[str]) -> dict[str, Any]:
    names = re.findall(r"\{(\w+)\}", operation.path)
    answer = _content(_of_any(_ANSWERS[operation.id], models) if operation.id in _ANSWERS else _OBJECT)
    error = _content(_ref("error")) if operation.is_protocol else _content(_ref("problem"), "application/problem+json")
    infers = operation.id.endswith("_infer")
    segments = {**_SEGMENTS, "model": {**_TEXT, "enum": models}}
    parameters: list[Schema] = [
        {"name": name, "in": "path", "required": True, "schema": segments[name]} for name in names
    ]
    parameters += _PAGE if operation.id == "list_jobs" else []
    document: dict[str, Any] = {
        "operationId": operation.id,
        "summary": operation.summary,
        "parameters": parameters,
        "responses": {
            "202" if operation.id == "submit_job" else "200": {
                "description": operation.summary,
                "headers": _headers(operation),
                "content": {**answer, "application/octet-stream": {}} if infers else answer,
            },
            "default": {"description": "The request is refused, and why", "headers": _ID, "content": error},
        },
    }
    if infers:
        document["description"] = _BINARY
    if operation.id in _REQUESTS:
        content = _content(_of_any(_REQUESTS[operation.id], models))
        document["requestBody"] = {"required": True, "content": content}
        parameters += _PARAMETERS.get(operation.id, _CALLER)
    return document


_ID = {
    "X-Request-Id": {"description": "The request, in the logs too", "required": True, "schema": _TEXT},
    "Traceresponse": {"description": "Its trace, as W3C has it", "required": True, "schema": _TEXT},
}
_CALLER: list[Schema] = [
    {"name": "X-Caller-Id", "in": "header", "description": "Keeps a caller on one version", "schema": _TEXT},
    {
        "name": "X-Feedback-Key",
        "in": "header",
        "description": "How the caller will name the rows when it tells their truths",
        "schema": {**_TEXT, "minLength": 1, "maxLength": LONGEST_KEY, "pattern": "^[ -~]*[!-~][ -~]*$"},
    },
]
_KEY: list[Schema] = [
    {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "Makes repeating a request safe",
        "schema": {**_TEXT, "minLength": 1, "maxLength": LARGEST_KEY},
    }
]
_PARAMETERS: Mapping[str, list[Schema]] = {"submit_job": _KEY, "take_feedback": []}
"""Of the operations that have a body and are no predictions."""
_PAGE: list[Schema] = [
    {
        "name": "limit",
        "in": "query",
        "description": "The most jobs of this page",
        "schema": {**_WHOLE, "minimum": 1, "maximum": MOST_LISTED, "default": LISTED},
    },
    {
        "name": "after",
        "in": "query",
        "description": "The `next` of the page before",
        "schema": {**_TEXT, "pattern": f"^{PLACE.pattern}$"},
    },
]


def _headers(operation: Operation) -> dict[str, Any]:
    if operation.id not in _REQUESTS or operation.id in _PARAMETERS:
        return _ID
    told = {"X-Model": "The model", "X-Model-Version": "Its version", "X-Model-Variant": "Who answered"}
    return _ID | {name: {"description": text, "required": True, "schema": _TEXT} for name, text in told.items()}


def _content(schema: Schema, kind: str = "application/json") -> dict[str, Any]:
    return {kind: {"schema": schema}}


def _of_any(name: str, models: list[str]) -> Schema:
    """Return the schema of that name of any of the models."""
    references = [_ref(name, model) for model in (models if name in _OF_A_MODEL else models[:1])]
    return references[0] if len(references) == 1 else {"anyOf": references}


def _ref(name: str, model: str = "") -> Schema:
    owner = f"{model}." if name in _OF_A_MODEL else ""
    return {"$ref": f"#/components/schemas/{owner}{name}"}


def _own(champions: Mapping[str, Servable | None]) -> dict[str, Schema]:
    """Return the schemas of each model's requests and answers; without a champion, only their form is known."""
    schemas: dict[str, Schema] = {}
    for model, champion in champions.items():
        known = None if champion is None else champion.schemas()
        instance, prediction = ({}, {"type": "object"}) if known is None else (known.instance, known.prediction)
        schemas[f"{model}.predict_request"] = {
            **object_of(
                {"instances": list_of(instance, minItems=1, description=f"At most {MOST_ROWS} rows; more is 413")}
            ),
            "additionalProperties": False,
        }
        schemas[f"{model}.predict_answer"] = object_of(
            {
                "model": {**_TEXT, "enum": [model]},
                "version": _TEXT,
                "variant": _TEXT,
                "predictions": list_of(prediction),
            }
        )
        schemas[f"{model}.infer_request"] = _inference(known)
    return schemas


def _inference(known: Schemas | None) -> Schema:
    inputs, name = list_of(_tensor(), minItems=1), _TEXT
    if known is not None:
        count, every = len(known.inputs), [*known.inputs, *known.optional]
        inputs = list_of({"anyOf": every}, minItems=count, maxItems=len(every))
        name = {**_TEXT, "enum": known.outputs}
    wanted = object_of({"name": name, "parameters": object_of({"binary_data": _FLAG}, [])}, ["name"])
    properties = {
        "id": {**_TEXT, "maxLength": 256},
        "inputs": inputs,
        "outputs": list_of(wanted),
        "parameters": object_of({"binary_data_output": _FLAG}, []),
    }
    return object_of(properties, ["inputs"])


def _tensor() -> Schema:
    shape = list_of({**_WHOLE, "minimum": 0})
    datatype = {**_TEXT, "enum": sorted(DATATYPES)}
    properties = {"name": _TEXT, "shape": shape, "datatype": datatype, "data": list_of({}), "parameters": _OBJECT}
    return object_of(properties, ["name", "shape", "datatype"])


def _shared(uploads: bool) -> dict[str, Schema]:
    spec = object_of({"name": _TEXT, "datatype": _TEXT, "shape": list_of(_WHOLE)})
    fault = object_of({"field": _TEXT, "message": _TEXT})
    answer = {"model_name": _TEXT, "model_version": _TEXT, "id": _TEXT, "outputs": list_of(_tensor())}
    metadata = {"name": _TEXT, "versions": list_of(_TEXT), "platform": _TEXT}
    problem = {
        "type": _TEXT,
        "title": _TEXT,
        "status": _WHOLE,
        "detail": _TEXT,
        "errors": list_of(fault),
        "request_id": _TEXT,
        "trace_id": _TEXT,
    }
    return {
        "infer_answer": object_of(answer, ["model_name", "model_version", "outputs"]),
        "metadata": object_of({**metadata, "inputs": list_of(spec), "outputs": list_of(spec)}),
        "feedback_request": _feedback(),
        "feedback_answer": _taken(),
        "job_request": _job_request(uploads),
        "job": _job(),
        "jobs": object_of({"jobs": list_of(_listed()), "next": _TEXT}, ["jobs"]),
        "models": object_of({"models": list_of(_model())}),
        "problem": object_of(problem, ["status", "detail"]),
        "error": object_of({"error": _TEXT, "type": _TEXT}, ["error"]),
    }


def _job_request(uploads: bool) -> Schema:
    """Return the schema of a job request: rows, or the form in which a file of rows will be uploaded."""
    kinds: dict[str, Schema] = {"instances": list_of({}, minItems=1)}
    if uploads:
        kinds["upload"] = {**_TEXT, "enum": list(UPLOADS)}
    version = {"version": {**_SEGMENTS["version"], "description": "The version that answers; else the champion"}}
    forms = [object_of({name: kind, **version}, [name]) for name, kind in kinds.items()]
    return {"anyOf": [{**form, "additionalProperties": False} for form in forms]}


def _feedback() -> Schema:
    """Return the schema of truths. What an item has to be, its description says: one that is not is refused alone."""
    item = {
        "description": 'An object: "request", the X-Request-Id of an answer, or "key", the X-Feedback-Key of a request;'
        ' "row", from 0, where the request had several; "truth", one of the classes of the model, or a number'
    }
    truths = list_of(item, minItems=1, description=f"At most {MOST_ROWS} truths; more is 413")
    return {**object_of({"truths": truths}), "additionalProperties": False}


def _taken() -> Schema:
    refused = object_of({"item": {**_WHOLE, "minimum": 0}, "field": _TEXT, "message": _TEXT})
    properties = {"model": _TEXT, "taken": {**_WHOLE, "minimum": 0}, "refused": list_of(refused), "warning": _TEXT}
    return object_of(properties, ["model", "taken", "refused"])


def _model() -> Schema:
    return object_of({"name": _TEXT, "version": {"anyOf": [_TEXT, {"type": "null"}]}, "ready": _FLAG})


def _listed() -> Schema:
    return object_of({"id": _TEXT, "model": _TEXT, "status": _STATUS, "created": {**_TEXT, "format": "date-time"}})


def _job() -> Schema:
    upload = object_of(
        {"method": {**_TEXT, "enum": ["PUT"]}, "url": _TEXT, "expires_in": _WHOLE, "at_most_bytes": _WHOLE}
    )
    figures = {name: {**_WHOLE, "minimum": 0} for name in ("rows", "refused", "expires_in")}
    texts = dict.fromkeys(("id", "model", "url", "version", "result_key", "result_url"), _TEXT)
    properties = {
        **texts,
        **figures,
        "status": _STATUS,
        "progress": {"type": "number", "minimum": 0, "maximum": 1},
        "upload": upload,
        "result": {"anyOf": [_OBJECT, {"type": "null"}]},
        "error": _ref("problem"),
    }
    return object_of(properties, ["id", "model", "status"])
