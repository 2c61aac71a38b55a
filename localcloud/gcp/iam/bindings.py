"""IAM: who was given which role, on what, and under which condition."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Mapping
from dataclasses import dataclass

from localcloud.gcp.iam.accounts import Accounts
from localcloud.gcp.iam.condition import Asked, Condition

ROLES: Mapping[str, frozenset[str]] = {
    "roles/storage.objectViewer": frozenset({"storage.objects.get", "storage.objects.list"}),
    "roles/storage.legacyBucketWriter": frozenset(
        {"storage.objects.create", "storage.objects.delete", "storage.objects.list"}
    ),
    "roles/run.invoker": frozenset({"run.routes.invoke"}),
    "roles/pubsub.publisher": frozenset({"pubsub.topics.publish"}),
    "roles/pubsub.subscriber": frozenset({"pubsub.subscriptions.consume"}),
    "roles/workflows.invoker": frozenset({"workflows.executions.create"}),
    "roles/iam.serviceAccountTokenCreator": frozenset({"iam.serviceAccounts.signBlob"}),
    "roles/logging.logWriter": frozenset({"logging.logEntries.create"}),
}
"""As much of each role as something here asks for: https://cloud.google.com/iam/docs/roles-permissions"""


@dataclass(frozen=True, kw_only=True)
class Binding:
    """One role for one member on one resource."""

    resource: str
    """`projects/p`, `projects/_/buckets/b`, `projects/p/topics/t`..."""
    role: str
    member: str
    condition: Condition | None = None


class Bindings:
    """Every binding of one project. Asked by everything that would be asked on GCP."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._all: dict[int, Binding] = {}

    def add(self, binding: Binding) -> int:
        """Returns the number by which it is taken back: what was given twice must be taken back twice.

        Raises `ValueError` for a role that nothing here understands.
        """
        if binding.role not in ROLES:
            raise ValueError(f"{binding.role} is not known here; accepted: {', '.join(ROLES)}")
        with self._lock:
            number = next(self._numbers)
            self._all = {**self._all, number: binding}
        return number

    def remove(self, number: int) -> None:
        with self._lock:
            self._all = {known: binding for known, binding in self._all.items() if known != number}

    def allows(self, email: str, permission: str, resource: str, asked: Asked | None = None) -> bool:
        """Whether an account was given a role with the permission, on the resource or on the project around it."""
        places = {resource, f"projects/{self._accounts.project}"}
        about = asked or Asked(name=resource)
        return any(
            one.member == f"serviceAccount:{email}"
            and permission in ROLES[one.role]
            and one.resource in places
            and (one.condition is None or one.condition(about))
            for one in self._all.values()
        )
