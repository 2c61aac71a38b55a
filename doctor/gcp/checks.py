"""What is asked of a Google Cloud project, and what the answers mean for a stack."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from doctor import name, quota
from doctor.check import Check, Forbidden, NotThere, missing
from doctor.finding import Finding, fails, ready, unknown
from doctor.gcp.permissions import ROLES, needed, unlisted
from doctor.gcp.project import MANAGER, Project, ServiceOff
from doctor.gcp.services import ask_agents, ask_billing, ask_services, judge_agents, judge_billing, judge_services
from doctor.stack import Stack

UNLIMITED = 2**63 - 1
"""A quota of -1: https://cloud.google.com/docs/quotas/reference/rest/v1/QuotaDetails."""
GONE = "GONE"
MOST_PERMISSIONS = 100
"""The permissions of one call."""
LOCATIONS: Mapping[str, tuple[str, str]] = {
    "apigateway": ("apigateway", "v1"),
    "artifactregistry": ("artifactregistry", "v1"),
    "cloudfunctionsv2": ("cloudfunctions", "v2"),
    "cloudscheduler": ("cloudscheduler", "v1"),
    "eventarc": ("eventarc", "v1"),
    "workflows": ("workflows", "v1"),
}
"""The provider's modules whose service tells its regions: the service, and the version of its API."""


@dataclass(frozen=True, kw_only=True)
class Who:
    """Who asks, and about what."""

    owner: str
    project: str
    state: str
    """As Resource Manager names it; empty where it is not told, because Resource Manager is not on."""


@dataclass(frozen=True, kw_only=True)
class Offer:
    """The services of a stack by whether the region has them; `unasked` ones are not on, or may not be asked."""

    project: str
    region: str
    offered: frozenset[str]
    lacking: frozenset[str]
    off: frozenset[str]
    refused: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Quotas:
    """The project's quotas in the region, by their ids; None for one that it does not have."""

    project: str
    region: str
    figures: Mapping[str, int | None]


@dataclass(frozen=True, kw_only=True)
class Rights:
    """What the caller may not do of what a deployment needs."""

    project: str
    member: str
    refused: tuple[str, ...]


def ask_who(project: Project, _: Stack) -> Who:
    try:
        state = str(project.state.get("state", ""))
    except ServiceOff:
        state = ""
    except NotThere:
        state = GONE
    return Who(owner=project.credentials.owner, project=project.name, state=state)


def judge_who(who: Who, _: Stack) -> list[Finding]:
    if who.state == GONE:
        return [fails(f"there is no project {who.project}", f"gcloud projects create {who.project}")]
    if who.state not in ("", "ACTIVE"):
        return [fails(f"the project {who.project} is {who.state}", f"gcloud projects undelete {who.project}")]
    return [ready(f"{who.owner}, in project {who.project}")]


def ask_offer(project: Project, stack: Stack) -> Offer:
    found: dict[str, set[str]] = {"offered": set(), "lacking": set(), "off": set(), "refused": set()}
    for service, version in sorted({LOCATIONS[module] for module in stack.modules if module in LOCATIONS}):
        try:
            place = "offered" if project.region in _locations(project, service, version) else "lacking"
        except ServiceOff:
            place = "off"
        except Forbidden:
            place = "refused"
        found[place].add(service)
    return Offer(
        project=project.name, region=project.region, **{place: frozenset(names) for place, names in found.items()}
    )


def judge_offer(offer: Offer, _: Stack) -> list[Finding]:
    found = [ready(f"{offer.region} has {', '.join(sorted(offer.offered))}")] if offer.offered else []
    if offer.lacking:
        text = f"{offer.region} has no {', '.join(sorted(offer.lacking))}"
        found.append(fails(text, "pulumi config set gcp:region europe-west1"))
    if offer.off:
        hosts = " ".join(f"{name}.googleapis.com" for name in sorted(offer.off))
        text = f"whether {offer.region} has {', '.join(sorted(offer.off))} is told once they are on"
        found.append(unknown(text, f"gcloud services enable {hosts} --project={offer.project}"))
    if offer.refused:
        permissions = ", ".join(f"{name}.locations.list" for name in sorted(offer.refused))
        found.append(unknown(f"not asked: the permissions {permissions} are missing on {offer.project}"))
    return found


def ask_quotas(project: Project, stack: Stack) -> Quotas:
    figures: dict[str, int | None] = {}
    for want in stack.wants:
        path = f"v1/projects/{project.name}/locations/global/services/{want.quota.service}/quotaInfos/{want.quota.code}"
        try:
            answer = project.get("cloudquotas.googleapis.com", path, "cloudquotas.quotas.get")
        except NotThere:
            figures[want.quota.code] = None
        else:
            figures[want.quota.code] = figure_of(answer.get("dimensionsInfos", ()), project.region)
    return Quotas(project=project.name, region=project.region, figures=figures)


def judge_quotas(quotas: Quotas, stack: Stack) -> list[Finding]:
    found = []
    for want in stack.wants:
        if (figure := quotas.figures.get(want.quota.code)) is None:
            found.append(quota.not_asked(want))
            continue
        mend = (
            f"gcloud beta quotas preferences create --service={want.quota.service} --quota-id={want.quota.code}"
            f" --preferred-value={max(want.wanted, want.to_deploy)} --dimensions=region={quotas.region}"
            f" --project={quotas.project}",
            want.quota.ask,
        )
        found.append(quota.judge(want, figure, mend=mend))
    return found


def ask_rights(project: Project, stack: Stack) -> Rights:
    permissions, held = needed(stack.types), set[str]()
    for start in range(0, len(permissions), MOST_PERMISSIONS):
        path, body = f"v3/projects/{project.name}:testIamPermissions", permissions[start : start + MOST_PERMISSIONS]
        answer = project.post(MANAGER, path, "resourcemanager.projects.get", {"permissions": body})
        held.update(answer.get("permissions", ()))
    return Rights(project=project.name, member=project.credentials.member, refused=tuple(missing(permissions, held)))


def judge_rights(rights: Rights, stack: Stack) -> list[Finding]:
    found = [unknown(f"what creating {kind} needs is in no table here") for kind in unlisted(stack.types)]
    if not rights.refused:
        return [*found, ready("the caller may create what is declared")]
    roles = sorted({ROLES[permission] for permission in rights.refused})
    mend = (
        f"gcloud projects add-iam-policy-binding {rights.project} --condition=None --role={role}"
        f" --member={rights.member}"
        for role in roles
    )
    return [*found, fails(f"the caller may not {', '.join(rights.refused)}", *mend)]


def _locations(project: Project, service: str, version: str) -> set[str]:
    found, token = set[str](), ""
    while True:
        path, permission = f"{version}/projects/{project.name}/locations", f"{service}.locations.list"
        answer = project.get(f"{service}.googleapis.com", path, permission, **({"pageToken": token} if token else {}))
        found |= {location["locationId"] for location in answer.get("locations", ())}
        if not (token := str(answer.get("nextPageToken", ""))):
            return found


def figure_of(infos: Iterable[Mapping[str, object]], region: str) -> int | None:
    """Return the figure that holds in a region: its own, or that of every region without one."""
    figures: dict[object, int] = {}
    for info in infos:
        dimensions, details = info.get("dimensions") or {}, info.get("details") or {}
        if isinstance(dimensions, Mapping) and isinstance(details, Mapping) and "value" in details:
            value = int(str(details["value"]))
            figures[dimensions.get("region")] = UNLIMITED if value < 0 else value
    return figures.get(region, figures.get(None))


def _at(host: str, path: str, permission: str) -> name.Owner[Project]:
    def own(project: Project, stated: str) -> bool | None:
        full = path.format(project=project.name, region=project.region, name=stated)
        return project.has(host, full, permission)

    return own


NAMED: Mapping[str, tuple[str, name.Owner[Project]]] = {
    "gcp:storage/bucket:Bucket": ("name", _at("storage.googleapis.com", "storage/v1/b/{name}", "storage.buckets.get")),
    "gcp:serviceaccount/account:Account": (
        "accountId",
        _at(
            "iam.googleapis.com",
            "v1/projects/{project}/serviceAccounts/{name}@{project}.iam.gserviceaccount.com",
            "iam.serviceAccounts.get",
        ),
    ),
    "gcp:pubsub/topic:Topic": (
        "name",
        _at("pubsub.googleapis.com", "v1/projects/{project}/topics/{name}", "pubsub.topics.get"),
    ),
}
"""The types whose names are unique in a project or everywhere: the input with the name, and whose it is."""
CHECKS = (
    Check(name="identity", ask=ask_who, judge=judge_who),
    Check(name="services", ask=ask_services, judge=judge_services),
    Check(name="billing", ask=ask_billing, judge=judge_billing),
    Check(name="region", ask=ask_offer, judge=judge_offer),
    Check(name="quotas", ask=ask_quotas, judge=judge_quotas),
    Check(name="agents", ask=ask_agents, judge=judge_agents),
    Check(name="names", ask=name.asker(NAMED), judge=name.judge),
    Check(name="permissions", ask=ask_rights, judge=judge_rights),
)
