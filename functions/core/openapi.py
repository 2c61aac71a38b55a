"""The API, described for machines: OpenAPI 3.1."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from functions.core.routes import OPERATIONS, Operation
from functions.core.tensor import DATATYPES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from functions.core.servable import Servable

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string"}
_REQUESTS = {
    "predict": "PredictRequest", "predict_model": "PredictRequest", "submit_job": "PredictRequest",
    "model_infer": "InferRequest", "version_infer": "InferRequest",
}  # fmt: skip
_ANSWERS = {
    "predict": "PredictAnswer", "predict_model": "PredictAnswer",
    "model_infer": "InferAnswer", "version_infer": "InferAnswer", "submit_job": "Job", "job_status": "Job",
    "model_metadata": "Metadata", "version_metadata": "Metadata",
}  # fmt: skip


def description(name: str, version: str, champions: Mapping[str, Servable | None]) -> dict[str, Any]:
    """The document. Models that have a champion are described feature by feature."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, list(champions))
    return {
        "openapi": "3.1.0",
        "info": {"title": name, "version": version},
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {"schemas": _schemas(champions)},
    }


def _operation(operation: Operation, models: list[str]) -> dict[str, Any]:
    names = re.findall(r"\{(\w+)\}", operation.path)
    values = {"model": {**_TEXT, "enum": models}}
    answer: Schema = _ref(_ANSWERS[operation.id]) if operation.id in _ANSWERS else {"type": "object"}
    error = (
        _content(_ref("ProtocolError")) if operation.protocol else _content(_ref("Problem"), "application/problem+json")
    )
    document: dict[str, Any] = {
        "operationId": operation.id,
        "summary": operation.summary,
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": values.get(name, _TEXT)} for name in names
        ],
        "responses": {
            "202" if operation.id == "submit_job" else "200": {"description": operation.summary, **_content(answer)},
            "default": {"description": "The request is refused, and why", **error},
        },
    }
    if operation.id in _REQUESTS:
        document["requestBody"] = {"required": True, **_content(_ref(_REQUESTS[operation.id]))}
        header = "Idempotency-Key" if operation.id == "submit_job" else "X-Caller-Id"
        document["parameters"].append({"name": header, "in": "header", "required": False, "schema": _TEXT})
    return document


def _content(schema: Schema, kind: str = "application/json") -> dict[str, Any]:
    return {"content": {kind: {"schema": schema}}}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _object(required: list[str] | None = None, **properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": list(properties) if required is None else required}


def _list(items: Schema, **more: Any) -> Schema:
    return {"type": "array", "items": items, **more}


def _schemas(champions: Mapping[str, Servable | None]) -> dict[str, Schema]:
    known = {model: champion for model, champion in champions.items() if champion is not None}
    rows = [_ref(f"{model}_row") for model in known] + ([{"type": "object"}] if len(known) < len(champions) else [])
    whole: Schema = {"type": "integer"}
    tensor = _object(
        name=_TEXT, shape=_list(whole), datatype={**_TEXT, "enum": sorted(DATATYPES)}, data=_list({}, minItems=1)
    )
    spec = _object(name=_TEXT, datatype=_TEXT, shape=_list(whole))
    prediction = _object(label=_TEXT, probabilities={"type": "object", "additionalProperties": {"type": "number"}})
    return {
        **{f"{model}_row": champion.row() for model, champion in known.items()},
        "PredictRequest": {
            **_object(instances=_list({"anyOf": [*rows, _list({})]}, minItems=1)),
            "additionalProperties": False,
        },
        "PredictAnswer": _object(model=_TEXT, version=_TEXT, variant=_TEXT, predictions=_list(prediction)),
        "InferRequest": _object(
            ["inputs"], id=_TEXT, inputs=_list(tensor, minItems=1, maxItems=1), outputs=_list(_object(name=_TEXT))
        ),
        "InferAnswer": _object(
            ["model_name", "outputs"], model_name=_TEXT, model_version=_TEXT, id=_TEXT, outputs=_list(tensor)
        ),
        "Metadata": _object(
            name=_TEXT, versions=_list(_TEXT), platform=_TEXT, inputs=_list(spec), outputs=_list(spec)
        ),
        "Job": _object(
            ["id", "model", "status"], id=_TEXT, model=_TEXT, status={**_TEXT, "enum": ["queued", "done", "failed"]}
        ),
        "Problem": _object(
            ["status", "detail"], title=_TEXT, status=whole, detail=_TEXT,
            errors=_list(_object(field=_TEXT, message=_TEXT)), request_id=_TEXT,
        ),
        "ProtocolError": _object(error=_TEXT),
    }  # fmt: skip
