"""Scaling profiles in the embedded AWS: what has an effect, and that the rest is reported as not emulated."""

from __future__ import annotations

import json

import pulumi_aws as aws
import pytest

from infra.aws.scaling import keep_ready, snapshots
from infra.scaling import Balanced, Hours, Latency, Profile
from tests.localcloud.conftest import AwsLab
from tests.localcloud.on_aws import code, trust

HANDLER = """
def handle(event, context):
    print("called", flush=True)
    return {"answer": event["question"]}
"""
HOURS = Hours(opens="0 8 * * 1-5", closes="0 20 * * 1-5", minimum=3)


def program(profile: Profile) -> None:
    role = aws.iam.Role("predict-role", assume_role_policy=trust("lambda.amazonaws.com"))
    function = aws.lambda_.Function(
        "predict-function",
        role=role.arn,
        handler="main.handle",
        runtime="python3.13",
        code=code(HANDLER),
        publish=True,
        reserved_concurrent_executions=10,
        snap_start=snapshots(profile),
    )
    alias = aws.lambda_.Alias("live", name="live", function_name=function.name, function_version=function.version)
    if isinstance(profile, Latency):
        keep_ready("predict", profile, alias, 10, function)


@pytest.mark.parametrize("profile", [Balanced(), Latency(minimum=2, hours=(HOURS,))], ids=["balanced", "latency"])
def test_a_function_of_every_profile_answers_here_too(aws_lab: AwsLab, profile: Profile) -> None:
    aws_lab.deploy(lambda: program(profile))
    function = aws_lab.resource("aws:lambda/function:Function")
    answer = aws_lab.client("lambda").invoke(
        FunctionName=function.id, Qualifier="live", Payload=json.dumps({"question": 42}).encode()
    )
    assert json.loads(answer["Payload"].read()) == {"answer": 42}
    assert not aws_lab.deploy(lambda: program(profile))


def test_what_is_not_done_here_is_said(aws_lab: AwsLab) -> None:
    aws_lab.deploy(lambda: program(Balanced()))
    assert aws_lab.engine.not_emulated["aws:lambda/function:Function.snapStart"] == "stored, every start is a cold one"
    aws_lab.deploy(lambda: program(Latency(minimum=2, hours=(HOURS,))))
    reported = {
        key: reason for key, reason in aws_lab.engine.not_emulated.items() if "appauto" in key or "provisioned" in key
    }
    assert reported == {
        "aws:appautoscaling/policy:Policy": "the emulator has no autoscaling",
        "aws:appautoscaling/scheduledAction:ScheduledAction": "the emulator has no autoscaling",
        "aws:appautoscaling/target:Target": "the emulator has no autoscaling",
        "aws:lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig.provisionedConcurrentExecutions": (
            "stored, no copy is started before it is asked for"
        ),
    }


def test_a_profile_can_be_left_for_another(aws_lab: AwsLab) -> None:
    aws_lab.deploy(lambda: program(Latency(minimum=2)))
    aws_lab.deploy(lambda: program(Balanced()))
    function = aws_lab.resource("aws:lambda/function:Function")
    client = aws_lab.client("lambda")
    with pytest.raises(client.exceptions.ProvisionedConcurrencyConfigNotFoundException):
        client.get_provisioned_concurrency_config(FunctionName=function.id, Qualifier="live")
    live = client.get_function_configuration(FunctionName=function.id, Qualifier="live")
    assert live["SnapStart"]["ApplyOn"] == "PublishedVersions"
