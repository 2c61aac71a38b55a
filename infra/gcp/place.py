"""Where a stack stands: a project, in a region, with the services that it uses turned on."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_gcp as gcp

SERVICES = (
    "apigateway",
    "artifactregistry",
    "cloudbuild",
    "cloudfunctions",
    "cloudresourcemanager",
    "cloudscheduler",
    "eventarc",
    "iam",
    "iamcredentials",
    "logging",
    "pubsub",
    "run",
    "servicecontrol",
    "servicemanagement",
    "storage",
    "workflowexecutions",
    "workflows",
)
"""What the components use, themselves or through one another: functions are built by Cloud Build into Artifact
Registry and run on Cloud Run; API Gateway is kept by Service Management and asks Service Control; URLs are signed by
Service Account Credentials."""


class Services(pulumi.ComponentResource):
    """The services of the project, turned on, and left on when the stack goes: others may use them, too."""

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("serverless-ml:gcp:Services", name, None, opts)
        for service in SERVICES:
            gcp.projects.Service(
                f"{name}-{service}",
                service=f"{service}.googleapis.com",
                disable_on_destroy=False,
                opts=pulumi.ResourceOptions(parent=self),
            )
        self.register_outputs({})


def prepare() -> Sequence[pulumi.Resource]:
    """What everything else waits for."""
    return (Services("services"),)


def region() -> str:
    """The provider's own `gcp:region`, or what its environment variables say.

    Buckets, functions and gateways have no default of their own: each needs to be told.
    Raises `pulumi.RunError` that names the file and the line to write.
    """
    found = gcp.config.region
    if not found:
        raise pulumi.RunError(
            f"Pulumi.{pulumi.get_stack()}.yaml: gcp:region is missing; any region of Cloud Run functions is accepted."
            " Write, for example:\nconfig:\n  gcp:region: europe-west1"
        )
    return found
