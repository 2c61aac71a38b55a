"""What builds the functions: an account for Cloud Build, and the repository of the images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from infra.gcp.access import LOG_WRITER, allow_in_project
from infra.gcp.project import region

WRITER = "roles/artifactregistry.writer"
VIEWER = "roles/storage.objectViewer"
SOURCES = "gcf-v2-sources-"
"""How the names of the buckets begin that Cloud Run functions copies archives to, and Cloud Build reads them from."""
KEPT_IMAGES = 5
"""The images of a function that are kept, whatever their age."""
IMAGE_DAYS = 30
"""The days that any other image is kept."""


@dataclass(frozen=True, kw_only=True)
class Builder:
    """An account that Cloud Build builds functions as, and a Docker repository for their images."""

    account: pulumi.Output[str]
    """The full name of the account."""
    repository: pulumi.Output[str]
    """The full name of the repository."""
    grants: Sequence[pulumi.Resource]
    """What must be there before the account builds anything."""


def declare(name: str, bucket: pulumi.Input[str], opts: pulumi.ResourceOptions) -> Builder:
    """Declare the builder of the archives in `bucket`.

    By default the builds run as the project's default account, which has no role in a new organisation
    (https://cloud.google.com/functions/docs/troubleshooting#build-service-account), and the first function
    of a project makes the repository, which functions that are made at the same time do not find. This
    account may do what a build needs
    (https://cloud.google.com/functions/docs/securing/build-custom-sa), and no more: write its log, write
    images to the repository, read archives.
    """
    identity = gcp.serviceaccount.Account(f"{name}-builder", display_name="builds of functions", opts=opts)
    images = gcp.artifactregistry.Repository(
        f"{name}-images",
        location=region(),
        format="DOCKER",
        # It needs an id that is unique in the project, as that of the account is: Pulumi made it up.
        repository_id=identity.account_id,
        cleanup_policies=[
            {"id": "newest", "action": "KEEP", "most_recent_versions": {"keep_count": KEPT_IMAGES}},
            {"id": "old", "action": "DELETE", "condition": {"older_than": f"{IMAGE_DAYS * 24 * 3600}s"}},
        ],
        opts=opts,
    )
    writer = gcp.artifactregistry.RepositoryIamMember(
        f"{name}-builder-images",
        location=images.location,
        repository=images.name,
        role=WRITER,
        member=identity.member,
        opts=opts,
    )
    logger = allow_in_project(f"{name}-builder-log-writer", identity, LOG_WRITER, opts)
    # On the project, since there is no bucket of that name before the first function.
    viewer = gcp.projects.IAMMember(
        f"{name}-builder-sources",
        project=identity.project,
        role=VIEWER,
        member=identity.member,
        condition={"title": f"{name}-sources", "expression": _sources(bucket)},
        opts=opts,
    )
    return Builder(account=identity.name, repository=images.id, grants=(writer, logger, viewer))


def _sources(bucket: pulumi.Input[str]) -> pulumi.Output[str]:
    """Return the condition for the archives in the bucket, and for the copies of archives, in CEL."""
    copies = f'resource.name.startsWith("projects/_/buckets/{SOURCES}")'
    return pulumi.Output.concat(copies, ' || resource.name.startsWith("projects/_/buckets/', bucket, '/objects/")')
