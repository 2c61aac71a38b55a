"""Every hand, over the embedded AWS: what was declared is what is there, and nothing is left behind."""

from __future__ import annotations

import json
from typing import Any

import pulumi_aws as aws
import pytest
from botocore.exceptions import ClientError

from infra.local.aws import HANDS
from infra.local.hand import Made
from tests.local.conftest import Lab
from tests.local.everything import Everything

SAME_EITHER_WAY = {
    "data",
    "versions",
    "own",
    "live",
    "shares",
    "machine",
    "states",
    "caller",
    "steps",
    "nightly",
}
"""Logical names in `Everything` whose inputs are the same in both programs, or follow from another resource."""


@pytest.fixture
def deployed(lab: Lab) -> Lab:
    lab.deploy(Everything())
    return lab


def made(lab: Lab, kind: str, name: str | None = None) -> Made:
    found = [one for one in lab.engine.resources if one.declared.type == kind]
    (only,) = [one for one in found if name in (None, one.declared.name)]
    return only


def bucket(lab: Lab) -> str:
    return made(lab, "aws:s3/bucket:Bucket").id


def test_the_program_declares_every_type_that_has_a_hand(deployed: Lab) -> None:
    assert {one.declared.type for one in deployed.engine.resources} == set(HANDS)


def test_the_same_program_again_changes_nothing(deployed: Lab) -> None:
    assert not deployed.deploy(Everything())


def test_every_changed_input_arrives_and_then_nothing_changes(deployed: Lab) -> None:
    changes = deployed.deploy(Everything(second=True))
    touched = {urn.split("::")[-1] for urn in (*changes.updated, *changes.replaced)}
    declared = {one.declared.name for one in deployed.engine.resources}
    assert declared - touched <= SAME_EITHER_WAY
    assert not changes.created
    assert not changes.deleted
    assert not deployed.deploy(Everything(second=True))


@pytest.mark.parametrize("second", [False, True], ids=["as created", "as changed"])
def test_what_is_declared_is_what_the_services_say(deployed: Lab, second: bool) -> None:
    if second:
        deployed.deploy(Everything(second=True))
    pick = Everything(second=second).pick
    s3, sqs = deployed.client("s3"), deployed.client("sqs")
    name = bucket(deployed)
    assert s3.get_bucket_versioning(Bucket=name)["Status"] == "Enabled"
    rule = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert rule["BucketKeyEnabled"] is pick(True, False)
    block = s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]
    assert (block["BlockPublicAcls"], block["RestrictPublicBuckets"]) == (True, pick(True, False))
    owner = s3.get_bucket_ownership_controls(Bucket=name)["OwnershipControls"]["Rules"][0]
    assert owner["ObjectOwnership"] == pick("BucketOwnerEnforced", "BucketOwnerPreferred")
    policy = json.loads(s3.get_bucket_policy(Bucket=name)["Policy"])
    assert policy["Statement"][0]["Resource"].endswith(pick("/*", "/secret/*"))
    life = s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"][0]
    assert life["NoncurrentVersionExpiration"]["NoncurrentDays"] == pick(7, 8)
    assert ("EventBridgeConfiguration" in s3.get_bucket_notification_configuration(Bucket=name)) is pick(True, False)
    assert s3.get_object(Bucket=name, Key="a/note.txt")["Body"].read() == pick(b"one", b"two")
    work = sqs.get_queue_attributes(QueueUrl=made(deployed, "aws:sqs/queue:Queue", "work").id, AttributeNames=["All"])
    assert work["Attributes"]["VisibilityTimeout"] == pick("30", "60")
    assert json.loads(work["Attributes"]["RedrivePolicy"])["maxReceiveCount"] in (pick(3, 5), pick("3", "5"))
    assert pick("events.", "scheduler.") in work["Attributes"]["Policy"]


@pytest.mark.parametrize("second", [False, True], ids=["as created", "as changed"])
def test_functions_machines_and_triggers_are_what_was_declared(deployed: Lab, second: bool) -> None:
    if second:
        deployed.deploy(Everything(second=True))
    pick = Everything(second=second).pick
    function = made(deployed, "aws:lambda/function:Function")
    lam = deployed.client("lambda")
    live = lam.get_function_configuration(FunctionName=function.id, Qualifier="live")
    assert live["Environment"]["Variables"] == {"COLOUR": pick("red", "blue")}
    assert lam.get_function_concurrency(FunctionName=function.id)["ReservedConcurrentExecutions"] == pick(2, 3)
    loops = lam.get_function_recursion_config(FunctionName=function.id)["RecursiveLoop"]
    assert loops == pick("Terminate", "Allow")
    retries = lam.get_function_event_invoke_config(FunctionName=function.id)["MaximumRetryAttempts"]
    assert retries == pick(1, 2)
    mapping = made(deployed, "aws:lambda/eventSourceMapping:EventSourceMapping")
    assert lam.get_event_source_mapping(UUID=mapping.id)["BatchSize"] == pick(1, 5)
    allowed = json.loads(lam.get_policy(FunctionName=function.id, Qualifier="live")["Policy"])["Statement"]
    assert [one["Principal"]["Service"].split(".")[0] for one in allowed] == [pick("apigateway", "events")]
    machine = made(deployed, "aws:sfn/stateMachine:StateMachine")
    definition = deployed.client("stepfunctions").describe_state_machine(stateMachineArn=machine.id)["definition"]
    assert json.loads(definition)["States"]["end"]["Type"] == pick("Succeed", "Fail")
    events = deployed.client("events")
    rule = made(deployed, "aws:cloudwatch/eventRule:EventRule").id
    assert pick("aws.s3", "aws.sqs") in events.describe_rule(Name=rule)["EventPattern"]
    (target,) = events.list_targets_by_rule(Rule=rule)["Targets"]
    assert target["RetryPolicy"]["MaximumRetryAttempts"] == pick(2, 3)
    assert target["InputTransformer"]["InputPathsMap"] == {"key": "$.detail.object.key"}
    night = made(deployed, "aws:scheduler/schedule:Schedule").outputs["name"]
    group = made(deployed, "aws:scheduler/scheduleGroup:ScheduleGroup").id
    schedule = deployed.client("scheduler").get_schedule(Name=night, GroupName=group)
    assert schedule["ScheduleExpression"] == pick("cron(0 3 * * ? *)", "cron(0 4 * * ? *)")


@pytest.mark.parametrize("second", [False, True], ids=["as created", "as changed"])
def test_the_api_is_what_was_declared(deployed: Lab, second: bool) -> None:
    if second:
        deployed.deploy(Everything(second=True))
    pick = Everything(second=second).pick
    gateway, api = deployed.client("apigatewayv2"), made(deployed, "aws:apigatewayv2/api:Api").id
    origins = gateway.get_api(ApiId=api)["CorsConfiguration"]["AllowOrigins"]
    assert origins == [pick("https://a.example", "https://b.example")]
    (authorizer,) = gateway.get_authorizers(ApiId=api)["Items"]
    assert authorizer["JwtConfiguration"] == {"Issuer": "https://issuer.example", "Audience": [pick("a", "b")]}
    (integration,) = gateway.get_integrations(ApiId=api)["Items"]
    assert integration["TimeoutInMillis"] == pick(5000, 6000)
    (route,) = gateway.get_routes(ApiId=api)["Items"]
    assert (route["RouteKey"], route["AuthorizationType"]) == (pick("GET /things", "GET /things/{id}"), "JWT")
    assert route["AuthorizerId"] == authorizer["AuthorizerId"]
    (stage,) = gateway.get_stages(ApiId=api)["Items"]
    assert stage["DefaultRouteSettings"]["ThrottlingBurstLimit"] == pick(20, 30)


def listed(lab: Lab) -> dict[str, list[Any]]:
    """What each service says it has."""
    return {
        "buckets": lab.client("s3").list_buckets()["Buckets"],
        "queues": lab.client("sqs").list_queues().get("QueueUrls", []),
        "roles": lab.client("iam").list_roles()["Roles"],
        "policies": lab.client("iam").list_policies(Scope="Local")["Policies"],
        "functions": lab.client("lambda").list_functions()["Functions"],
        "mappings": lab.client("lambda").list_event_source_mappings()["EventSourceMappings"],
        "groups": lab.client("logs").describe_log_groups()["logGroups"],
        "documents": lab.client("logs").describe_resource_policies()["resourcePolicies"],
        "apis": lab.client("apigatewayv2").get_apis()["Items"],
        "machines": lab.client("stepfunctions").list_state_machines()["stateMachines"],
        "rules": lab.client("events").list_rules()["Rules"],
        "schedules": lab.client("scheduler").list_schedules()["Schedules"],
    }


def test_a_program_that_declares_nothing_leaves_nothing(lab: Lab) -> None:
    before = listed(lab)
    lab.deploy(Everything())
    assert [kind for kind, found in listed(lab).items() if len(found) <= len(before[kind])] == []
    lab.deploy(lambda: None)
    assert listed(lab) == before


def test_a_setting_that_is_no_longer_declared_is_taken_back(deployed: Lab) -> None:
    s3, name = deployed.client("s3"), bucket(deployed)
    queue = made(deployed, "aws:sqs/queue:Queue", "work")

    def only_what_they_belong_to() -> None:
        aws.s3.Bucket("data", force_destroy=True)
        aws.sqs.Queue("work", visibility_timeout_seconds=30, sqs_managed_sse_enabled=True)

    deployed.deploy(only_what_they_belong_to)
    for ask in (
        s3.get_bucket_policy,
        s3.get_public_access_block,
        s3.get_bucket_ownership_controls,
        s3.get_bucket_lifecycle_configuration,
    ):
        with pytest.raises(ClientError, match=r"NotFound|NoSuch"):
            ask(Bucket=name)
    assert "EventBridgeConfiguration" not in s3.get_bucket_notification_configuration(Bucket=name)
    # A bucket is always encrypted; what goes is our own choice of a key for the whole bucket.
    (rule,) = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"]
    assert not rule.get("BucketKeyEnabled")
    assert s3.list_objects_v2(Bucket=name)["KeyCount"] == 0
    left = deployed.client("sqs").get_queue_attributes(QueueUrl=queue.id, AttributeNames=["All"])["Attributes"]
    assert not left.get("Policy")
    assert not left.get("RedrivePolicy")


def test_a_bucket_goes_with_what_was_put_into_it(deployed: Lab) -> None:
    s3, name = deployed.client("s3"), bucket(deployed)
    for body in (b"1", b"2"):
        s3.put_object(Bucket=name, Key="later", Body=body)
    s3.delete_object(Bucket=name, Key="later")
    deployed.deploy(lambda: None)
    assert name not in [one["Name"] for one in s3.list_buckets()["Buckets"]]
