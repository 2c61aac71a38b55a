from __future__ import annotations

from dataclasses import replace
from typing import Any

import pulumi
import pytest

from infra.archive import Platform
from infra.aws.queue import Queue as SomeoneElsesQueue
from infra.gcp import CLOUD
from infra.gcp.function import Function
from infra.gcp.queue import Queue
from infra.gcp.regions import PROJECT_VARIABLES, REGION_VARIABLES, require_region
from infra.gcp.storage import Store
from infra.keep import always
from infra.vocabulary import FunctionArgs, QueueArgs, StoreArgs
from infra.vocabulary import Store as AnyStore
from localcloud.gcp.iam.condition import RequestAttributes, condition
from tests.graph import Graph, deploy
from tests.infra import sample

FUNCTION = "gcp:cloudfunctionsv2/function:Function"
OBJECT = "gcp:storage/bucketObject:BucketObject"
SUBSCRIPTION = "gcp:pubsub/subscription:Subscription"
INVOKER = "gcp:cloudrunv2/serviceIamMember:ServiceIamMember"
ACCOUNT = "gcp:serviceaccount/account:Account"
REPOSITORY = "gcp:artifactregistry/repository:Repository"
PROJECT_MEMBER = "gcp:projects/iAMMember:IAMMember"


class SomeoneElsesStore:
    ref: pulumi.Output[str]
    name: pulumi.Output[str]
    url: pulumi.Output[str]


def arguments(name: str, code: AnyStore, platform: Platform | None = None) -> FunctionArgs:
    return FunctionArgs(
        archive=sample.archive(name),
        code=code,
        platform=platform or sample.PLATFORM,
        memory_mb=512,
        timeout_seconds=60,
        concurrency=2,
        environment={},
        grants=(),
        log_days=30,
    )


def built(*, platform: Platform | None = None, **more: Any) -> Graph:
    def program() -> None:
        args = arguments("prepare", Store("code", StoreArgs()), platform)
        Function("prepare", replace(args, **{name: make() for name, make in more.items()}))

    return deploy(program)


def jobs(seconds: int = 60, attempts: int = 5) -> Queue:
    return Queue("jobs", QueueArgs(consumer_timeout_seconds=seconds, attempts=attempts))


def test_the_function_knows_its_project_by_which_its_log_names_traces() -> None:
    graph = built()
    variables = graph.one(FUNCTION).inputs["serviceConfig"]["environmentVariables"]
    assert variables["PROJECT"] == graph.one(ACCOUNT, "prepare-identity").outputs["project"]


def test_the_function_runs_the_very_upload() -> None:
    graph = built()
    upload, source = graph.one(OBJECT), graph.one(FUNCTION).inputs["buildConfig"]["source"]["storageSource"]
    assert source == {
        "bucket": upload.inputs["bucket"],
        "object": upload.inputs["name"],
        "generation": upload.outputs["generation"],
    }


def test_nobody_may_call_a_function_without_a_grant() -> None:
    assert built().of(INVOKER) == ()


def test_functions_share_one_builder_that_reads_their_archives_and_nothing_else() -> None:
    def program() -> None:
        code = Store("code", StoreArgs())
        for name in ("prepare", "train"):
            Function(name, arguments(name, code))

    graph = deploy(program)
    builds = [function.inputs["buildConfig"] for function in graph.of(FUNCTION)]
    assert len({(build["serviceAccount"], build["dockerRepository"]) for build in builds}) == 1
    assert builds[0]["serviceAccount"] == graph.one(ACCOUNT, "code-builder").outputs["name"]
    assert builds[0]["dockerRepository"] == graph.one(REPOSITORY).outputs["id"]
    reads = condition(graph.one(PROJECT_MEMBER, "code-builder-sources").inputs["condition"]["expression"])
    for name, readable in (
        ("code-bucket-1a2b3c4/objects/train/0.zip", True),
        ("gcf-v2-sources-123456789012-europe-west1/objects/train/function-source.zip", True),
        ("data-bucket-1a2b3c4/objects/another/datasets/0", False),
    ):
        assert reads(RequestAttributes(name=f"projects/_/buckets/{name}")) is readable


def test_code_in_a_store_of_another_cloud_is_refused() -> None:
    with pytest.raises(TypeError, match="function prepare: its code is in SomeoneElsesStore, which is no store of"):
        deploy(lambda: Function("prepare", arguments("prepare", SomeoneElsesStore())) and None)


def test_a_processor_that_there_is_none_of_is_a_mistake_of_the_program() -> None:
    with pytest.raises(ValueError, match="one kind of processor: x86_64"):
        built(platform=replace(sample.PLATFORM, architecture="arm64"))


def test_messages_are_pushed_by_an_account_that_may_only_do_that() -> None:
    graph = built(consumes=jobs)
    push = graph.one(SUBSCRIPTION, "jobs-subscription").inputs["pushConfig"]
    courier = graph.one(ACCOUNT, "prepare-courier")
    uri = graph.one(FUNCTION).outputs["serviceConfig"]["uri"]
    assert push["pushEndpoint"] == uri
    assert push["oidcToken"] == {"serviceAccountEmail": courier.outputs["email"], "audience": uri}
    allowed = [resource for resource in graph if resource.inputs.get("member") == courier.outputs["member"]]
    assert [(resource.type, resource.inputs["name"]) for resource in allowed] == [
        (INVOKER, graph.one(FUNCTION).outputs["name"])
    ]


def test_a_consumer_is_closed_to_the_internet() -> None:
    def ingress(graph: Graph) -> str:
        return graph.one(FUNCTION).inputs["serviceConfig"]["ingressSettings"]

    assert (ingress(built(consumes=jobs)), ingress(built())) == ("ALLOW_INTERNAL_ONLY", "ALLOW_ALL")


def test_the_subscription_belongs_to_the_consumer() -> None:
    graph = built(consumes=jobs)
    owner = graph.owner(graph.one(SUBSCRIPTION, "jobs-subscription"))
    assert owner is not None
    assert owner.type == "serverless-ml:gcp:Function"


def test_a_queue_of_another_cloud_is_refused() -> None:
    with pytest.raises(TypeError, match="not a queue of this cloud"):
        built(consumes=lambda: SomeoneElsesQueue("jobs", QueueArgs(consumer_timeout_seconds=60, attempts=5)))


def test_a_short_consumer_still_gets_the_shortest_deadline_there_is() -> None:
    assert built(consumes=lambda: jobs(3)).one(SUBSCRIPTION, "jobs-subscription").inputs["ackDeadlineSeconds"] == 10


@pytest.mark.parametrize(
    ("seconds", "attempts", "message"),
    [
        (601, 5, "consumer_timeout_seconds is not among 1 to 600, which Pub/Sub accepts"),
        (60, 4, "attempts is not among 5 to 100, which Pub/Sub accepts"),
        (60, 101, "attempts is not among 5 to 100, which Pub/Sub accepts"),
    ],
)
def test_what_pubsub_cannot_keep_is_a_mistake_of_the_program(seconds: int, attempts: int, message: str) -> None:
    with pytest.raises(ValueError, match=f"queue jobs: {message}"):
        deploy(lambda: jobs(seconds, attempts))


@pytest.mark.parametrize(("seconds", "attempts"), [(600, 5), (1, 100)])
def test_the_bounds_themselves_are_accepted(seconds: int, attempts: int) -> None:
    assert deploy(lambda: jobs(seconds, attempts) and None).of("gcp:pubsub/topic:Topic")


def test_the_region_is_the_providers() -> None:
    graph = deploy(lambda: sample.program(CLOUD), config={"gcp:region": "us-east1"})
    locations = {resource.inputs.get("location") or resource.inputs.get("region") for resource in graph} - {None}
    assert locations == {"us-east1"}


def test_without_a_region_or_a_project_every_place_to_write_them_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*REGION_VARIABLES, *PROJECT_VARIABLES):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(pulumi.RunError) as refused:
        deploy(lambda: require_region({}), config={"gcp:region": "", "gcp:project": ""})
    region, *example, project = str(refused.value).splitlines()
    assert region.startswith("Pulumi.test.yaml: gcp:region is missing; accepted there, or in GOOGLE_REGION, ")
    assert example == ["config:", "  gcp:region: europe-west1"]
    assert project == (
        "Pulumi.test.yaml: gcp:project is missing; accepted there, by `pulumi config set gcp:project MY-PROJECT`, or in"
        " GOOGLE_PROJECT, GOOGLE_CLOUD_PROJECT, GCLOUD_PROJECT, CLOUDSDK_CORE_PROJECT of the environment:"
        " the id of a project. The provider looks nowhere else"
    )


@pytest.mark.parametrize("variable", PROJECT_VARIABLES)
def test_the_provider_and_so_the_program_find_a_project_in_the_environment(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in PROJECT_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, "mine")
    deploy(lambda: require_region({}), config={"gcp:project": ""})


def test_a_region_of_the_environment_is_refused_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GCLOUD_REGION", "mars")
    monkeypatch.delenv("GOOGLE_REGION", raising=False)
    with pytest.raises(pulumi.RunError, match=r"^GCLOUD_REGION of the environment: mars has no API Gateway"):
        deploy(lambda: require_region({}), config={"gcp:region": ""})


def test_protected_objects_can_be_restored_for_a_week_others_are_gone() -> None:
    def retention(protect: bool) -> int:
        graph = deploy(lambda: Store("data", StoreArgs(keep=always(protect))) and None)
        return graph.one("gcp:storage/bucket:Bucket").inputs["softDeletePolicy"]["retentionDurationSeconds"]

    assert (retention(True), retention(False)) == (604_800, 0)
