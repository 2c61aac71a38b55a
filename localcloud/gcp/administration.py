"""The services that tell about a project: what is on, what it may use, who may do what, and who signed for whom.

They change nothing.

A request's path begins with the host that it would go to: `/serviceusage.googleapis.com/v1/projects/...`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from localcloud.gcp.api_responses import ApiResponse, Authorize, bearer, denied, json_object, ok, problem, service_off
from localcloud.gcp.iam.accounts import Accounts
from localcloud.gcp.iam.bindings import Bindings
from localcloud.support.http_server import Request

HOST = re.compile(r"/(?P<host>[a-z]+\.googleapis\.com)(?P<path>/.*)")
MANAGER = "cloudresourcemanager.googleapis.com"
SIGN = "iam.serviceAccounts.signJwt"
EVERY = "*"
"""A host that stands for each that tells its regions."""
ON = (
    "apigateway",
    "artifactregistry",
    "cloudbilling",
    "cloudbuild",
    "cloudfunctions",
    "cloudquotas",
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
    "serviceusage",
    "storage",
    "workflowexecutions",
    "workflows",
)
QUOTAS: Mapping[str, int] = {"CpuAllocPerProjectRegion": 200_000, "MemAllocPerProjectRegion": 400 * 1024**3}
"""More than any stack here uses: nothing bounds the instances of this machine but their own settings."""


@dataclass(kw_only=True)
class ProjectState:
    """What is told about a project. A test may change it."""

    services: set[str] = field(default_factory=lambda: {f"{name}.googleapis.com" for name in ON})
    billing: bool = True
    quotas: dict[str, int] = field(default_factory=lambda: dict(QUOTAS))
    regions: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """The regions of a service, by its host; by default, the project's own."""


@dataclass(frozen=True, kw_only=True)
class Holdings:
    """What the project's other services have, by name."""

    bucket: Callable[[str], bool]
    account: Callable[[str], bool]
    topic: Callable[[str], bool]
    quotas: Mapping[str, int]
    """Those that the stack's file sets."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """A request to one of these services: its host, the groups of its path, its query and its body."""

    host: str
    groups: Mapping[str, str]
    query: Mapping[str, list[str]]
    body: Mapping[str, Any]
    token: str | None


class Administration:
    """Answers for one project, to callers whom `authorize` admits.

    `known` tells whether a token is anybody's; `sign` makes one of an account and its claims.
    """

    def __init__(
        self,
        accounts: Accounts,
        bindings: Bindings,
        region: str,
        holdings: Holdings,
        *,
        authorize: Authorize,
        known: Callable[[str], bool],
        sign: Callable[[str, Mapping[str, Any]], str],
    ) -> None:
        self.state = ProjectState()
        self._accounts = accounts
        self._bindings = bindings
        self._region = region
        self._holdings = holdings
        self._authorize = authorize
        self._known = known
        self._sign = sign
        self._resource = f"projects/{accounts.project}"

    def answer(self, request: Request) -> ApiResponse:
        """Return the status and the JSON body of the response."""
        token, parts = bearer(request.headers), urlsplit(request.path)
        if token is None or not self._known(token):
            return problem(401, "Request had invalid authentication credentials.")
        match = HOST.fullmatch(parts.path)
        host, path = (match["host"], match["path"]) if match else ("", parts.path)
        for route_host, method, pattern, permission, answer in ROUTES:
            found = re.fullmatch(pattern.replace("PROJECT", re.escape(self._accounts.project)), path)
            if found is None or method != request.method or route_host not in (host, EVERY):
                continue
            if host not in self.state.services:
                return service_off(host)
            needed = permission.replace(EVERY, host.partition(".")[0])
            if needed and not self._authorize(token, needed, self._resource):
                return denied(needed, self._resource)
            body = json_object(request.body)
            return answer(
                self, Question(host=host, groups=found.groupdict(), query=parse_qs(parts.query), body=body, token=token)
            )
        return problem(404, f"{request.method} {request.path}: not here")

    def project(self, _: Question) -> ApiResponse:
        name = f"projects/{self._accounts.number}"
        return ok({"name": name, "projectId": self._accounts.project, "state": "ACTIVE"})

    def test_permissions(self, question: Question) -> ApiResponse:
        asked = question.body.get("permissions", [])
        held = [each for each in asked if self._authorize(question.token, each, self._resource)]
        return ok({"permissions": held} if held else {})

    def policy(self, _: Question) -> ApiResponse:
        bound = self._bindings.on(self._resource)
        return ok({"version": 3, "bindings": [{"role": role, "members": members} for role, members in bound.items()]})

    def services(self, question: Question) -> ApiResponse:
        names = question.query.get("names", [])
        states = [(name, name.rsplit("/", 1)[1] in self.state.services) for name in names]
        return ok({"services": [{"name": name, "state": "ENABLED" if on else "DISABLED"} for name, on in states]})

    def billing(self, _: Question) -> ApiResponse:
        return ok({"projectId": self._accounts.project, "billingEnabled": self.state.billing})

    def quota(self, question: Question) -> ApiResponse:
        if (figure := {**self.state.quotas, **self._holdings.quotas}.get(question.groups["quota"])) is None:
            return problem(404, f"there is no quota {question.groups['quota']}")
        info = {
            "dimensions": {"region": self._region},
            "details": {"value": str(figure)},
            "applicableLocations": [self._region],
        }
        return ok({"quotaId": question.groups["quota"], "dimensions": ["region"], "dimensionsInfos": [info]})

    def locations(self, question: Question) -> ApiResponse:
        regions = self.state.regions.get(question.host, (self._region,))
        names = [{"name": f"{self._resource}/locations/{region}", "locationId": region} for region in regions]
        return ok({"locations": names})

    def sign(self, question: Question) -> ApiResponse:
        account = question.groups["name"]
        resource = f"{self._resource}/serviceAccounts/{account}"
        if not self._authorize(question.token, SIGN, resource):
            return denied(SIGN, resource)
        if not self._accounts.has(account):
            return problem(404, f"{account} does not exist")
        return ok({"keyId": account, "signedJwt": self._sign(account, json.loads(question.body["payload"]))})

    def bucket(self, question: Question) -> ApiResponse:
        return _held(question, self._holdings.bucket)

    def account(self, question: Question) -> ApiResponse:
        return _held(question, self._holdings.account)

    def topic(self, question: Question) -> ApiResponse:
        return _held(question, self._holdings.topic)


def _held(question: Question, held: Callable[[str], bool]) -> ApiResponse:
    name = question.groups["name"]
    return ok({"name": name}) if held(name) else problem(404, f"{name} does not exist")


Route = tuple[str, str, str, str, Callable[[Administration, Question], ApiResponse]]
"""A host, a method, the pattern of a path, the permission that it needs (empty: none), and the answer."""
ROUTES: tuple[Route, ...] = (
    (MANAGER, "GET", "/v3/projects/PROJECT", "resourcemanager.projects.get", Administration.project),
    (MANAGER, "POST", "/v3/projects/PROJECT:testIamPermissions", "", Administration.test_permissions),
    (
        MANAGER,
        "POST",
        "/v1/projects/PROJECT:getIamPolicy",
        "resourcemanager.projects.getIamPolicy",
        Administration.policy,
    ),
    (
        "serviceusage.googleapis.com",
        "GET",
        "/v1/projects/PROJECT/services:batchGet",
        "serviceusage.services.get",
        Administration.services,
    ),
    (
        "cloudbilling.googleapis.com",
        "GET",
        "/v1/projects/PROJECT/billingInfo",
        "resourcemanager.projects.get",
        Administration.billing,
    ),
    (
        "cloudquotas.googleapis.com",
        "GET",
        "/v1/projects/PROJECT/locations/global/services/[^/]+/quotaInfos/(?P<quota>[^/]+)",
        "cloudquotas.quotas.get",
        Administration.quota,
    ),
    ("storage.googleapis.com", "GET", "/storage/v1/b/(?P<name>[^/]+)", "storage.buckets.get", Administration.bucket),
    (
        "iam.googleapis.com",
        "GET",
        "/v1/projects/PROJECT/serviceAccounts/(?P<name>[^/]+)",
        "iam.serviceAccounts.get",
        Administration.account,
    ),
    (
        "pubsub.googleapis.com",
        "GET",
        "/v1/(?P<name>projects/PROJECT/topics/[^/]+)",
        "pubsub.topics.get",
        Administration.topic,
    ),
    (
        "iamcredentials.googleapis.com",
        "POST",
        "/v1/projects/-/serviceAccounts/(?P<name>[^/:]+):signJwt",
        "",
        Administration.sign,
    ),
    (EVERY, "GET", "/v[12]/projects/PROJECT/locations", f"{EVERY}.locations.list", Administration.locations),
)
