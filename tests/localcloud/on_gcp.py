"""A small program that declares every type of resource the embedded GCP can make, and one function with a worker."""

from __future__ import annotations

import base64
import http.client
import json
import signal
import tempfile
import zipfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import pulumi
import pulumi_gcp as gcp

from localcloud.engine.resource_handler import Resource
from localcloud.engine.stack_file import ROOT
from localcloud.gcp import Gcp, interpreter
from localcloud.gcp.storage.emulator import binary
from tests.experiment import WORKER

T = TypeVar("T")
STACK = "gcp-local"
ENDING = signal.SIGTERM
"""How `make up` is ended in its test."""
REGION = "europe-west1"
LOCK = ROOT / "functions" / "requirements" / "gcp" / "rollout.txt"
"""What the function here is built with: a lock of the project, so that one environment serves both."""
FUNCTION = "gcp:cloudfunctionsv2/function:Function"
TELL = """
import os
def handle(request):
    return {"pid": os.getpid(), "env": dict(os.environ), "path": request.path}
"""
NEVER_ALONE = frozenset(
    {
        "gcp:apigateway/api:Api",
        "gcp:artifactregistry/repository:Repository",
        "gcp:logging/metric:Metric",
        "gcp:monitoring/alertPolicy:AlertPolicy",
        "gcp:projects/serviceIdentity:ServiceIdentity",
    }
)
"""The types that a cloud is not asked for: each goes with another, or never goes."""
AGENTS = {
    "cloudbuild": "gcp-sa-cloudbuild",
    "cloudfunctions": "gcf-admin-robot",
    "cloudscheduler": "gcp-sa-cloudscheduler",
    "eventarc": "gcp-sa-eventarc",
    "pubsub": "gcp-sa-pubsub",
    "run": "serverless-robot-prod",
    "workflows": "gcp-sa-workflows",
}
"""The domain of each service's agent."""
SAME_EITHER_WAY = {
    *("code", "runner", "calls", "agent", "dead", "tells", "arrived", "front"),
    *("builder", "images", "pushes", "logs", "fetches"),
    *AGENTS,
    *(f"{service}-role" for service in AGENTS),
}
"""Logical names in `Everything` whose inputs are the same in both programs, or follow from another resource."""
_ROOM = tempfile.TemporaryDirectory(prefix="archives-")


@cache
def archive(text: str) -> Path:
    """A function's archive, as it is uploaded."""
    path = Path(tempfile.mkdtemp(dir=_ROOM.name)) / "code.zip"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("main.py", text)
        packed.write(LOCK, "requirements.txt")
    return path


def agents() -> list[pulumi.Resource]:
    """The services' agents, each with its role."""
    granted: list[pulumi.Resource] = []
    number = gcp.organizations.get_project_output().number
    for service, domain in AGENTS.items():
        agent = gcp.projects.ServiceIdentity(service, service=f"{service}.googleapis.com")
        member = pulumi.Output.concat("serviceAccount:service-", number, f"@{domain}.iam.gserviceaccount.com")
        role = gcp.projects.IAMMember(
            f"{service}-role",
            project=agent.project,
            role=f"roles/{service}.serviceAgent",
            member=member,
            opts=pulumi.ResourceOptions(depends_on=[agent]),
        )
        granted.append(role)
    return granted


def builder() -> tuple[pulumi.Output[str], pulumi.Output[str], list[pulumi.Resource]]:
    """An account that may build functions, a repository for their images, and the account's grants."""
    account = gcp.serviceaccount.Account("builder")
    images = gcp.artifactregistry.Repository("images", repository_id="images", location=REGION, format="DOCKER")
    grants: list[pulumi.Resource] = [
        gcp.artifactregistry.RepositoryIamMember(
            "pushes",
            repository=images.name,
            location=REGION,
            role="roles/artifactregistry.writer",
            member=account.member,
        ),
        gcp.projects.IAMMember("logs", project=account.project, role="roles/logging.logWriter", member=account.member),
        gcp.projects.IAMMember(
            "fetches",
            project=account.project,
            role="roles/storage.objectViewer",
            member=account.member,
            condition={
                "title": "sources",
                "expression": 'resource.name.startsWith("projects/_/buckets/gcf-v2-sources-")',
            },
        ),
    ]
    return account.name, images.id, grants


def function(
    text: str = TELL,
    *,
    variables: dict[str, str] | None = None,
    after: list[pulumi.Resource] | None = None,
    **service: Any,
) -> tuple[gcp.cloudfunctionsv2.Function, gcp.serviceaccount.Account]:
    """A function, and the account that it runs as, which may call it, too; `after` are the services' agents."""
    after = agents() if after is None else after
    builds, images, grants = builder()
    bucket = gcp.storage.Bucket("code", location=REGION)
    path = archive(text)
    code = gcp.storage.BucketObject("archive", bucket=bucket.name, name="f.zip", source=pulumi.FileAsset(str(path)))
    account = gcp.serviceaccount.Account("runner")
    resource = gcp.cloudfunctionsv2.Function(
        "f",
        location=REGION,
        build_config={
            "runtime": "python311",
            "entry_point": "handle",
            "service_account": builds,
            "docker_repository": images,
            "source": {
                "storage_source": {
                    "bucket": code.bucket,
                    "object": code.output_name,
                    "generation": code.generation,
                }
            },
        },
        service_config={
            "service_account_email": account.email,
            "environment_variables": variables or {},
            "timeout_seconds": 20,
            "max_instance_count": 2,
            **service,
        },
        opts=pulumi.ResourceOptions(depends_on=[*after, *grants]),
    )
    gcp.cloudrunv2.ServiceIamMember(
        "calls", name=resource.name, location=REGION, role="roles/run.invoker", member=account.member
    )
    return resource, account


def ready() -> None:
    """Raise `NotForThisMachine` where the embedded GCP cannot run."""
    binary(interpreter().parents[1])


def busy() -> None:
    """Declare a function whose worker keeps running."""
    function()


def training(variables: dict[str, str]) -> None:
    """Declare a function that runs the experiment of the tests."""
    function(WORKER, variables=variables)


def answer(cloud: Gcp, resource: Resource) -> Any:
    """Call the only function, and return its JSON response."""
    return call(cloud, resource)


def call(cloud: Gcp, resource: Resource, path: str = "/") -> Any:
    """Call a function as the account that it runs as, and return its JSON response."""
    url = resource.outputs["serviceConfig"]["uri"]
    token = cloud.session.accounts.token(resource.inputs["serviceConfig"]["serviceAccountEmail"], url)
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return json.loads(body) if response.status == 200 else response.status


def worker(cloud: Gcp, resource: Resource) -> int:
    """Call the function of `busy`, and return the pid of the worker that answered."""
    return int(call(cloud, resource)["pid"])


@dataclass(frozen=True, kw_only=True)
class Everything:
    """`second` is the same program with one input of nearly every resource changed."""

    second: bool = False

    def __call__(self) -> None:
        worker = gcp.serviceaccount.Account("worker", display_name=self.pick("one", "two"))
        bucket = self.bucket(worker)
        self.topics(worker, bucket)
        after = agents()
        service, account = function(
            TELL + self.pick("", "# second\n"), variables={"COLOUR": self.pick("red", "blue")}, after=after
        )
        self.workflow(worker, account, pulumi.ResourceOptions(depends_on=after))
        self.api(account, service)
        self.watch()

    def watch(self) -> None:
        lines = 'resource.type="cloud_run_revision" AND resource.labels.service_name=("s") AND jsonPayload.event="'
        metric = gcp.logging.Metric("counted", filter=f'{lines}{self.pick("a", "b")}"')
        query = metric.name.apply(lambda name: f"sum(increase(logging_googleapis_com:user_{name}{{}}[60s])) >= 0.5")
        gcp.monitoring.AlertPolicy(
            "alert",
            display_name="counted",
            combiner="OR",
            conditions=[{"display_name": "counted", "condition_prometheus_query_language": {"query": query}}],
            documentation={"content": self.pick("one", "two")},
        )

    def pick(self, first: T, second: T) -> T:
        return second if self.second else first

    def bucket(self, worker: gcp.serviceaccount.Account) -> gcp.storage.Bucket:
        bucket = gcp.storage.Bucket(
            "data",
            location=REGION,
            uniform_bucket_level_access=True,
            lifecycle_rules=[{"action": {"type": "Delete"}, "condition": {"age": self.pick(7, 8)}}],
        )
        gcp.storage.BucketObject("note", bucket=bucket.name, name="a/note.txt", content=self.pick("one", "two"))
        start = pulumi.Output.concat("projects/_/buckets/", bucket.name, "/objects/", self.pick("a/", "b/"))
        gcp.storage.BucketIAMMember(
            "reads",
            bucket=bucket.name,
            role="roles/storage.objectViewer",
            member=worker.member,
            condition={"title": "some", "expression": start.apply(lambda at: f'resource.name.startsWith("{at}")')},
        )
        gcp.projects.IAMMember(
            "starts",
            project=worker.project,
            role=self.pick("roles/workflows.invoker", "roles/logging.logWriter"),
            member=worker.member,
        )
        gcp.projects.IAMCustomRole(
            "counts",
            role_id="counts",
            title="counts",
            permissions=["storage.buckets.get", *self.pick([], ["storage.objects.get"])],
        )
        return bucket

    def topics(self, worker: gcp.serviceaccount.Account, bucket: gcp.storage.Bucket) -> None:
        topic = gcp.pubsub.Topic("work", message_retention_duration=self.pick("600s", "1200s"))
        dead = gcp.pubsub.Topic("dead")
        agent = gcp.projects.ServiceIdentity("agent", service="pubsub.googleapis.com")
        gcp.pubsub.TopicIAMMember(
            "publishes", topic=dead.id, role="roles/pubsub.publisher", member=self.pick(agent.member, worker.member)
        )
        taken = gcp.pubsub.Subscription(
            "takes",
            topic=topic.id,
            ack_deadline_seconds=self.pick(20, 30),
            retry_policy={"minimum_backoff": "10s", "maximum_backoff": "60s"},
            dead_letter_policy={"dead_letter_topic": dead.id, "max_delivery_attempts": self.pick(5, 6)},
        )
        gcp.pubsub.SubscriptionIAMMember(
            "consumes",
            subscription=taken.id,
            role="roles/pubsub.subscriber",
            member=self.pick(agent.member, worker.member),
        )
        storage = gcp.storage.get_project_service_account_output()
        publisher = gcp.pubsub.TopicIAMMember(
            "tells", topic=topic.id, role="roles/pubsub.publisher", member=storage.member
        )
        gcp.storage.Notification(
            "news",
            bucket=bucket.name,
            topic=topic.id,
            payload_format="JSON_API_V1",
            object_name_prefix=self.pick("a/", "b/"),
            event_types=["OBJECT_FINALIZE"],
            opts=pulumi.ResourceOptions(depends_on=[publisher]),
        )

    def workflow(
        self,
        worker: gcp.serviceaccount.Account,
        account: gcp.serviceaccount.Account,
        opts: pulumi.ResourceOptions,
    ) -> None:
        gcp.serviceaccount.IAMMember(
            "signs",
            service_account_id=worker.name,
            role="roles/iam.serviceAccountTokenCreator",
            member=self.pick(worker.member, account.member),
        )
        answer = {"main": {"steps": [{"end": {"return": self.pick("one", "two")}}]}}
        steps = gcp.workflows.Workflow(
            "steps", region=REGION, service_account=account.email, source_contents=json.dumps(answer), opts=opts
        )
        gcp.eventarc.Trigger(
            "arrivals",
            location=REGION,
            matching_criterias=[{"attribute": "type", "value": "google.cloud.pubsub.topic.v1.messagePublished"}],
            transport={"pubsub": {"topic": gcp.pubsub.Topic("arrived").id}},
            destination={"workflow": steps.id},
            service_account=self.pick(worker.email, account.email),
            opts=opts,
        )
        gcp.cloudscheduler.Job(
            "night",
            region=REGION,
            schedule=self.pick("0 3 * * *", "0 4 * * *"),
            time_zone="Etc/UTC",
            http_target={
                "uri": pulumi.Output.concat("https://workflowexecutions.googleapis.com/v1/", steps.id, "/executions"),
                "http_method": "POST",
                "body": base64.b64encode(b'{"argument": "{}"}').decode(),
                "oauth_token": {"service_account_email": worker.email},
            },
            retry_config={"retry_count": self.pick(1, 2), "min_backoff_duration": "5s"},
        )

    def api(self, account: gcp.serviceaccount.Account, made: gcp.cloudfunctionsv2.Function) -> None:
        api = gcp.apigateway.Api("front", api_id="front")
        path = self.pick("/things", "/things/{id}")
        config = gcp.apigateway.ApiConfig(
            "paths",
            api=api.api_id,
            api_config_id_prefix="paths-",
            openapi_documents=[
                {
                    "document": {
                        "path": "openapi.json",
                        "contents": made.service_config.uri.apply(lambda uri: _document(path, uri)),
                    }
                }
            ],
            gateway_config={"backend_config": {"google_service_account": account.email}},
        )
        gcp.apigateway.Gateway("gate", gateway_id="gate", api_config=config.id, region=REGION)


def _document(path: str, address: str) -> str:
    backend = {"address": address, "jwt_audience": address, "path_translation": "APPEND_PATH_TO_ADDRESS"}
    document = {"swagger": "2.0", "paths": {path: {"get": {"operationId": "it", "x-google-backend": backend}}}}
    return base64.b64encode(json.dumps(document).encode()).decode()


def listed(cloud: Gcp) -> dict[str, list[str]]:
    """What each service has."""
    project = cloud.session
    storage = http.client.HTTPConnection(urlsplit(project.storage.url).netloc, timeout=10)
    storage.request("GET", "/storage/v1/b?project=p", headers={"Authorization": f"Bearer {project.owner}"})
    buckets = json.loads(storage.getresponse().read()).get("items", [])
    storage.close()
    return {
        "buckets": [bucket["name"] for bucket in buckets],
        "accounts": sorted(project.accounts._known),
        "bindings": sorted(str(binding) for binding in project.bindings._all),
        "roles": sorted(role for role in project.bindings._roles if role.startswith("projects/")),
        "topics": sorted(project.pubsub._topics),
        "subscriptions": sorted(project.pubsub._subscriptions),
        "notifications": [str(key) for key in project.notifications._all],
        "triggers": sorted(project.triggers._all),
        "jobs": sorted(project.scheduler._jobs),
        "workflows": sorted(project.workflows._deployed),
        "functions": sorted(project.functions._all),
        "configs": sorted(project.configs),
        "gateways": sorted(project.gateways),
    }
