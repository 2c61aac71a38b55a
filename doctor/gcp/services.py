"""What is turned on in a Google Cloud project: services, billing, and the accounts that Google's services act as."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from doctor.check import missing
from doctor.finding import Finding, fails, ready
from doctor.gcp.project import MANAGER, USAGE, Project, ServiceOff
from doctor.stack import Stack

FIRST = (MANAGER, USAGE)
"""What the provider asks before it can turn on anything else."""
SERVICE = "gcp:projects/service:Service"
IDENTITY = "gcp:projects/serviceIdentity:ServiceIdentity"
AT_ONCE = 20
"""The services of one call: https://cloud.google.com/service-usage/docs/reference/rest/v1/services/batchGet."""
AGENTS: Mapping[str, tuple[str, str]] = {
    "cloudfunctionsv2": ("cloudfunctions", "gcf-admin-robot"),
    "eventarc": ("eventarc", "gcp-sa-eventarc"),
    "workflows": ("workflows", "gcp-sa-workflows"),
}
"""The provider's modules whose resources fail without the service's agent, and the domain of its address:
https://cloud.google.com/iam/docs/service-agents."""


@dataclass(frozen=True, kw_only=True)
class Services:
    """The services that a stack needs, by whether they are on."""

    project: str
    on: frozenset[str]
    off: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Billing:
    """Whether somebody pays."""

    project: str
    enabled: bool


@dataclass(frozen=True, kw_only=True)
class Agents:
    """The addresses of service agents that have a role in the project."""

    project: str
    number: str
    present: frozenset[str]


def ask_services(project: Project, stack: Stack) -> Services:
    needed_services = sorted({*FIRST, *stack.named(SERVICE, "service")})
    on: set[str] = set()
    try:
        for start in range(0, len(needed_services), AT_ONCE):
            names = [f"projects/{project.name}/services/{name}" for name in needed_services[start : start + AT_ONCE]]
            path = f"v1/projects/{project.name}/services:batchGet"
            answer = project.get(USAGE, path, "serviceusage.services.get", names=names)
            on |= {each["name"].rsplit("/", 1)[1] for each in answer["services"] if each.get("state") == "ENABLED"}
    except ServiceOff as off:
        return Services(project=project.name, on=frozenset(), off=frozenset({off.service}))
    return Services(project=project.name, on=frozenset(on), off=frozenset(missing(needed_services, on)))


def judge_services(services: Services, _: Stack) -> list[Finding]:
    first, later = services.off.intersection(FIRST), sorted(services.off.difference(FIRST))
    found = [
        fails(
            f"{name} is not on, and nothing can be turned on without it",
            f"gcloud services enable {' '.join(FIRST)} --project={services.project}",
        )
        for name in sorted(first)
    ]
    if later:
        return [*found, ready(f"{len(services.on)} services are on, and `pulumi up` turns on {', '.join(later)}")]
    return found or [ready(f"all {len(services.on)} services are on")]


def ask_billing(project: Project, _: Stack) -> Billing:
    path = f"v1/projects/{project.name}/billingInfo"
    answer = project.get("cloudbilling.googleapis.com", path, "resourcemanager.projects.get")
    return Billing(project=project.name, enabled=bool(answer.get("billingEnabled")))


def judge_billing(billing: Billing, _: Stack) -> list[Finding]:
    if billing.enabled:
        return [ready("the project has a billing account")]
    mend = f"gcloud billing projects link {billing.project} --billing-account=ACCOUNT"
    return [fails("the project has no billing account, and most services are refused to it", mend)]


def ask_agents(project: Project, _: Stack) -> Agents:
    path = f"v1/projects/{project.name}:getIamPolicy"
    body = {"options": {"requestedPolicyVersion": 3}}
    policy = project.post(MANAGER, path, "resourcemanager.projects.getIamPolicy", body)
    members = {member for binding in policy.get("bindings", ()) for member in binding.get("members", ())}
    agents = {
        member.removeprefix("serviceAccount:") for member in members if member.startswith("serviceAccount:service-")
    }
    return Agents(project=project.name, number=project.number, present=frozenset(agents))


def judge_agents(agents: Agents, stack: Stack) -> list[Finding]:
    asked_for = {host.removesuffix(".googleapis.com") for host in stack.named(IDENTITY, "service")}
    found: list[Finding] = []
    for service, domain in sorted({AGENTS[module] for module in stack.modules if module in AGENTS}):
        address = f"service-{agents.number}@{domain}.iam.gserviceaccount.com"
        if address in agents.present or service in asked_for:
            continue
        found.append(
            fails(
                f"the service agent of {service} has no role in the project yet, so the first deployment fails",
                f"gcloud beta services identity create --service={service}.googleapis.com --project={agents.project}",
                f"gcloud projects add-iam-policy-binding {agents.project} --condition=None"
                f" --role=roles/{service}.serviceAgent --member=serviceAccount:{address}",
            )
        )
    return found or [ready("every service agent has its role, or `pulumi up` asks for it")]
