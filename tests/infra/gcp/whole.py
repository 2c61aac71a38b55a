"""The blueprint's whole GCP graph, and what its resources say to each other."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from infra.blueprint import draw
from infra.function_table import FUNCTIONS
from infra.gcp import CLOUD, lint
from infra.keys import Access
from infra.settings import Settings
from localcloud.gcp.pubsub.message import Message
from localcloud.gcp.pubsub.transform import Transform
from tests.graph import Graph, Resource, deploy
from tests.infra.sample import PLATFORM, archive, files

BUCKET = "gcp:storage/bucket:Bucket"
OBJECT = "gcp:storage/bucketObject:BucketObject"
BUCKET_MEMBER = "gcp:storage/bucketIAMMember:BucketIAMMember"
NOTIFICATION = "gcp:storage/notification:Notification"
TOPIC = "gcp:pubsub/topic:Topic"
TOPIC_MEMBER = "gcp:pubsub/topicIAMMember:TopicIAMMember"
BUDGET = "gcp:billing/budget:Budget"
CUSTOM_ROLE = "gcp:projects/iAMCustomRole:IAMCustomRole"
METRIC = "gcp:logging/metric:Metric"
DASHBOARD = "gcp:monitoring/dashboard:Dashboard"
ALERT = "gcp:monitoring/alertPolicy:AlertPolicy"
CHANNEL = "gcp:monitoring/notificationChannel:NotificationChannel"
SUBSCRIPTION = "gcp:pubsub/subscription:Subscription"
SUBSCRIPTION_MEMBER = "gcp:pubsub/subscriptionIAMMember:SubscriptionIAMMember"
AGENT = "gcp:projects/serviceIdentity:ServiceIdentity"
SERVICE = "gcp:projects/service:Service"
REPOSITORY = "gcp:artifactregistry/repository:Repository"
REPOSITORY_MEMBER = "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember"
PROJECT_MEMBER = "gcp:projects/iAMMember:IAMMember"
ACCOUNT = "gcp:serviceaccount/account:Account"
ACCOUNT_MEMBER = "gcp:serviceaccount/iAMMember:IAMMember"
FUNCTION = "gcp:cloudfunctionsv2/function:Function"
INVOKER = "gcp:cloudrunv2/serviceIamMember:ServiceIamMember"
API = "gcp:apigateway/api:Api"
CONFIG = "gcp:apigateway/apiConfig:ApiConfig"
GATEWAY = "gcp:apigateway/gateway:Gateway"
WORKFLOW = "gcp:workflows/workflow:Workflow"
TRIGGER = "gcp:eventarc/trigger:Trigger"
JOB = "gcp:cloudscheduler/job:Job"
LOGS = "gcp:logging/projectBucketConfig:ProjectBucketConfig"
SINK = "gcp:logging/projectSink:ProjectSink"
EXCLUSION = "gcp:logging/projectExclusion:ProjectExclusion"

STOPPING = ("stop-as-", "stop-service-", "stop-pushes-", "stop-jobs")
"""How that is called by which a function may stop the stack."""
PUBSUB_AGENT = "serviceAccount:service-123456789012@gcp-sa-pubsub.iam.gserviceaccount.com"
SOURCES = re.compile(r'resource\.name\.startsWith\("projects/_/buckets/([^"]*)"\)')
STORAGE_AGENT = "serviceAccount:service-123456789012@gs-project-accounts.iam.gserviceaccount.com"


def settings(**more: Any) -> Settings:
    models = ["breast_cancer", "another", "file_type"]
    trained = {"cloud": "gcp", "models": models, "training": {"schedule": "0 3 * * 1"}}
    budget = {"usd_a_month": 50, "stop_at": 1, "billing_account": "01A2B3-4C5D6E-7F8091"}
    document = {**trained, "alerts": {"email": ["ml@example.org"]}, "budget": budget, **more}
    return Settings.parse(document, where="Pulumi.test.yaml")


def whole(stack: str = "test", **more: Any) -> Graph:
    """Deploy the blueprint with every trigger; `more` are settings."""
    archives = {spec.name: archive(spec.name) for spec in FUNCTIONS}
    stack_settings = settings(**more)
    return deploy(lambda: draw(CLOUD, stack_settings, PLATFORM, archives, files(stack_settings)), stack=stack)


@cache
def faults(source: str) -> tuple[str, ...]:
    """Return what the lint finds in the source of a workflow: most mutations of a graph leave it as it was."""
    return tuple(lint.problems(json.loads(source)))


@cache
def graph() -> Graph:
    """Return the whole graph, deployed once in a process: graphs are not changed, only copied."""
    return whole()


def by_output(graph: Graph, type_: str, key: str, value: object) -> Resource | None:
    return next((resource for resource in graph.of(type_) if resource.outputs.get(key) == value), None)


def granted(graph: Graph, type_: str, member: object, role: str, **on: object) -> bool:
    """Return whether one member has a role on one resource."""
    expected = {"member": member, "role": role, **on}
    return any(expected.items() <= resource.inputs.items() for resource in graph.of(type_))


def agents(graph: Graph) -> dict[str, Resource]:
    """Return the service agents that are asked for, by the first part of the service's name."""
    return {str(resource.inputs["service"]).partition(".")[0]: resource for resource in graph.of(AGENT)}


def agent_member(service: str) -> str:
    """Return the member that is the agent of a service: https://cloud.google.com/iam/docs/service-agents."""
    domain = {"cloudfunctions": "gcf-admin-robot", "run": "serverless-robot-prod"}.get(service, f"gcp-sa-{service}")
    return f"serviceAccount:service-123456789012@{domain}.iam.gserviceaccount.com"


def reads_sources_alone(grant: Resource) -> bool:
    """Return whether a grant on the project holds for the archives of functions, and for nothing else."""
    text = grant.inputs.get("condition", {}).get("expression", "")
    started = SOURCES.findall(text)
    return " || ".join(SOURCES.sub("!", text).split(" || ")) == "! || !" and all(
        name.startswith(("gcf-v2-sources-", "code-bucket-1a2b3c4/objects/")) for name in started
    )


def member(email: object) -> str:
    return f"serviceAccount:{email}"


def service(function: Resource) -> dict[str, Any]:
    return function.inputs["serviceConfig"]


def variables(function: Resource) -> dict[str, Any]:
    return service(function).get("environmentVariables", {})


def at(graph: Graph, uri: object) -> Resource | None:
    """Return the function at an address."""
    return next((resource for resource in graph.of(FUNCTION) if resource.outputs["serviceConfig"]["uri"] == uri), None)


def may_call(graph: Graph, account: object) -> set[str]:
    """Return the functions, by name, that an account may call."""
    return {
        resource.inputs["name"]
        for resource in graph.of(INVOKER)
        if (resource.inputs["member"], resource.inputs["role"]) == (member(account), "roles/run.invoker")
    }


def openapi(config: Resource) -> dict[str, Any]:
    return json.loads(base64.b64decode(config.inputs["openapiDocuments"][0]["document"]["contents"]))


def announced(graph: Graph, notification: Resource, key: str) -> bool:
    """Return whether a new object of this key is told of to whoever hears of a notification's topic."""
    topic = by_output(graph, TOPIC, "id", notification.inputs["topic"])
    transforms = topic.inputs.get("messageTransforms") or [] if topic else []
    functions = [each["javascriptUdf"] for each in transforms if not each.get("disabled")]
    return key.startswith(notification.inputs.get("objectNamePrefix", "")) and all(
        passes(each["functionName"], each["code"], key) for each in functions
    )


@cache
def passes(function: str, code: str, key: str) -> bool:
    """Return whether a transform passes the announcement of a key: most mutations of a graph leave it as it was."""
    announcement = Message(data=b"{}", attributes={"objectId": key})
    return Transform(function_name=function, code=code)(announcement) is not None


def operations(config: Resource) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in openapi(config)["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def posts(source: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the arguments of every HTTP call in a workflow's source."""
    if source.get("call") == "http.post":
        yield source["args"]
    for inner in source.values():
        for element in inner if isinstance(inner, list) else [inner]:
            if isinstance(element, dict):
                yield from posts(element)


def pushed(graph: Graph) -> list[tuple[Resource, Resource]]:
    """Return each subscription that pushes to a function, and the function."""
    pairs = [
        (resource, at(graph, resource.inputs["pushConfig"]["pushEndpoint"]))
        for resource in graph.of(SUBSCRIPTION)
        if "pushConfig" in resource.inputs
    ]
    assert pairs
    return [(resource, function) for resource, function in pairs if function is not None]


def waits_for(graph: Graph, resource: Resource) -> set[str]:
    """Return the URNs of all that a resource, or a component around it, depends on."""
    urns = set(resource.dependencies)
    owner = graph.owner(resource)
    return urns | waits_for(graph, owner) if owner else urns


ROLE_OF = {Access.READ: "roles/storage.objectViewer", Access.WRITE: "roles/storage.legacyBucketWriter"}
_OBJECTS = re.compile(r'resource\.name\.startsWith\("projects/_/buckets/[^/]+/objects/([^"]*)"\)')


def prefixes(expression: str) -> list[str]:
    """Return the prefixes of the objects for which a condition holds."""
    return _OBJECTS.findall(expression)
