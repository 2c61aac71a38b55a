"""The resource handlers of the embedded AWS; engine/test_resource_handler.py is for every cloud."""

from __future__ import annotations

import json

import pulumi_aws as aws
import pytest
from botocore.exceptions import ClientError

from tests.localcloud.conftest import AwsLab
from tests.localcloud.on_aws import Everything


@pytest.fixture
def deployed(aws_lab: AwsLab) -> AwsLab:
    aws_lab.deploy(Everything())
    return aws_lab


def bucket(lab: AwsLab) -> str:
    return lab.resource("aws:s3/bucket:Bucket").id


@pytest.mark.parametrize("second", [False, True], ids=["as created", "as changed"])
def test_what_is_declared_is_what_the_services_say(deployed: AwsLab, second: bool) -> None:
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
    work = sqs.get_queue_attributes(
        QueueUrl=deployed.resource("aws:sqs/queue:Queue", "work").id, AttributeNames=["All"]
    )
    assert work["Attributes"]["VisibilityTimeout"] == pick("30", "60")
    assert json.loads(work["Attributes"]["RedrivePolicy"])["maxReceiveCount"] in (pick(3, 5), pick("3", "5"))
    assert pick("events.", "scheduler.") in work["Attributes"]["Policy"]


@pytest.mark.parametrize("second", [False, True], ids=["as created", "as changed"])
def test_functions_machines_and_triggers_are_what_was_declared(deployed: AwsLab, second: bool) -> None:
    if second:
        deployed.deploy(Everything(second=True))
    pick = Everything(second=second).pick
    function = deployed.resource("aws:lambda/function:Function")
    lam = deployed.client("lambda")
    live = lam.get_function_configuration(FunctionName=function.id, Qualifier="live")
    assert live["Environment"]["Variables"] == {"COLOUR": pick("red", "blue")}
    assert lam.get_function_concurrency(FunctionName=function.id)["ReservedConcurrentExecutions"] == pick(2, 3)
    loops = lam.get_function_recursion_config(FunctionName=function.id)["RecursiveLoop"]
    assert loops == pick("Terminate", "Allow")
    ready = lam.get_provisioned_concurrency_config(FunctionName=function.id, Qualifier="live")
    assert ready["RequestedProvisionedConcurrentExecutions"] == pick(1, 2)
    retries = lam.get_function_event_invoke_config(FunctionName=function.id)["MaximumRetryAttempts"]
    assert retries == pick(1, 2)
    mapping = deployed.resource("aws:lambda/eventSourceMapping:EventSourceMapping")
    assert lam.get_event_source_mapping(UUID=mapping.id)["BatchSize"] == pick(1, 5)
    allowed = json.loads(lam.get_policy(FunctionName=function.id, Qualifier="live")["Policy"])["Statement"]
    assert [one["Principal"]["Service"].split(".")[0] for one in allowed] == [pick("apigateway", "events")]
    machine = deployed.resource("aws:sfn/stateMachine:StateMachine")
    definition = deployed.client("stepfunctions").describe_state_machine(stateMachineArn=machine.id)["definition"]
    assert json.loads(definition)["States"]["end"]["Type"] == pick("Succeed", "Fail")
    events = deployed.client("events")
    rule = deployed.resource("aws:cloudwatch/eventRule:EventRule").id
    assert pick("aws.s3", "aws.sqs") in events.describe_rule(Name=rule)["EventPattern"]
    (target,) = events.list_targets_by_rule(Rule=rule)["Targets"]
    assert target["RetryPolicy"]["MaximumRetryAttempts"] == pick(2, 3)
    assert target["InputTransformer"]["InputPathsMap"] == {"key": "$.detail.object.key"}
    night = deployed.resource("aws:scheduler/schedule:Schedule").outputs["name"]
    group = deployed.resource("aws:scheduler/scheduleGroup:ScheduleGroup").id
    schedule = deployed.client("scheduler").get_schedule(Name=night, GroupName=group)
    assert schedule["ScheduleExpression"] == pick("cron(0 3 * * ? *)", "cron(0 4 * * ? *)")


@pytest.mark.parametrize("second", [False, True], ids=["as created", "as changed"])
def test_the_api_is_what_was_declared(deployed: AwsLab, second: bool) -> None:
    if second:
        deployed.deploy(Everything(second=True))
    pick = Everything(second=second).pick
    gateway, api = deployed.client("apigatewayv2"), deployed.resource("aws:apigatewayv2/api:Api").id
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


def test_a_setting_that_is_no_longer_declared_is_taken_back(deployed: AwsLab) -> None:
    s3, name = deployed.client("s3"), bucket(deployed)
    queue = deployed.resource("aws:sqs/queue:Queue", "work")

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


def test_a_bucket_goes_with_what_was_put_into_it(deployed: AwsLab) -> None:
    s3, name = deployed.client("s3"), bucket(deployed)
    for body in (b"1", b"2"):
        s3.put_object(Bucket=name, Key="later", Body=body)
    s3.delete_object(Bucket=name, Key="later")
    deployed.deploy(lambda: None)
    assert name not in [one["Name"] for one in s3.list_buckets()["Buckets"]]
