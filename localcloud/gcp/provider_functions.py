"""The provider functions that a program may call, by their tokens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from localcloud.gcp.project import Project


def _storage_account(project: Project, _: Mapping[str, Any]) -> dict[str, Any]:
    # To look it up creates it: https://cloud.google.com/storage/docs/getting-service-agent.
    email = project.accounts.ask_for_agent("storage.googleapis.com")
    return {"id": email, "emailAddress": email, "member": f"serviceAccount:{email}", "project": project.name}


def _project(project: Project, _: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": f"projects/{project.name}", "projectId": project.name, "number": project.accounts.number}


PROVIDER_FUNCTIONS: Mapping[str, Callable[[Project, Mapping[str, Any]], dict[str, Any]]] = {
    "gcp:organizations/getProject:getProject": _project,
    "gcp:storage/getProjectServiceAccount:getProjectServiceAccount": _storage_account,
}
