"""The project that a stack is deployed into: its services, and the region."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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
    "monitoring",
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

AGENTS: Mapping[str, str] = {
    "cloudbuild": "gcp-sa-cloudbuild",
    "cloudfunctions": "gcf-admin-robot",
    "cloudscheduler": "gcp-sa-cloudscheduler",
    "eventarc": "gcp-sa-eventarc",
    "pubsub": "gcp-sa-pubsub",
    "run": "serverless-robot-prod",
    "workflows": "gcp-sa-workflows",
}
"""The services that act in the project by an account of Google's, their service agent, and the domain of its address:
https://cloud.google.com/iam/docs/service-agents.

A service agent is created at some time after its service is enabled, unless it is asked for, and what needs it fails
until then. One that was asked for is granted no role by itself:
https://cloud.google.com/iam/docs/create-service-agents. Cloud Storage's is asked for by being looked up: arrival.py."""


class Services(pulumi.ComponentResource):
    """The services of the project, enabled, with their service agents.

    All stay when the stack is destroyed: others may use them, too.
    """

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("serverless-ml:gcp:Services", name, None, opts)
        enabled = {
            service: gcp.projects.Service(
                f"{name}-{service}",
                service=f"{service}.googleapis.com",
                disable_on_destroy=False,
                opts=pulumi.ResourceOptions(parent=self),
            )
            for service in SERVICES
        }
        manager = enabled["cloudresourcemanager"]
        project = gcp.organizations.get_project_output(
            opts=pulumi.InvokeOutputOptions(parent=self, depends_on=[manager])
        )
        for service, domain in AGENTS.items():
            agent = gcp.projects.ServiceIdentity(
                f"{name}-{service}-agent",
                service=f"{service}.googleapis.com",
                opts=pulumi.ResourceOptions(parent=self, depends_on=[enabled[service]]),
            )
            gcp.projects.IAMMember(
                f"{name}-{service}-agent-role",
                project=agent.project,
                role=agent_role(service),
                # Not every service tells the address of an agent that is asked for:
                # https://github.com/terraform-google-modules/terraform-google-project-factory/issues/751
                member=pulumi.Output.format(
                    "serviceAccount:service-{}@{}.iam.gserviceaccount.com", project.number, domain
                ),
                # Another stack of the project relies on it, too.
                opts=pulumi.ResourceOptions(parent=self, depends_on=[agent, manager], retain_on_delete=True),
            )
        self.register_outputs({})


def agent_role(service: str) -> str:
    """Return the role that is made for the agent of a service, and can only be granted on the project."""
    return f"roles/{service}.serviceAgent"


def enable_services(opts: pulumi.ResourceOptions | None = None) -> Sequence[pulumi.Resource]:
    """Enable the services and ask for their agents; return what everything else depends on."""
    return (Services("services", opts),)


def region() -> str:
    """Return the provider's own `gcp:region`, or that of its environment variables.

    Buckets, functions and gateways have no default region. Raise `ValueError` where there is none: regions.py refuses
    the stack before.
    """
    if not (name := gcp.config.region):
        raise ValueError("there is no gcp:region")
    return name
