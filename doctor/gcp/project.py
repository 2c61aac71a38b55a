"""A Google Cloud project, asked over REST."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import requests

from doctor.check import SECONDS, CouldNotAsk, Entrance, Forbidden, NotAnswered, NotThere, Unreached
from doctor.gcp.credentials import LOGIN, Credentials, application_default, embedded
from doctor.stack import Stack

MANAGER, USAGE = "cloudresourcemanager.googleapis.com", "serviceusage.googleapis.com"
PROJECT_VARIABLES = ("GOOGLE_PROJECT", "GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT", "CLOUDSDK_CORE_PROJECT")
REGION_VARIABLES = ("GOOGLE_REGION", "GCLOUD_REGION", "CLOUDSDK_COMPUTE_REGION")
"""What the provider reads where the stack states nothing: https://www.pulumi.com/registry/packages/gcp/."""


class ServiceOff(NotAnswered):
    """A question goes to a service that is not on in the project."""

    def __init__(self, service: str, project: str) -> None:
        super().__init__(
            f"not asked: {service} is not on in the project", f"gcloud services enable {service} --project={project}"
        )
        self.service = service


class Project:
    """Answers about one project and region. Every method raises `CouldNotAsk` and `NotAnswered`."""

    def __init__(
        self, http: requests.Session, credentials: Credentials, name: str, region: str, endpoint: str | None = None
    ) -> None:
        self.name = name
        self.region = region
        self.credentials = credentials
        self._http = http
        self._endpoint = endpoint
        self._state: Mapping[str, Any] | None = None

    @property
    def state(self) -> Mapping[str, Any]:
        """The project as Resource Manager tells it."""
        if self._state is None:
            path = f"v3/projects/{self.name}"
            self._state = self.get(MANAGER, path, "resourcemanager.projects.get")
        return self._state

    @property
    def number(self) -> str:
        """The number that Google's own accounts in the project are called after."""
        return str(self.state.get("name", "")).removeprefix("projects/")

    def get(self, host: str, path: str, permission: str, **query: str | list[str]) -> Any:
        """Return the answer of a service to a question that needs `permission`."""
        return self._ask("GET", host, path, permission, query, None)

    def post(self, host: str, path: str, permission: str, body: Mapping[str, Any]) -> Any:
        """Return the answer to a question that has a body: it changes nothing either."""
        return self._ask("POST", host, path, permission, {}, body)

    def has(self, host: str, path: str, permission: str) -> bool | None:
        """Return whether something is the caller's to read; None where there is nothing of that name."""
        try:
            self.get(host, path, permission)
        except NotThere:
            return None
        except Forbidden:
            return False
        return True

    def _ask(
        self,
        method: str,
        host: str,
        path: str,
        permission: str,
        query: Mapping[str, Any],
        body: Mapping[str, Any] | None,
    ) -> Any:
        base = f"{self._endpoint}/{host}" if self._endpoint else f"https://{host}"
        headers = {"Authorization": f"Bearer {self.credentials.token}"}
        if self.credentials.is_user:
            headers["X-Goog-User-Project"] = self.name
        try:
            response = self._http.request(
                method,
                f"{base}/{path}",
                params=query,
                json=None if body is None else dict(body),
                headers=headers,
                timeout=SECONDS,
            )
            document = response.json()
        except requests.JSONDecodeError:
            raise NotAnswered(f"{host} answers {response.status_code} without JSON") from None
        except requests.RequestException:
            raise Unreached(f"Google Cloud is not reached: no answer of {host}") from None
        if not response.ok:
            raise self._refused(host, response.status_code, document.get("error", {}), permission)
        return document

    def _refused(self, host: str, status: int, error: Mapping[str, Any], permission: str) -> Exception:
        details = [detail for detail in error.get("details", ()) if isinstance(detail, Mapping)]
        reasons = {detail.get("reason"): detail.get("metadata", {}) for detail in details}
        if status == requests.codes.unauthorized:
            return CouldNotAsk(
                "Google Cloud does not accept the credentials: they have expired, or were revoked", LOGIN
            )
        if "SERVICE_DISABLED" in reasons:
            return ServiceOff(str(reasons["SERVICE_DISABLED"].get("service", host)), self.name)
        if "USER_PROJECT_DENIED" in reasons:
            return Forbidden(f"not asked: the permission serviceusage.services.use is missing on {self.name}")
        if status == requests.codes.forbidden:
            return Forbidden(f"not asked: the permission {permission} is missing on {self.name}")
        if status == requests.codes.not_found:
            return NotThere(f"{host} knows no such thing: {permission}")
        return NotAnswered(f"{host} answers {status} to {permission}")


def connect(stack: Stack, entrance: Entrance | None) -> Project:
    """Return the project that `pulumi up` would deploy into. Raises `CouldNotAsk`."""
    http = requests.Session()
    # No proxy stands before an embedded cloud.
    http.trust_env = entrance is None
    credentials = application_default(http) if entrance is None else embedded(entrance)
    name = stack.config.get("gcp:project") or _first(PROJECT_VARIABLES) or credentials.project
    if not name:
        raise CouldNotAsk("the stack states no project", "pulumi config set gcp:project MY-PROJECT")
    region = stack.config.get("gcp:region") or _first(REGION_VARIABLES)
    if not region:
        raise CouldNotAsk("the stack states no region", "pulumi config set gcp:region europe-west1")
    project = Project(http, credentials, name, region, entrance.endpoint if entrance else None)
    try:
        _ = project.state
    except Unreached as unanswered:
        raise CouldNotAsk(str(unanswered)) from None
    except NotAnswered:
        pass  # which the check of the identity says
    return project


def _first(variables: tuple[str, ...]) -> str | None:
    return next((value for name in variables if (value := os.environ.get(name))), None)
