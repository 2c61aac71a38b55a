"""Workflow Executions over HTTP: start, read, cancel.

https://cloud.google.com/workflows/docs/reference/executions/rest. It is what a schedule calls.
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
    """Answers requests on `workflows`, for those whom `authorize` knows."""

    def __init__(self, workflows: Workflows, authorize: Authorize) -> None:
        self._workflows = workflows
        self._authorize = authorize

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> ApiResponse:
        """The status and a JSON body."""
        match = PATH.fullmatch(path.partition("?")[0])
        verb = _verb(method, match)
        if match is None or not verb:
            return problem(404, f"{method} {path}: not here; accepted: create, get and cancel of executions")
        workflow, permission = match["workflow"], f"workflows.executions.{verb}"
        if not self._authorize(bearer(headers), permission, workflow):
            return denied(permission, workflow)
        try:
            return ok(as_json(self._done(verb, workflow, match["id"], body)))
        except NotFound as missing:
            return problem(404, str(missing))
        except ValueError as wrong:
            return problem(400, str(wrong))

    def _done(self, verb: str, workflow: str, identity: str, body: bytes) -> Execution:
        if verb == "create":
            return self._workflows.start(workflow, _argument(json_object(body)))
        if verb == "cancel":
            return self._workflows.cancel(workflow, identity)
        return self._workflows.execution(workflow, identity)


def as_json(execution: Execution) -> dict[str, Any]:
    """An `Execution` of the service."""
    written: dict[str, Any] = {
        "name": f"{execution.workflow}/executions/{execution.id}",
        "state": execution.state,
        "argument": json.dumps(execution.argument),
        "startTime": timestamp(execution.started),
        "workflowRevisionId": execution.revision,
    }
    if execution.ended is not None:
        written["endTime"] = timestamp(execution.ended)
    if execution.state == "SUCCEEDED":
        written["result"] = json.dumps(execution.result)
    if execution.failure:
        written["error"] = {"payload": execution.failure.payload, "context": execution.failure.context}
    return written


def _verb(method: str, match: re.Match[str] | None) -> str:
    if match is None:
        return ""
    asked = (method, bool(match["id"]), bool(match["cancel"]))
    return {("POST", False, False): "create", ("GET", True, False): "get", ("POST", True, True): "cancel"}.get(
        asked, ""
    )


def _argument(asked: Mapping[str, Any]) -> Any:
    given = asked.get("argument", "null")
    if not isinstance(given, str):
        raise ValueError("argument is JSON in a text")
    try:
        return json.loads(given)
    except ValueError:
        raise ValueError("argument is not JSON") from None
