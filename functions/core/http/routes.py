"""The operations of the HTTP API, by method and path."""

from __future__ import annotations

from functools import lru_cache

from functions.core.http.problem import Problem
from models.light import dataclass


@dataclass(frozen=True, kw_only=True)
class Operation:
    id: str
    method: str
    path: str
    """With `{name}` for a variable segment."""
    summary: str

    @property
    def protocol(self) -> bool:
        """Is it part of the Open Inference Protocol, with its own shape of errors?"""
        return self.path.startswith("/v2")


OPERATIONS = tuple(
    Operation(id=name, method=method, path=path, summary=summary)
    for name, method, path, summary in (
        ("predict", "POST", "/predict", "Classify rows with the first model"),
        ("predict_model", "POST", "/models/{model}/predict", "Classify rows with a model"),
        ("openapi", "GET", "/openapi.json", "This description"),
        ("server_live", "GET", "/v2/health/live", "Does the server run?"),
        ("server_ready", "GET", "/v2/health/ready", "Can every model answer?"),
        ("server_metadata", "GET", "/v2", "Name, version and extensions of the server"),
        ("model_metadata", "GET", "/v2/models/{model}", "Inputs and outputs of a model"),
        ("model_ready", "GET", "/v2/models/{model}/ready", "Can this model answer?"),
        ("model_infer", "POST", "/v2/models/{model}/infer", "Run a model on tensors"),
        ("version_metadata", "GET", "/v2/models/{model}/versions/{version}", "Inputs and outputs of a version"),
        ("version_ready", "GET", "/v2/models/{model}/versions/{version}/ready", "Can this version answer?"),
        ("version_infer", "POST", "/v2/models/{model}/versions/{version}/infer", "Run a version on tensors"),
        ("submit_job", "POST", "/v2/models/{model}/jobs", "Classify rows later"),
        ("job_status", "GET", "/v2/models/{model}/jobs/{job}", "How a job stands, and its result"),
    )
)


_PARTS = tuple((operation, operation.path.split("/")) for operation in OPERATIONS)


@lru_cache(maxsize=256)
def find(method: str, path: str) -> tuple[Operation, dict[str, str]]:
    """The operation and its variable segments. Raises `Problem` 404, or 405 with the methods that are allowed."""
    allowed = []
    given = path.rstrip("/").split("/")
    for operation, parts in _PARTS:
        segments = _matched(parts, given)
        if segments is None:
            continue
        if operation.method == method:
            return operation, segments
        allowed.append(operation.method)
    if allowed:
        methods = ", ".join(sorted(allowed))
        raise Problem(405, f"the method is not allowed here; accepted: {methods}", headers={"allow": methods})
    raise Problem(404, "there is nothing at this path; GET /openapi.json lists what there is")


def _matched(parts: list[str], given: list[str]) -> dict[str, str] | None:
    """The variable segments; None for a path of another operation."""
    if len(parts) != len(given):
        return None
    found = {}
    for part, segment in zip(parts, given, strict=True):
        if part.startswith("{") and segment:
            found[part[1:-1]] = _unquoted(segment)
        elif part != segment:
            return None
    return found


def _unquoted(segment: str) -> str:
    if "%" not in segment:
        return segment
    from urllib.parse import unquote  # noqa: PLC0415 - names of models, versions and jobs need none of it

    return unquote(segment)
