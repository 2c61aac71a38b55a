"""A function in the embedded AWS: its code, its environment, and what its role lets it do."""

from __future__ import annotations

import base64
import http.client
import ssl
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pulumi
import pulumi_aws as aws
import pytest
from botocore.exceptions import ClientError

from localcloud.support.size_limits import available
from sml.aws.trials import report
from tests.localcloud.conftest import AwsLab
from tests.localcloud.on_aws import allow, function

TELL = """
import os, sys
def handle(event, context):
    return {"env": dict(os.environ), "path": sys.path, "file": __file__, "event": event}
"""


def test_changed_code_is_what_the_alias_calls(aws_lab: AwsLab) -> None:
    for number in (1, 2, 3):
        aws_lab.deploy(lambda number=number: function(f"def handle(event, context):\n    return {number}\n"))
        assert aws_lab.invoke(aws_lab.outputs["live"]) == number


def test_a_changed_variable_reaches_the_alias_and_a_removed_one_is_gone(aws_lab: AwsLab) -> None:
    for colour in ("red", "blue"):
        aws_lab.deploy(lambda colour=colour: function(TELL, variables={"COLOUR": colour}))
        assert aws_lab.invoke(aws_lab.outputs["live"])["env"]["COLOUR"] == colour
    aws_lab.deploy(lambda: function(TELL))
    assert "COLOUR" not in aws_lab.invoke(aws_lab.outputs["live"])["env"]


def test_nothing_of_the_host_or_of_the_emulator_is_in_a_functions_environment(aws_lab: AwsLab) -> None:
    aws_lab.deploy(lambda: function(TELL, variables={"LOG_LEVEL": "DEBUG"}))
    env = aws_lab.invoke(aws_lab.outputs["live"])["env"]
    assert env["LOG_LEVEL"] == "DEBUG"
    assert env["AWS_REGION"] == "eu-west-1"
    leaked = {"SECRET_OF_THE_HOST", "PYTEST_CURRENT_TEST", "VIRTUAL_ENV", "AUTH", "GATEWAY_PORT", "MINISTACK_SSL_KEY"}
    assert not leaked & env.keys()


def test_a_function_sees_the_standard_library_and_its_own_bundle_only(aws_lab: AwsLab) -> None:
    aws_lab.deploy(lambda: function(TELL))
    path = aws_lab.invoke(aws_lab.outputs["live"])["path"]
    assert path
    assert not [folder for folder in path if "site-packages" in folder or "dist-packages" in folder]


@pytest.mark.parametrize("package", ["yaml", "botocore", "cryptography"])
def test_a_dependency_that_the_bundle_lacks_is_missing(aws_lab: AwsLab, package: str) -> None:
    aws_lab.deploy(lambda: function(f"import {package}\ndef handle(event, context):\n    return 1\n"))
    assert f"No module named '{package}'" in aws_lab.invoke(aws_lab.outputs["live"])["errorMessage"]


def test_copies_of_a_function_share_one_unpacked_bundle(aws_lab: AwsLab, aws: Any) -> None:
    aws_lab.deploy(lambda: function(TELL))
    first = Path(aws_lab.invoke(aws_lab.outputs["live"])["file"]).resolve()
    aws_lab.deploy(lambda: function(TELL, variables={"NEW": "1"}))
    assert Path(aws_lab.invoke(aws_lab.outputs["live"])["file"]).resolve() == first
    assert first.stat().st_mode & 0o222 == 0


def test_a_role_allows_what_its_policy_says_and_nothing_else(aws_lab: AwsLab) -> None:
    def program() -> None:
        bucket = aws.s3.Bucket("data")
        pulumi.export("bucket", bucket.bucket)
        function(TELL, policy=allow("s3:PutObject", pulumi.Output.concat(bucket.arn, "/mine/*")))

    aws_lab.deploy(program)
    env = aws_lab.invoke(aws_lab.outputs["live"])["env"]
    own = aws_lab.as_caller(env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"], env["AWS_SESSION_TOKEN"]).client(
        "s3"
    )
    own.put_object(Bucket=aws_lab.outputs["bucket"], Key="mine/a", Body=b"1")
    for call in (
        lambda: own.put_object(Bucket=aws_lab.outputs["bucket"], Key="yours/a", Body=b"1"),
        lambda: own.get_object(Bucket=aws_lab.outputs["bucket"], Key="mine/a"),
    ):
        with pytest.raises(ClientError, match="AccessDenied"):
            call()


def test_an_assumed_role_may_do_only_what_its_policy_allows(aws_lab: AwsLab) -> None:
    aws_lab.deploy(lambda: function(TELL))
    role = next(one for one in aws_lab.engine.resources if one.declared.type == "aws:iam/role:Role")
    with pytest.raises(ClientError, match="AccessDenied"):
        aws_lab.as_role(role.outputs["arn"]).client("s3").list_buckets()


def test_what_a_function_prints_can_be_read(aws_lab: AwsLab) -> None:
    aws_lab.deploy(lambda: function("def handle(event, context):\n    print('one line', event['n'], flush=True)\n"))
    aws_lab.invoke(aws_lab.outputs["live"], {"n": 7})
    resource = next(one for one in aws_lab.engine.resources if one.declared.name == "f")
    assert "one line 7" in aws_lab.cloud.lines(resource, 50)


def test_the_api_answers_at_one_plain_url(aws_lab: AwsLab) -> None:
    answer = "def handle(event, context):\n    return {'statusCode': 201, 'body': event['rawPath'] + event['body']}\n"

    def program() -> None:
        resource = function(answer)
        api = aws.apigatewayv2.Api("api", protocol_type="HTTP")
        call = aws.apigatewayv2.Integration(
            "call",
            api_id=api.id,
            integration_type="AWS_PROXY",
            integration_uri=resource.arn,
            payload_format_version="2.0",
        )
        aws.apigatewayv2.Route(
            "r", api_id=api.id, route_key="POST /a/{b}", target=pulumi.Output.concat("integrations/", call.id)
        )
        aws.apigatewayv2.Stage("s", api_id=api.id, name="$default", auto_deploy=True)
        pulumi.export("endpoint", api.api_endpoint)

    aws_lab.deploy(program)
    assert aws_lab.outputs["endpoint"].startswith("http://127.0.0.1:")
    server = http.client.HTTPConnection(aws_lab.outputs["endpoint"].removeprefix("http://"), timeout=30)
    server.request("POST", "/a/x", body=b"[1]", headers={"Content-Type": "application/json"})
    response = server.getresponse()
    assert (response.status, response.read()) == (201, b"/a/x[1]")
    server.close()


SIZED = """
import time
kept = []
def handle(event, context):
    if mb := event.get("mb"):
        kept.append(b"1" * (mb * 1_000_000))
    begun, used = time.monotonic(), time.process_time()
    while time.process_time() - used < event.get("seconds", 0): pass
    return [time.process_time() - used, time.monotonic() - begun]
"""


def tail(aws_lab: AwsLab) -> str:
    answer = aws_lab.client("lambda").invoke(FunctionName=aws_lab.outputs["live"], LogType="Tail", Payload=b"{}")
    return base64.b64decode(answer["LogResult"]).decode()


def test_the_tail_of_a_calls_log_ends_with_lambdas_report(aws_lab: AwsLab) -> None:
    aws_lab.deploy(lambda: function("def handle(event, context):\n    print('hello', flush=True)\n"))
    first, second = tail(aws_lab), tail(aws_lab)
    facts = report(first)
    assert first.splitlines()[0] == "hello"
    assert (facts["duration"] > 0, facts["init"] > 0, 5 < facts["memory"] <= 128) == (True, True, True)
    assert facts["billed"] >= facts["duration"] + facts["init"]
    assert "init" not in report(second)
    resource = next(one for one in aws_lab.engine.resources if one.declared.name == "f")
    assert sum("REPORT" in line for line in aws_lab.cloud.lines(resource, 50)) == 2


@pytest.mark.skipif(not available(), reason="Linux alone tells what another process has used")
def test_a_function_runs_within_its_size_if_its_variables_ask_for_it(aws_lab: AwsLab) -> None:
    aws_lab.deploy(lambda: function(SIZED, variables={"ENFORCE_SIZE": "yes"}))
    name, share = aws_lab.outputs["live"], 128 / 1769
    used, elapsed = aws_lab.invoke(name, {"seconds": 0.05})
    assert used <= 1.1 * share * elapsed + 0.02
    assert "signal: killed" in aws_lab.invoke(name, {"mb": 300, "seconds": 0.1})["errorMessage"]
    aws_lab.deploy(lambda: function(SIZED))
    assert isinstance(aws_lab.invoke(name, {"mb": 300}), list)


def test_a_functions_code_is_there_for_who_was_given_its_url_alone(aws_lab: AwsLab) -> None:
    aws_lab.deploy(lambda: function(TELL))
    url = aws_lab.client("lambda").get_function(FunctionName=aws_lab.outputs["live"])["Code"]["Location"]
    address, context = urlsplit(url), ssl.create_default_context(cafile=str(aws_lab.cloud.session.certificate))

    def get(query: str) -> tuple[int, bytes]:
        connection = http.client.HTTPSConnection(address.netloc, context=context)
        connection.request("GET", f"{address.path}?{query}")
        response = connection.getresponse()
        content = response.read()
        connection.close()
        return response.status, content

    status, content = get(address.query)
    assert (status, content[:2]) == (200, b"PK")
    assert get(address.query.replace("X-Amz-Signature=", "X-Amz-Signature=0")) == (404, b"")
    assert get("X-Amz-Signature=ministack-local-presigned") == (404, b"")
