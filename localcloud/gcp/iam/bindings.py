"""IAM bindings: the roles of members on resources, and their conditions."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Mapping
from dataclasses import dataclass

from localcloud.gcp.iam.accounts import Accounts
from localcloud.gcp.iam.condition import Condition, RequestAttributes

ACCESS_TOKEN, IDENTITY_TOKEN = "iam.serviceAccounts.getAccessToken", "iam.serviceAccounts.getOpenIdToken"
TOKENS = frozenset({ACCESS_TOKEN, IDENTITY_TOKEN})
"""The permissions by which a service agent acts as an account."""
REPOSITORY = "artifactregistry.repositories.get"
UPLOAD, DOWNLOAD = "artifactregistry.repositories.uploadArtifacts", "artifactregistry.repositories.downloadArtifacts"
SUBSCRIBE = "pubsub.subscriptions.create"
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
    "roles/artifactregistry.writer": frozenset({UPLOAD, DOWNLOAD}),
    "roles/cloudbuild.serviceAgent": TOKENS,
    "roles/cloudfunctions.serviceAgent": frozenset({REPOSITORY, *TOKENS}),
    "roles/cloudscheduler.serviceAgent": TOKENS,
    "roles/eventarc.serviceAgent": frozenset({SUBSCRIBE, *TOKENS}),
    "roles/pubsub.serviceAgent": TOKENS,
    "roles/run.serviceAgent": frozenset({DOWNLOAD, *TOKENS}),
    "roles/workflows.serviceAgent": TOKENS,
}
"""The permissions of each role that are checked here: https://cloud.google.com/iam/docs/roles-permissions"""


@dataclass(frozen=True, kw_only=True)
class Binding:
    """Grants one member a role on one resource."""

    resource: str
    """`projects/p`, `projects/_/buckets/b`, `projects/p/topics/t`..."""
    role: str
    member: str
    condition: Condition | None = None


class Bindings:
    """Every binding of one project, which the embedded services check as GCP does."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._all: dict[int, Binding] = {}

    def add(self, binding: Binding) -> int:
        """Add a binding and return the number that removes it. A binding that is added twice must be removed twice.

        Raises `ValueError` for a role that is not in `ROLES`, and for a service account that does not exist.
        """
        if binding.role not in ROLES:
            raise ValueError(f"{binding.role} is not known here; accepted: {', '.join(ROLES)}")
        kind, _, email = binding.member.partition(":")
        if kind == "serviceAccount" and not self._accounts.exists(email):
            raise ValueError(f"{binding.role} on {binding.resource}: Service account {email} does not exist.")
        with self._lock:
            number = next(self._numbers)
            self._all = {**self._all, number: binding}
        return number

    def has(self, number: int) -> bool:
        """Return whether the binding that was added with a number is still there."""
        with self._lock:
            return number in self._all

    def on(self, resource: str) -> Mapping[str, list[str]]:
        """Return the members of each role that is bound on a resource itself, sorted."""
        with self._lock:
            bound = {(each.role, each.member) for each in self._all.values() if each.resource == resource}
        return {role: sorted(member for other, member in bound if other == role) for role in sorted(dict(bound))}

    def remove(self, number: int) -> None:
        """Remove the binding that was added with a number. An unknown one is ignored."""
        with self._lock:
            self._all = {known: binding for known, binding in self._all.items() if known != number}

    def allows(self, email: str, permission: str, resource: str, attributes: RequestAttributes | None = None) -> bool:
        """Return whether an account has a permission on a resource, by a binding on it or on the project.

        `attributes` are what conditions are evaluated with; by default, the resource's name alone.
        """
        resources = {resource, f"projects/{self._accounts.project}"}
        attributes = attributes or RequestAttributes(name=resource)
        return any(
            binding.member == f"serviceAccount:{email}"
            and permission in ROLES[binding.role]
            and binding.resource in resources
            and (binding.condition is None or binding.condition(attributes))
            for binding in self._all.values()
        )
