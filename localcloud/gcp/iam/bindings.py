"""IAM bindings: the roles of members on resources, and their conditions."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from localcloud.gcp.iam.accounts import Accounts
from localcloud.gcp.iam.condition import Condition, RequestAttributes, condition

ACCESS_TOKEN, IDENTITY_TOKEN = "iam.serviceAccounts.getAccessToken", "iam.serviceAccounts.getOpenIdToken"
ACT_AS = "iam.serviceAccounts.actAs"
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
    "roles/iam.serviceAccountUser": frozenset({ACT_AS}),
    "roles/iam.serviceAccountTokenCreator": frozenset({"iam.serviceAccounts.signBlob", "iam.serviceAccounts.signJwt"}),
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
CONDITIONS = 20
"""The most conditions under which a policy binds one role to one member: https://cloud.google.com/iam/quotas"""


@dataclass(frozen=True, kw_only=True)
class Clause:
    """The condition of a binding: its title makes it another one, as its expression does."""

    title: str
    expression: str
    description: str = ""


@dataclass(frozen=True, kw_only=True)
class Binding:
    """Grants one member a role on one resource. Equal ones are one and the same."""

    resource: str
    """`projects/p`, `projects/_/buckets/b`, `projects/p/topics/t`..."""
    role: str
    member: str
    clause: Clause | None = None


class Bindings:
    """Every binding of one project, which the embedded services check as GCP does.

    The policy of a resource is a set, as on GCP: it does not know for how many owners a binding stands in it.
    """

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self._lock = threading.Lock()
        self._all: dict[Binding, Condition | None] = {}
        """Every binding, with its condition as a function."""
        self._roles: dict[str, frozenset[str]] = dict(ROLES)
        """The permissions of each role: Google's, and those that the project has defined."""

    def define(self, role: str, permissions: Iterable[str]) -> None:
        """Define a role of the project, or change it: https://cloud.google.com/iam/docs/creating-custom-roles."""
        with self._lock:
            self._roles = {**self._roles, role: frozenset(permissions)}

    def defines(self, role: str) -> bool:
        """Return whether a role is known."""
        with self._lock:
            return role in self._roles

    def forget(self, role: str) -> None:
        """Delete a role of the project; who is bound to it has its permissions no longer. An unknown one is ignored."""
        with self._lock:
            self._roles = {known: permissions for known, permissions in self._roles.items() if known != role}

    def add(self, binding: Binding) -> None:
        """Add a binding to the policy of its resource. One that is there already changes nothing.

        Raises `ValueError` for a role that is not in `ROLES`, for a service account that does not exist, for a
        condition that cannot be evaluated here, and for more of them than `CONDITIONS`.
        """
        if not self.defines(binding.role):
            raise ValueError(f"{binding.role} is not known here; accepted: {', '.join(self._roles)}")
        kind, _, email = binding.member.partition(":")
        if kind == "serviceAccount" and not self._accounts.exists(email):
            raise ValueError(f"{binding.role} on {binding.resource}: Service account {email} does not exist.")
        holds = condition(binding.clause.expression) if binding.clause else None
        with self._lock:
            if binding.clause and len(self._clauses(binding) | {binding.clause}) > CONDITIONS:
                raise ValueError(
                    f"{binding.role} on {binding.resource}: {binding.member} has it under {CONDITIONS} conditions"
                    f" already; accepted: {CONDITIONS}"
                )
            self._all = {**self._all, binding: holds}

    def _clauses(self, like: Binding) -> set[Clause]:
        return {
            each.clause
            for each in self._all
            if each.clause and (each.resource, each.role, each.member) == (like.resource, like.role, like.member)
        }

    def has(self, binding: Binding) -> bool:
        """Return whether a binding is in the policy of its resource."""
        with self._lock:
            return binding in self._all

    def on(self, resource: str) -> Mapping[str, list[str]]:
        """Return the members of each role that is bound on a resource itself, sorted."""
        with self._lock:
            bound = {(each.role, each.member) for each in self._all if each.resource == resource}
        return {role: sorted(member for other, member in bound if other == role) for role in sorted(dict(bound))}

    def remove(self, binding: Binding) -> None:
        """Take a binding out of the policy of its resource, whoever added it. One that is not there is ignored."""
        with self._lock:
            self._all = {known: holds for known, holds in self._all.items() if known != binding}

    def allows(self, email: str, permission: str, resource: str, attributes: RequestAttributes | None = None) -> bool:
        """Return whether an account has a permission on a resource, by a binding on it or on the project.

        `attributes` are what conditions are evaluated with; by default, the resource's name alone.
        """
        resources = {resource, f"projects/{self._accounts.project}"}
        attributes = attributes or RequestAttributes(name=resource)
        return any(
            binding.member == f"serviceAccount:{email}"
            and permission in self._roles.get(binding.role, ())
            and binding.resource in resources
            and (holds is None or holds(attributes))
            for binding, holds in self._all.items()
        )
