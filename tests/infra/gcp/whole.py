"""The blueprint's whole GCP graph, and what its resources say to each other."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from infra.blueprint import draw
from infra.function_table import FUNCTIONS
from infra.gcp import CLOUD
from infra.settings import Settings
from tests.graph import Graph, Made, deploy
from tests.infra.sample import PLATFORM, archive, files

BUCKET = "gcp:storage/bucket:Bucket"
OBJECT = "gcp:storage/bucketObject:BucketObject"
BUCKET_MEMBER = "gcp:storage/bucketIAMMember:BucketIAMMember"
NOTIFICATION = "gcp:storage/notification:Notification"
TOPIC = "gcp:pubsub/topic:Topic"
TOPIC_MEMBER = "gcp:pubsub/topicIAMMember:TopicIAMMember"
SUBSCRIPTION = "gcp:pubsub/subscription:Subscription"
SUBSCRIPTION_MEMBER = "gcp:pubsub/subscriptionIAMMember:SubscriptionIAMMember"
AGENT = "gcp:projects/serviceIdentity:ServiceIdentity"
SERVICE = "gcp:projects/service:Service"
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

PUBSUB_AGENT = "serviceAccount:service-123456789012@gcp-sa-pubsub.iam.gserviceaccount.com"
STORAGE_AGENT = "serviceAccount:service-123456789012@gs-project-accounts.iam.gserviceaccount.com"


def settings(**more: Any) -> Settings:
    models = ["breast_cancer", "another", "file_type"]
    found = {"cloud": "gcp", "models": models, "training": {"schedule": "0 3 * * 1"}, **more}
    return Settings.parse(found, where="Pulumi.test.yaml")


def whole(stack: str = "test", **more: Any) -> Graph:
    """The blueprint with every trigger; `more` are settings."""
    archives = {spec.name: archive(spec.name) for spec in FUNCTIONS}
    asked = settings(**more)
    return deploy(lambda: draw(CLOUD, asked, PLATFORM, archives, files(asked)), stack=stack)


@cache
def graph() -> Graph:
    """Made once in a process: graphs are not changed, only copied."""
    return whole()


def by_output(found: Graph, type_: str, key: str, value: object) -> Made | None:
    return next((made for made in found.of(type_) if made.outputs.get(key) == value), None)


def granted(found: Graph, type_: str, member: object, role: str, **on: object) -> bool:
    """Whether one member has a role on one thing."""
    wanted = {"member": member, "role": role, **on}
    return any(wanted.items() <= made.inputs.items() for made in found.of(type_))


def member(email: object) -> str:
    return f"serviceAccount:{email}"


def service(function: Made) -> dict[str, Any]:
    return function.inputs["serviceConfig"]


def variables(function: Made) -> dict[str, Any]:
    return service(function).get("environmentVariables", {})


def at(found: Graph, uri: object) -> Made | None:
    """The function at an address."""
    return next((made for made in found.of(FUNCTION) if made.outputs["serviceConfig"]["uri"] == uri), None)


def may_call(found: Graph, account: object) -> set[str]:
    """The functions, by name, that an account may call."""
    return {
        made.inputs["name"]
        for made in found.of(INVOKER)
        if (made.inputs["member"], made.inputs["role"]) == (member(account), "roles/run.invoker")
    }


def openapi(config: Made) -> dict[str, Any]:
    return json.loads(base64.b64decode(config.inputs["openapiDocuments"][0]["document"]["contents"]))


def operations(config: Made) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in openapi(config)["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def posts(source: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The arguments of every call over HTTP in a workflow's source."""
    if source.get("call") == "http.post":
        yield source["args"]
    for inner in source.values():
        for one in inner if isinstance(inner, list) else [inner]:
            if isinstance(one, dict):
                yield from posts(one)


def pushed(found: Graph) -> list[tuple[Made, Made]]:
    """Each subscription that pushes to a function, and the function."""
    pairs = [
        (made, at(found, made.inputs["pushConfig"]["pushEndpoint"]))
        for made in found.of(SUBSCRIPTION)
        if "pushConfig" in made.inputs
    ]
    assert pairs
    return [(made, function) for made, function in pairs if function is not None]


def waits_for(found: Graph, made: Made) -> set[str]:
    """URNs of all that a resource, or a component that it stands in, depends on."""
    urns = set(made.dependencies)
    owner = found.owner(made)
    return urns | waits_for(found, owner) if owner else urns
