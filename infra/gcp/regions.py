"""The regions that a stack can be deployed into: those of the service that the fewest regions have."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi

from infra.gcp.project import region
from infra.scaling import Profile

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


def require_region(_profiles: Mapping[str, Profile]) -> None:
    """Raise `pulumi.RunError`, which lists what is accepted, where there is no API Gateway, and as `region` does."""
    if (name := region()) not in API_GATEWAY:
        raise pulumi.RunError(
            f"Pulumi.{pulumi.get_stack()}.yaml: gcp:region: {name} has no API Gateway;"
            f" accepted, as of {READ_ON}: {', '.join(API_GATEWAY)}"
        )
