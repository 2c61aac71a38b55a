"""The places that a stack can be deployed into: regions of the service that the fewest have, in a project."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pulumi
import pulumi_gcp as gcp

from infra.scaling import Profile
from infra.settings_file import origin

API_GATEWAY = (
    "asia-northeast1",
    "australia-southeast1",
    "europe-west1",
    "europe-west2",
    "us-central1",
    "us-east1",
    "us-east4",
    "us-west2",
    "us-west3",
    "us-west4",
)
"""https://cloud.google.com/api-gateway/docs/deployment-model#choosing_a_gcp_region. Every other service of a stack is
offered in all of these."""
READ_ON = "2026-11-29"
REGION_VARIABLES = ("GOOGLE_REGION", "GCLOUD_REGION", "CLOUDSDK_COMPUTE_REGION")
PROJECT_VARIABLES = ("GOOGLE_PROJECT", "GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT", "CLOUDSDK_CORE_PROJECT")
"""Where the provider looks for what the stack does not say, in this order:
https://www.pulumi.com/registry/packages/gcp/installation-configuration/. It does not ask gcloud."""


def require_region(_profiles: Mapping[str, Profile]) -> None:
    """Raise `pulumi.RunError` for a stack without a region or a project, and for a region without API Gateway."""
    if problems := [*_region(), *_project()]:
        raise pulumi.RunError("\n".join(problems))


def _region() -> Iterator[str]:
    name = gcp.config.region
    where = origin("gcp:region", name, REGION_VARIABLES)
    if not name:
        yield (
            f"{where} is missing; accepted there, or in {', '.join(REGION_VARIABLES)} of the environment, as of"
            f" {READ_ON}: {', '.join(API_GATEWAY)}. Write, for example:\nconfig:\n  gcp:region: europe-west1"
        )
    elif name not in API_GATEWAY:
        yield f"{where}: {name} has no API Gateway; accepted, as of {READ_ON}: {', '.join(API_GATEWAY)}"


def _project() -> Iterator[str]:
    if not gcp.config.project:
        where = origin("gcp:project", None, PROJECT_VARIABLES)
        yield (
            f"{where} is missing; accepted there, by `pulumi config set gcp:project MY-PROJECT`, or in"
            f" {', '.join(PROJECT_VARIABLES)} of the environment: the id of a project. The provider looks nowhere else"
        )
