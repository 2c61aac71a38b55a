"""The provider functions that a program may call, by their tokens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from localcloud.gcp.project import Project


def _storage_account(project: Project, _: Mapping[str, Any]) -> dict[str, Any]:
    email = project.accounts.agent("storage.googleapis.com")
    return {"id": email, "emailAddress": email, "member": f"serviceAccount:{email}", "project": project.name}


PROVIDER_FUNCTIONS: Mapping[str, Callable[[Project, Mapping[str, Any]], dict[str, Any]]] = {
    "gcp:storage/getProjectServiceAccount:getProjectServiceAccount": _storage_account,
}
