"""The REST interface of Workflow Executions: create, get and cancel.

https://cloud.google.com/workflows/docs/reference/executions/rest. Cloud Scheduler calls it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from localcloud.gcp.api_responses import ApiResponse, Authorize, bearer, denied, json_object, ok, problem
from localcloud.gcp.pubsub.message import timestamp
from localcloud.gcp.workflows import Execution, NotFound, Workflows

PATH = re.compile(
    r"/v1/(?P<workflow>projects/[^/]+/locations/[^/]+/workflows/[^/]+)/executions(?:/(?P<id>[^/:]+)(?P<cancel>:cancel)?)?"
)


class ExecutionsApi:
    """Answers requests on `workflows`, for callers whom `authorize` admits."""

    def __init__(self, workflows: Workflows, authorize: Authorize) -> None:
        self._workflows = workflows
        self._authorize = authorize

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> ApiResponse:
        """Return the status and the JSON body of the response."""
        match = PATH.fullmatch(path.partition("?")[0])
        verb = _verb(method, match)
        if match is None or not verb:
            return problem(404, f"{method} {path}: not here; accepted: create, get and cancel of executions")
        workflow, permission = match["workflow"], f"workflows.executions.{verb}"
        if not self._authorize(bearer(headers), permission, workflow):
            return denied(permission, workflow)
        try:
            return ok(as_json(self._perform(verb, workflow, match["id"], body)))
        except NotFound as missing:
            return problem(404, str(missing))
        except ValueError as wrong:
            return problem(400, str(wrong))

    def _perform(self, verb: str, workflow: str, identity: str, body: bytes) -> Execution:
        if verb == "create":
            return self._workflows.start(workflow, _argument(json_object(body)))
        if verb == "cancel":
            return self._workflows.cancel(workflow, identity)
        return self._workflows.execution(workflow, identity)


def as_json(execution: Execution) -> dict[str, Any]:
    """Return an execution as an `Execution` resource of the service."""
    document: dict[str, Any] = {
        "name": f"{execution.workflow}/executions/{execution.id}",
        "state": execution.state,
        "argument": json.dumps(execution.argument),
        "startTime": timestamp(execution.started),
        "workflowRevisionId": execution.revision,
    }
    if execution.ended is not None:
        document["endTime"] = timestamp(execution.ended)
    if execution.state == "SUCCEEDED":
        document["result"] = json.dumps(execution.result)
    if execution.failure:
        document["error"] = {"payload": execution.failure.payload, "context": execution.failure.context}
    return document


def _verb(method: str, match: re.Match[str] | None) -> str:
    if match is None:
        return ""
    request = (method, bool(match["id"]), bool(match["cancel"]))
    return {("POST", False, False): "create", ("GET", True, False): "get", ("POST", True, True): "cancel"}.get(
        request, ""
    )


def _argument(body: Mapping[str, Any]) -> Any:
    argument = body.get("argument", "null")
    if not isinstance(argument, str):
        raise ValueError("argument is JSON in a text")
    try:
        return json.loads(argument)
    except ValueError:
        raise ValueError("argument is not JSON") from None
