"""The operations of the HTTP API: a gateway routes them, the predict function answers them, OpenAPI describes them."""

from __future__ import annotations

from typing import NamedTuple

REQUEST_BYTES = 6_000_000
"""The largest request body that is answered at once, in bytes; a larger input needs a job. A Lambda function gets 6 MB
at most, of which Base64 and the rest of the event take their part:
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""
NO_UPLOADS = "urn:serverless-ml:problem:no-uploads"
"""The type of the problem that a stack answers with whose store signs no URLs: the file of a job is put into it."""


class Operation(NamedTuple):
    """One method of one path."""

    id: str
    """The operationId in the OpenAPI document."""
    method: str
    path: str
    """With `{name}` for a variable segment."""
    summary: str

    @property
    def is_protocol(self) -> bool:
        """Whether it is part of the Open Inference Protocol, whose errors have a form of their own."""
        return self.path.startswith("/v2")


OPERATIONS = (
    Operation("server_metadata", "GET", "/v2", "Name, version and extensions of the server"),
    Operation("server_live", "GET", "/v2/health/live", "Does the server run?"),
    Operation("server_ready", "GET", "/v2/health/ready", "Can every model answer?"),
    Operation("list_models", "GET", "/v2/models", "Every model, and whether it can answer"),
    Operation("model_metadata", "GET", "/v2/models/{model}", "Inputs and outputs of a model"),
    Operation("model_ready", "GET", "/v2/models/{model}/ready", "Can this model answer?"),
    Operation("model_infer", "POST", "/v2/models/{model}/infer", "Run a model on tensors"),
    Operation("version_metadata", "GET", "/v2/models/{model}/versions/{version}", "Inputs and outputs of a version"),
    Operation("version_ready", "GET", "/v2/models/{model}/versions/{version}/ready", "Can this version answer?"),
    Operation("version_infer", "POST", "/v2/models/{model}/versions/{version}/infer", "Run a version on tensors"),
    Operation("take_feedback", "POST", "/v2/models/{model}/feedback", "Tell the truths of rows that were answered"),
    Operation("submit_job", "POST", "/v2/models/{model}/jobs", "Classify rows later"),
    Operation("list_jobs", "GET", "/v2/models/{model}/jobs", "The caller's jobs, the newest first"),
    Operation("job_status", "GET", "/v2/models/{model}/jobs/{job}", "How a job stands, and its result"),
    Operation("stop_job", "POST", "/v2/models/{model}/jobs/{job}/cancel", "End a job"),
    Operation("predict", "POST", "/predict", "Classify rows with the only model"),
    Operation("predict_model", "POST", "/models/{model}/predict", "Classify rows with a model"),
    Operation("openapi", "GET", "/openapi.json", "This description"),
)
UNKNOWN = Operation(
    "not_offered", "ANY", "/v2/{proxy+}", "Any other call of the protocol, which is refused in its words"
)
"""A route by any method, for what no other route leads to: `{proxy+}` is whatever is left of the path."""
ROUTES = (*OPERATIONS, UNKNOWN)
"""What a gateway routes."""
