"""The doctor, at each embedded cloud through the clients of the real one."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from infra import clouds
from localcloud.aws import Aws
from localcloud.commands import graph
from localcloud.commands.doctor import examine
from localcloud.commands.progress import Progress
from localcloud.engine.cloud import Entrance
from localcloud.engine.program import Declared
from localcloud.engine.stack_file import StackFile
from localcloud.gcp import Gcp
from localcloud.gcp.administration import ProjectState
from localcloud.gcp.iam.bindings import Binding
from localcloud.support.http_server import HttpServer, Response
from localcloud.support.ports import free_port

SECRET = "a-secret-that-nobody-may-read"
STACKS = {"aws": "local", "gcp": "gcp-local"}
READ: Mapping[str, list[str]] = {
    "lambda": ["lambda:GetAccountSettings"],
    "ssm": ["ssm:GetParameters"],
    "iam": ["iam:SimulatePrincipalPolicy"],
}


@dataclass(frozen=True)
class Told:
    """What was printed, and the exit code."""

    code: int
    text: str

    def of(self, check: str) -> list[str]:
        """The lines of a check, each with its verdict."""
        lines = [line.split(maxsplit=1) for line in self.text.replace("not known", "unknown").splitlines()]
        return [f"{line[0]} {line[1]}" for line in lines if len(line) == 2 and line[1].startswith(f"{check} ")]


@dataclass
class Patient:
    """A stack of this machine, as the program declares it."""

    cloud: str
    declared: list[Declared]
    file: StackFile

    def examine(self, entrance: Entrance | None, *more: Declared, **config: str) -> Told:
        console = Console(file=io.StringIO(), highlight=False, soft_wrap=True)
        file = replace(self.file, config={**self.file.config, **{k.replace("_", ":"): v for k, v in config.items()}})
        code = examine(Progress(console), file, clouds.find(self.cloud), [*self.declared, *more], entrance)
        written = console.file
        assert isinstance(written, io.StringIO)
        text = written.getvalue()
        assert SECRET not in text
        assert "Traceback" not in text
        return Told(code, text)

    def changed(self, kind: str, **inputs: Any) -> Patient:
        """The same stack, with other inputs of the first resource of a type."""
        first = next(each for each in self.declared if each.type == kind)
        rest = [each for each in self.declared if each is not first]
        return replace(self, declared=[replace(first, inputs={**first.inputs, **inputs}), *rest])


def patient(cloud: str) -> Patient:
    file = StackFile.read(STACKS[cloud], override={"gcp:project": "p"})
    quiet = Progress(Console(file=io.StringIO()))
    return Patient(cloud=cloud, declared=graph.declare(quiet, file)[0], file=file)


@pytest.fixture(scope="module")
def on_aws() -> Patient:
    return patient("aws")


@pytest.fixture(scope="module")
def on_gcp() -> Patient:
    return patient("gcp")


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine without credentials, and without a metadata server."""
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "CLOUDSDK_CONFIG"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def state(gcp: Gcp) -> Iterator[ProjectState]:
    gcp.session.administration.state = ProjectState()
    yield gcp.session.administration.state
    gcp.session.administration.state = ProjectState()


def named(kind: str, **inputs: str) -> Declared:
    return Declared(urn=f"urn:{kind}", type=kind, name="mine", parent="", custom=True, inputs=inputs)


def at_port(port: int, **credentials: str) -> Entrance:
    return Entrance(endpoint=f"http://127.0.0.1:{port}", certificate=None, credentials=credentials)


KEYS = {"access_key_id": "AKIAIOSFODNN7EXAMPLE", "secret_access_key": SECRET}


@pytest.fixture
def caller(aws: Aws) -> Iterator[Callable[..., Entrance]]:
    """Makes users of the account, with the actions that they may do."""
    client, made = aws.session.client("iam"), []

    def make(name: str, *actions: str) -> Entrance:
        client.create_user(UserName=name)
        made.append(name)
        if actions:
            statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
            document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
            client.put_user_policy(UserName=name, PolicyName="some", PolicyDocument=document)
        key = client.create_access_key(UserName=name)["AccessKey"]
        keys = {"access_key_id": key["AccessKeyId"], "secret_access_key": key["SecretAccessKey"]}
        return replace(aws.entrance, credentials=keys)

    yield make
    for name in made:
        for key in client.list_access_keys(UserName=name)["AccessKeyMetadata"]:
            client.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
        for policy in client.list_user_policies(UserName=name)["PolicyNames"]:
            client.delete_user_policy(UserName=name, PolicyName=policy)
        client.delete_user(UserName=name)


def test_an_account_that_has_everything_is_ready(on_aws: Patient, aws: Aws) -> None:
    told = on_aws.examine(aws.entrance)
    assert told.code == 0, told.text
    assert told.text.splitlines()[-1].startswith("ready: ")
    assert [len(told.of(check)) for check in ("identity", "region", "quotas", "names", "permissions")] == [
        1,
        1,
        2,
        1,
        1,
    ]


def test_a_project_that_has_everything_is_ready(on_gcp: Patient, gcp: Gcp, state: ProjectState) -> None:
    told = on_gcp.examine(gcp.entrance)
    assert told.code == 0, told.text
    assert told.text.splitlines()[-1].startswith("ready: ")
    assert all(told.of(check) for check in ("identity", "services", "billing", "region", "agents", "permissions"))


def test_copies_that_an_account_does_not_have_fail_with_the_request_for_them(on_aws: Patient, aws: Aws) -> None:
    told = on_aws.changed("aws:lambda/function:Function", reservedConcurrentExecutions=50_000).examine(aws.entrance)
    assert told.code == 1
    assert told.of("quotas")[0].startswith("FAILS quotas      Concurrent executions: ")
    assert "the stack needs 50,100 to be deployed" in told.text
    asked = "aws service-quotas request-service-quota-increase --service-code lambda --quota-code L-B99A9384"
    assert f"{asked} --desired-value 50100 --region eu-west-1" in told.text


def test_processors_that_a_project_does_not_have_fail_with_the_request_for_them(
    on_gcp: Patient, gcp: Gcp, state: ProjectState
) -> None:
    state.quotas["CpuAllocPerProjectRegion"] = 1000
    told = on_gcp.examine(gcp.entrance)
    assert told.code == 1
    assert "1 processors of all instances, and the stack needs" in told.of("quotas")[0]
    asked = "gcloud beta quotas preferences create --service=run.googleapis.com --quota-id=CpuAllocPerProjectRegion"
    assert asked in told.text


def test_a_quota_that_suffices_to_deploy_and_not_at_work_does_not_fail(
    on_gcp: Patient, gcp: Gcp, state: ProjectState
) -> None:
    state.quotas["CpuAllocPerProjectRegion"] = 10_000
    told = on_gcp.examine(gcp.entrance)
    assert told.code == 0
    assert told.of("quotas")[0].startswith("scarce ")


@pytest.mark.parametrize("service", ["serviceusage", "cloudresourcemanager"])
def test_a_service_without_which_nothing_can_be_turned_on_fails_with_the_command_that_turns_it_on(
    on_gcp: Patient, gcp: Gcp, state: ProjectState, service: str
) -> None:
    state.services.discard(f"{service}.googleapis.com")
    told = on_gcp.examine(gcp.entrance)
    assert told.code == 1
    assert f"FAILS services    {service}.googleapis.com is not on" in told.of("services")[0]
    assert "gcloud services enable cloudresourcemanager.googleapis.com serviceusage.googleapis.com" in told.text


def test_a_service_that_the_deployment_turns_on_does_not_fail_but_its_regions_are_not_known(
    on_gcp: Patient, gcp: Gcp, state: ProjectState
) -> None:
    state.services.discard("eventarc.googleapis.com")
    told = on_gcp.examine(gcp.entrance)
    assert told.code == 2
    assert "`pulumi up` turns on eventarc.googleapis.com" in told.of("services")[0]
    assert "whether europe-west1 has eventarc is told once they are on" in told.of("region")[-1]


@pytest.mark.parametrize("service", ["cloudquotas", "cloudbilling"])
def test_a_service_that_only_tells_is_not_a_failure_where_it_is_off(
    on_gcp: Patient, gcp: Gcp, state: ProjectState, service: str
) -> None:
    state.services.discard(f"{service}.googleapis.com")
    told = on_gcp.examine(gcp.entrance)
    assert told.code == 2
    assert f"gcloud services enable {service}.googleapis.com --project=p" in told.text


def test_a_project_that_nobody_pays_for_fails(on_gcp: Patient, gcp: Gcp, state: ProjectState) -> None:
    state.billing = False
    told = on_gcp.examine(gcp.entrance)
    assert told.code == 1
    assert "gcloud billing projects link p" in told.text


IDENTITY = "gcp:projects/serviceIdentity:ServiceIdentity"
EVENTARC = "eventarc.googleapis.com"


def without_agent(patient: Patient) -> Patient:
    """The same stack, which does not ask for the service agent of Eventarc."""
    asks = [one for one in patient.declared if one.type == IDENTITY and one.inputs["service"] == EVENTARC]
    assert asks
    return replace(patient, declared=[one for one in patient.declared if one not in asks])


def test_a_service_agent_that_is_missing_fails_with_the_commands_that_ask_for_it(
    on_gcp: Patient, gcp: Gcp, state: ProjectState
) -> None:
    told = without_agent(on_gcp).examine(gcp.entrance)
    assert told.code == 1
    assert told.of("agents") == [
        "FAILS agents      the service agent of eventarc has no role in the project yet, so the first deployment fails"
    ]
    assert "gcloud beta services identity create --service=eventarc.googleapis.com" in told.text
    assert "--member=serviceAccount:service-123456789012@gcp-sa-eventarc.iam.gserviceaccount.com" in told.text


def test_a_service_agent_that_has_its_role_need_not_be_asked_for(
    on_gcp: Patient, gcp: Gcp, state: ProjectState
) -> None:
    member = f"serviceAccount:{gcp.session.accounts.ask_for_agent(EVENTARC)}"
    role = Binding(resource="projects/p", role="roles/eventarc.serviceAgent", member=member)
    gcp.session.bindings.add(role)
    try:
        told = without_agent(on_gcp).examine(gcp.entrance)
    finally:
        gcp.session.bindings.remove(role)
    assert told.code == 0, told.text


def test_names_of_an_account_that_are_taken_fail_and_others_are_free(on_aws: Patient, aws: Aws) -> None:
    kinds = {
        "aws:s3/bucket:Bucket": "bucket",
        "aws:lambda/function:Function": "name",
        "aws:iam/role:Role": "name",
        "aws:sqs/queue:Queue": "name",
        "aws:cloudwatch/logGroup:LogGroup": "name",
    }
    more = [named(kind, **{key: "taken-by-me"}) for kind, key in kinds.items()]
    free = on_aws.examine(aws.entrance, *more)
    assert (free.code, [line.split()[-1] for line in free.of("names")]) == (0, ["free"] * 5)
    aws.session.client("s3").create_bucket(
        Bucket="taken-by-me", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    queue = aws.session.client("sqs").create_queue(QueueName="taken-by-me")["QueueUrl"]
    try:
        told = on_aws.examine(aws.entrance, *more)
    finally:
        aws.session.client("s3").delete_bucket(Bucket="taken-by-me")
        aws.session.client("sqs").delete_queue(QueueUrl=queue)
    assert told.code == 1
    assert [line.split()[0] for line in told.of("names")].count("FAILS") == 2
    assert "the bucket taken-by-me exists already" in told.text


def test_names_of_a_project_that_are_taken_fail_and_others_are_free(
    on_gcp: Patient, gcp: Gcp, state: ProjectState
) -> None:
    project = gcp.entrance
    more = [
        named("gcp:storage/bucket:Bucket", name="taken-by-me"),
        named("gcp:serviceaccount/account:Account", accountId="taken-by-me"),
        named("gcp:pubsub/topic:Topic", name="taken-by-me"),
    ]
    free = on_gcp.examine(project, *more)
    assert (free.code, [line.split()[-1] for line in free.of("names")]) == (0, ["free"] * 3), free.text
    gcp.session.storage.create("taken-by-me")
    email = gcp.session.accounts.create("taken-by-me")
    gcp.session.pubsub.create_topic("projects/p/topics/taken-by-me")
    try:
        told = on_gcp.examine(project, *more)
    finally:
        gcp.session.storage.remove("taken-by-me")
        gcp.session.accounts.delete(email)
        gcp.session.pubsub.delete_topic("projects/p/topics/taken-by-me")
    assert (told.code, [line.split()[0] for line in told.of("names")]) == (1, ["FAILS"] * 3)


def test_a_caller_of_an_account_who_may_ask_nothing_is_told_the_permission_of_each_question(
    on_aws: Patient, caller: Callable[..., Entrance]
) -> None:
    told = on_aws.examine(caller("stranger"), named("aws:s3/bucket:Bucket", bucket="of-somebody"))
    assert told.code == 2
    for check, permission in (
        ("region", "ssm:GetParameters"),
        ("quotas", "lambda:GetAccountSettings"),
        ("permissions", "iam:SimulatePrincipalPolicy"),
    ):
        assert told.of(check) == [f"unknown {check:<11} not asked: the permission {permission} is missing"]
    assert "nothing is known to fail" in told.text


def test_a_caller_of_an_account_who_may_only_ask_is_told_what_else_he_needs(
    on_aws: Patient, caller: Callable[..., Entrance]
) -> None:
    told = on_aws.examine(caller("reader", *(action for actions in READ.values() for action in actions)))
    assert told.code == 1
    (refused,) = told.of("permissions")
    assert "lambda:CreateFunction" in refused
    assert "iam:PassRole" in refused
    assert "aws iam put-user-policy --user-name reader --policy-name deploy --policy-document '{" in told.text


def test_a_caller_who_may_do_what_the_stack_needs_is_ready(on_aws: Patient, caller: Callable[..., Entrance]) -> None:
    services = {
        "lambda",
        "ssm",
        "iam",
        "s3",
        "sqs",
        "states",
        "events",
        "logs",
        "scheduler",
        "apigateway",
        "cloudwatch",
    }
    told = on_aws.examine(caller("deployer", *(f"{service}:*" for service in services)))
    assert told.code == 0, told.text


def test_a_role_is_asked_about_by_its_own_name(on_aws: Patient, aws: Aws) -> None:
    iam = aws.session.client("iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = iam.create_role(RoleName="deploying", AssumeRolePolicyDocument=document, Path="/teams/")["Role"]
    try:
        allowed = {"Effect": "Allow", "Action": ["iam:*", "lambda:*", "ssm:*"], "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
        iam.put_role_policy(RoleName="deploying", PolicyName="some", PolicyDocument=policy)
        keys = aws.session.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="me")["Credentials"]
        credentials = {
            "access_key_id": keys["AccessKeyId"],
            "secret_access_key": keys["SecretAccessKey"],
            "token": keys["SessionToken"],
        }
        told = on_aws.examine(replace(aws.entrance, credentials=credentials))
    finally:
        iam.delete_role_policy(RoleName="deploying", PolicyName="some")
        iam.delete_role(RoleName="deploying")
    assert told.code == 1
    assert "s3:CreateBucket" in told.of("permissions")[0]
    assert "aws iam put-role-policy --role-name deploying" in told.text
    assert keys["SessionToken"] not in told.text


def test_a_caller_of_a_project_who_may_ask_nothing_is_told_the_permission_of_each_question(
    on_gcp: Patient, gcp: Gcp, state: ProjectState
) -> None:
    email = gcp.session.accounts.create("stranger")
    keys = {"token": gcp.session.accounts.token(email), "owner": email}
    try:
        told = on_gcp.examine(replace(gcp.entrance, credentials=keys))
    finally:
        gcp.session.accounts.delete(email)
    assert told.code == 1, "what he may do can be asked by everybody"
    for check, permission in (
        ("identity", "resourcemanager.projects.get"),
        ("services", "serviceusage.services.get"),
        ("quotas", "cloudquotas.quotas.get"),
        ("agents", "resourcemanager.projects.getIamPolicy"),
    ):
        assert told.of(check) == [f"unknown {check:<11} not asked: the permission {permission} is missing on p"]
    assert "eventarc.locations.list" in told.of("region")[0]
    assert "--role=roles/storage.admin --member=user:stranger@p.iam.gserviceaccount.com" in told.text
    assert keys["token"] not in told.text


@pytest.mark.parametrize("cloud", list(STACKS))
def test_without_credentials_one_sentence_says_so_and_the_offline_part_follows(
    cloud: str, request: pytest.FixtureRequest
) -> None:
    told = request.getfixturevalue(f"on_{cloud}").examine(None)
    assert told.code == 2
    first, mend, *rest = told.text.splitlines()
    assert "credentials of" in first
    assert mend.split()[0] in ("aws", "gcloud")
    assert rest[-1].startswith(f"quotas: a new account of {cloud} suffices")


EXPIRED = (
    '<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>'
    f"<Code>ExpiredToken</Code><Message>{SECRET}</Message></Error></ErrorResponse>"
)


def test_credentials_of_aws_that_have_expired_end_the_questions(on_aws: Patient) -> None:
    refusal = Response(403, [("Content-Type", "text/xml")], EXPIRED.encode())
    with HttpServer(lambda _: refusal, limit=10_000) as server:
        told = on_aws.examine(at_port(server.port, **KEYS))
    assert told.code == 2
    assert told.text.splitlines()[0].startswith("the credentials of AWS have expired; ")
    assert "aws sso login" in told.text


def test_credentials_that_aws_does_not_know_end_the_questions(on_aws: Patient, aws: Aws) -> None:
    told = on_aws.examine(replace(aws.entrance, credentials=KEYS))
    assert told.code == 2
    assert told.text.startswith("AWS does not know the credentials, or eu-west-1 is not enabled in their account; ")


def test_credentials_of_google_that_are_not_accepted_any_more_end_the_questions(
    on_gcp: Patient, gcp: Gcp, state: ProjectState
) -> None:
    told = on_gcp.examine(replace(gcp.entrance, credentials={"token": SECRET, "owner": "me"}))
    assert told.code == 2
    assert told.text.startswith("Google Cloud does not accept the credentials: they have expired, or were revoked; ")
    assert "gcloud auth application-default login" in told.text


def test_a_project_that_does_not_exist_fails(on_gcp: Patient, gcp: Gcp, state: ProjectState) -> None:
    told = on_gcp.examine(gcp.entrance, gcp_project="elsewhere")
    assert told.code == 1
    assert told.of("identity") == ["FAILS identity    there is no project elsewhere"]


def test_a_region_of_aws_that_lacks_services_fails(on_aws: Patient, aws: Aws) -> None:
    told = on_aws.examine(aws.entrance, aws_region="eu-central-2")
    assert told.code == 1
    assert told.of("region")[0].startswith("FAILS region      eu-central-2 has no apigatewayv2, lambda, ")


def test_a_region_of_google_that_lacks_a_service_fails(on_gcp: Patient, gcp: Gcp, state: ProjectState) -> None:
    state.regions["apigateway.googleapis.com"] = ("us-central1",)
    told = on_gcp.examine(gcp.entrance)
    assert told.code == 1
    assert "FAILS region      europe-west1 has no apigateway" in told.of("region")


def test_without_a_network_one_sentence_says_so(on_aws: Patient, on_gcp: Patient) -> None:
    aws = on_aws.examine(at_port(free_port(), **KEYS))
    assert (aws.code, aws.text.splitlines()[0].partition(";")[0]) == (
        2,
        "AWS is not reached in eu-west-1: no answer to sts:GetCallerIdentity",
    )
    gcp = on_gcp.examine(at_port(free_port(), token=SECRET, owner="me"))
    assert (gcp.code, gcp.text.splitlines()[0].partition(";")[0]) == (
        2,
        "Google Cloud is not reached: no answer of cloudresourcemanager.googleapis.com",
    )


def test_the_default_chain_of_aws_is_asked_and_the_cli_too(
    on_aws: Patient, aws: Aws, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    keys = aws.entrance.credentials
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.entrance.endpoint)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(aws.entrance.certificate))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", keys["access_key_id"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", keys["secret_access_key"])
    monkeypatch.setenv("PATH", str(tmp_path))
    told = on_aws.examine(None)
    assert told.code == 1
    assert told.of("identity")[0].endswith("in account 000000000000")
    assert told.of("pulumi") == ["FAILS pulumi      the Pulumi CLI is not on PATH"]
    cli = tmp_path / "pulumi"
    cli.write_text('#!/bin/sh\n[ "$1" = version ] && echo v3.999.0 || echo me\n', encoding="utf-8")
    cli.chmod(0o755)
    assert on_aws.examine(None).code == 0


def test_half_a_key_is_said_to_be_half(on_aws: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEYS["access_key_id"])
    told = on_aws.examine(None)
    assert told.code == 2
    assert told.text.startswith("the credentials of AWS are incomplete")


def test_a_cloud_without_checks_gets_the_offline_part(on_aws: Patient) -> None:
    cloud = replace(clouds.find("aws"), name="nimbus")
    written = io.StringIO()
    code = examine(Progress(Console(file=written, soft_wrap=True)), on_aws.file, cloud, on_aws.declared)
    first, last = written.getvalue().splitlines()
    assert (code, first) == (2, "an account of nimbus cannot be asked: it has no checks; what is known without one:")
    assert last.startswith("quotas: a new account of nimbus suffices")
