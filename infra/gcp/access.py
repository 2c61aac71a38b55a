"""Permissions: IAM bindings on single resources, and on the project only where Google offers nothing narrower.

    READ   roles/storage.objectViewer        get and list the objects under the prefixes, or learn that there is none
    WRITE  roles/storage.legacyBucketWriter  create and replace the objects under the prefixes
    REMOVE                                   nothing more than WRITE, which goes with it

Cloud Storage knows no permission to replace: "in order to replace existing objects, both
storage.objects.create and storage.objects.delete permissions are required"
(https://cloud.google.com/storage/docs/access-control/iam-permissions). So on GCP WRITE can
delete, too; versioning and soft delete keep what was deleted. The legacy role is the only
predefined one that creates and deletes without reading, and its condition, which holds for
objects alone, leaves nothing of what else is in it (listing, the bucket's own metadata).

A binding is for one model, and its name and the title of its condition say which function may do what
with which model: `predict-read-models-breast_cancer`. A policy is a set of roles, members and conditions,
and knows nothing of the resources that stand for them: had two resources one binding, deleting either
would take it from both. So no two may, and none may take over what another one stood for:
docs/decisions/0019-one-wildcard-for-every-model.md.

A missing object is a 404 only for who may list the bucket, else a 403, as on S3. That is asked of the
bucket for a request that names no prefix, so the attribute of a reader's condition has a default under
which it holds, for the bucket alone: of an object it would allow everything.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from infra.gcp.project import region
from infra.gcp.transform import plain
from infra.keys import Access, Keys, below
from infra.vocabulary import Grant, Store

INVOKER = "roles/run.invoker"
SIGNER = "roles/iam.serviceAccountTokenCreator"
PUBLISHER = "roles/pubsub.publisher"
SUBSCRIBER = "roles/pubsub.subscriber"
STARTER = "roles/workflows.invoker"
LOG_WRITER = "roles/logging.logWriter"
UNSCOPABLE: Mapping[str, str] = {
    STARTER: "a workflow has no policy of its own (https://cloud.google.com/workflows/docs/reference/rest), and is no"
    " resource that a condition knows: https://cloud.google.com/iam/docs/conditions-resource-attributes",
    LOG_WRITER: "entries are written to the project, not to a resource in it:"
    " https://cloud.google.com/logging/docs/access-control",
}
"""The only roles that are granted on the project, and why they cannot be granted on less."""
PREFIXES_AT_ONCE = 6
"""A condition holds at most 12 logical operators; a readable prefix takes two, and all of them another one, less one:
https://cloud.google.com/iam/docs/conditions-overview"""
LONGEST_TITLE = 100
"""Characters of a condition's title: https://cloud.google.com/iam/docs/reference/rest/v1/Expr"""


@dataclass(frozen=True, kw_only=True)
class Binding:
    """One role on one bucket, for the objects under some prefixes of one model."""

    name: str
    """What may be done with which model's objects, unlike that of any other binding of the function."""
    store: Store
    access: Access
    prefixes: tuple[str, ...]

    @property
    def role(self) -> str:
        """The IAM role that gives this access."""
        match self.access:
            case Access.READ:
                return "roles/storage.objectViewer"
            case Access.WRITE | Access.REMOVE:
                return "roles/storage.legacyBucketWriter"

    @property
    def expression(self) -> pulumi.Output[str]:
        """The IAM condition, in CEL."""
        return self.store.name.apply(lambda bucket: " || ".join(self._clauses(bucket)))

    def _clauses(self, bucket: str) -> Iterable[str]:
        for prefix in self.prefixes:
            yield f'resource.name.startsWith("projects/_/buckets/{bucket}/objects/{prefix}")'
        if self.access is Access.READ:
            # The bucket is listed, not an object: there the prefix is an attribute of the request.
            listed = " || ".join(map(_listed, self.prefixes))
            yield f'(resource.type == "storage.googleapis.com/Bucket" && ({listed}))'


def _listed(prefix: str) -> str:
    return f'api.getAttribute("storage.googleapis.com/objectListPrefix", "{prefix}").startsWith("{prefix}")'


def bindings(grants: Iterable[Grant]) -> tuple[Binding, ...]:
    """Return the bindings that mean the same as the grants, one for each grant and model, but for those to remove.

    Where a condition cannot hold all prefixes there are several, the others named after their first prefix.
    Raise `ValueError` for a model or prefix that has a character other than letters, digits and `_ . / -`.
    """
    needed = [grant for grant in grants if grant.access is not Access.REMOVE]
    return tuple(binding for grant in needed for model in grant.keys.models for binding in _bindings(grant, model))


def _bindings(grant: Grant, model: str) -> Iterable[Binding]:
    prefixes = grant.keys.prefixes
    for start in range(0, len(prefixes), PREFIXES_AT_ONCE):
        some = prefixes[start : start + PREFIXES_AT_ONCE]
        name = f"{grant.name}-{model}" + (f"-{some[0].rstrip('/').replace('/', '-')}" if start else "")
        prefixed = tuple(plain(prefix) for prefix in below(Keys(models=(model,), prefixes=some)))
        yield Binding(name=name, store=grant.store, access=grant.access, prefixes=prefixed)


def allow_storage(
    name: str, identity: gcp.serviceaccount.Account, grants: Iterable[Grant], opts: pulumi.ResourceOptions
) -> None:
    """Give a service account what its grants say, on the buckets that they name."""
    for binding in bindings(grants):
        gcp.storage.BucketIAMMember(
            f"{name}-{binding.name}",
            bucket=binding.store.name,
            role=binding.role,
            member=identity.member,
            condition={"title": title(f"{name}-{binding.name}"), "expression": binding.expression},
            opts=opts,
        )


def title(name: str) -> str:
    """Return the title of the condition of the binding of that name; a digest takes the place of what is too long.

    It is a part of what makes a binding another one, so that two resources never stand for the same.
    """
    if len(name) <= LONGEST_TITLE:
        return name
    return f"{name[: LONGEST_TITLE - 9]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def allow_invocation(
    name: str, identity: gcp.serviceaccount.Account, function: pulumi.Input[str], opts: pulumi.ResourceOptions
) -> gcp.cloudrunv2.ServiceIamMember:
    """Let a service account call one function, by its name; a function is a Cloud Run service of the same name."""
    return gcp.cloudrunv2.ServiceIamMember(
        name, name=function, location=region(), role=INVOKER, member=identity.member, opts=opts
    )


def allow_signing(
    name: str, identity: gcp.serviceaccount.Account, opts: pulumi.ResourceOptions
) -> gcp.serviceaccount.IAMMember:
    """Let a service account sign as itself, and as nobody else: it holds no key that it could sign with.

    https://cloud.google.com/storage/docs/access-control/signing-urls-with-helpers#required-roles
    """
    return gcp.serviceaccount.IAMMember(
        name, service_account_id=identity.name, role=SIGNER, member=identity.member, opts=opts
    )


def allow_publishing(
    name: str, topic: pulumi.Input[str], member: pulumi.Input[str], opts: pulumi.ResourceOptions
) -> gcp.pubsub.TopicIAMMember:
    """Let a member publish to one topic."""
    return gcp.pubsub.TopicIAMMember(name, topic=topic, role=PUBLISHER, member=member, opts=opts)


def allow_in_project(
    name: str, identity: gcp.serviceaccount.Account, role: str, opts: pulumi.ResourceOptions
) -> gcp.projects.IAMMember:
    """Grant one of the roles of `UNSCOPABLE` on the project. Raise `ValueError` for any other role."""
    if role not in UNSCOPABLE:
        raise ValueError(f"{role}: grant it on the resource")
    return gcp.projects.IAMMember(name, project=identity.project, role=role, member=identity.member, opts=opts)
