"""The part of Cloud Run's REST interface that reads, creates, changes and deletes services.

https://cloud.google.com/run/docs/reference/rest/v2/projects.locations.services. A service is made of the image of a
function that is deployed: there is nothing else that could run here. Every operation is done once it is answered.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

from localcloud.engine.cloud import CloudFailed
from localcloud.gcp.api_responses import ApiResponse, Authorize, bearer, denied, json_object, ok, problem
from localcloud.gcp.cloudrun.functions import FunctionArgs, Functions
from localcloud.gcp.cloudrun.instance import InstanceFailed, Size
from localcloud.gcp.iam.bindings import ACT_AS
from localcloud.support.http_server import Request

SERVICES = "/run.googleapis.com/v2/"
UNITS = {"Ki": 1 / 1024, "Mi": 1, "Gi": 1024}
PERMISSIONS = {"GET": "run.services.get", "POST": "run.services.create", "PATCH": "run.services.update"}
LARGEST_MB, LEAST_MB = 32_768, 128


class ServicesApi:
    """Answers for the services of one project in its region."""

    def __init__(self, functions: Functions, project: str, region: str, *, authorize: Authorize) -> None:
        self._functions = functions
        self._project = f"projects/{project}"
        self._parent = f"{self._project}/locations/{region}"
        self._authorize = authorize
        self._labels: dict[str, Mapping[str, str]] = {}

    def answer(self, request: Request) -> ApiResponse:
        """Return the status and the JSON body of the response."""
        parts, token = urlsplit(request.path), bearer(request.headers)
        path = parts.path.removeprefix(SERVICES)
        permission = PERMISSIONS.get(request.method, "run.services.delete")
        found = re.fullmatch(rf"{re.escape(self._parent)}/services(?:/(?P<name>[a-z0-9-]+))?", path)
        resource = path if found and found["name"] else self._parent
        if not self._authorize(token, permission, resource):
            return denied(permission, resource)
        if found is None:
            return problem(404, f"{request.method} {request.path}: not here")
        try:
            if parse_qs(parts.query).get("updateMask") == ["scaling"]:
                return self._scale(request, found["name"], token)
            return self._do(request, found["name"], parse_qs(parts.query).get("serviceId", [""])[0])
        except (ValueError, LookupError, TypeError) as refused:
            return problem(400, str(refused))
        except (CloudFailed, InstanceFailed) as failed:
            return ok({"done": True, "error": {"code": 9, "message": str(failed)}})

    def _do(self, request: Request, name: str | None, new: str) -> ApiResponse:
        deployed = self._functions.deployed()
        if name is None and request.method == "GET":
            return ok({"services": [self._service(each) for each in deployed]})
        if name is None:
            body = json_object(request.body)
            self._functions.create(self._args(new, body))
            self._labels[new] = body.get("labels", {})
            return self._done(new)
        if name not in deployed:
            return problem(404, f"Resource '{name}' of kind 'SERVICE' in region was not found.")
        if request.method == "GET":
            return ok(self._service(name))
        if request.method == "PATCH":
            self._functions.change(self._args(name, json_object(request.body)))
            return self._done(name)
        self._functions.delete(name)
        self._labels.pop(name, None)
        return ok({"done": True, "response": {}})

    def _scale(self, request: Request, name: str | None, token: str | None) -> ApiResponse:
        """Set the scale of a service, for who may act as its account, too."""
        deployed = self._functions.deployed()
        if name is None or name not in deployed:
            return problem(404, f"Resource '{name}' of kind 'SERVICE' in region was not found.")
        account = f"{self._project}/serviceAccounts/{deployed[name][0].account}"
        if not self._authorize(token, ACT_AS, account):
            return denied(ACT_AS, account)
        self._functions.scale(name, json_object(request.body)["scaling"])
        return self._done(name)

    def _done(self, name: str) -> ApiResponse:
        return ok({"name": f"{self._parent}/operations/{name}", "done": True, "response": self._service(name)})

    def _service(self, name: str) -> dict[str, Any]:
        args, url = self._functions.deployed()[name]
        size = args.size or Size(memory_mb=256, processors=1)
        limits = {"memory": f"{size.memory_mb}Mi", "cpu": f"{size.processors * 1000:.0f}m"}
        container = {
            "image": str(args.build.source),
            "env": [{"name": key, "value": value} for key, value in args.variables.items()],
            "resources": {"limits": limits, "cpuIdle": True, "startupCpuBoost": True},
        }
        template = {
            "containers": [container],
            "serviceAccount": args.account,
            "timeout": f"{args.timeout_seconds:g}s",
            "maxInstanceRequestConcurrency": args.concurrency,
            "scaling": {"maxInstanceCount": args.max_instances},
        }
        return {
            "name": f"{self._parent}/services/{name}",
            "uri": url,
            "labels": self._labels.get(name, {}),
            "template": template,
            "scaling": dict(self._functions.scaling(name)),
        }

    def _args(self, name: str, body: Mapping[str, Any]) -> FunctionArgs:
        """Return the function that a service's template describes. Raises `ValueError` where Cloud Run refuses it."""
        template = body["template"]
        (container,) = template["containers"]
        limits = container["resources"]["limits"]
        memory, cpu = _memory(limits["memory"]), _processors(limits["cpu"])
        if not LEAST_MB <= memory <= LARGEST_MB:
            raise ValueError(f"memory: {limits['memory']} is not between {LEAST_MB}Mi and {LARGEST_MB}Mi")
        source = next(
            (args for args, _ in self._functions.deployed().values() if str(args.build.source) == container["image"]),
            None,
        )
        if source is None:
            raise ValueError(f"Image '{container['image']}' not found.")
        return replace(
            source,
            name=name,
            variables={each["name"]: each["value"] for each in container.get("env", ())},
            account=template["serviceAccount"],
            timeout_seconds=float(template["timeout"].removesuffix("s")),
            concurrency=template.get("maxInstanceRequestConcurrency", 80),
            max_instances=template.get("scaling", {}).get("maxInstanceCount", 100),
            min_instances=0,
            tried=not template.get("healthCheckDisabled", False),
            size=Size(memory_mb=memory, processors=cpu),
        )


def _memory(text: str) -> int:
    return round(float(text[:-2]) * UNITS[text[-2:]])


def _processors(text: str) -> float:
    return float(text[:-1]) / 1000 if text.endswith("m") else float(text)
