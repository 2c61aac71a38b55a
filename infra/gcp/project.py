"""The project that a stack is deployed into: its services, and the region."""

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
"""What the components use, themselves or through one another: functions are built by Cloud Build into Artifact Registry
and run on Cloud Run; Service Management keeps the configuration of API Gateway, which asks Service Control; URLs are
signed by Service Account Credentials."""


class Services(pulumi.ComponentResource):
    """The services of the project, enabled, and left so when the stack is destroyed: others may use them, too."""

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


def enable_services() -> Sequence[pulumi.Resource]:
    """Enable the services; return what everything else depends on."""
    return (Services("services"),)


def region() -> str:
    """Return the provider's own `gcp:region`, or that of its environment variables.

    Buckets, functions and gateways have no default region. Raise `pulumi.RunError` that names the file
    and the line to write when there is none.
    """
    name = gcp.config.region
    if not name:
        raise pulumi.RunError(
            f"Pulumi.{pulumi.get_stack()}.yaml: gcp:region is missing; any region of Cloud Run functions is accepted."
            " Write, for example:\nconfig:\n  gcp:region: europe-west1"
        )
    return name
