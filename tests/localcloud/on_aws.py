"""A small program that declares every type of resource the embedded AWS can make, and one function with a worker."""

from __future__ import annotations

import json
import signal
from dataclasses import dataclass
from typing import Any, TypeVar

import pulumi
import pulumi_aws as aws

from localcloud.aws import Aws
from localcloud.engine.resource_handler import Resource
from tests.experiment import WORKER

T = TypeVar("T")
STACK = "local"
ENDING = signal.SIGINT
"""How `make up` is ended in its test."""
FUNCTION = "aws:lambda/function:Function"
NEVER_ALONE = frozenset({"aws:cloudwatch/logMetricFilter:LogMetricFilter", "aws:cloudwatch/metricAlarm:MetricAlarm"})
"""The types that a cloud is not asked for: each goes with another, or never goes."""
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
    "told",
}
"""Logical names in `Everything` whose inputs are the same in both programs, or follow from another resource."""
HANDLER = """
def handle(event, context):
    print("called", flush=True)
    return {"batchItemFailures": []}
"""


def trust(service: str) -> str:
    return _policy({"Principal": {"Service": service}, "Action": "sts:AssumeRole"})


def allow(action: str, resource: pulumi.Input[str]) -> pulumi.Output[str]:
    return pulumi.Output.json_dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": resource}]}
    )


def code(text: str) -> pulumi.AssetArchive:
    return pulumi.AssetArchive({"main.py": pulumi.StringAsset(text)})


def _policy(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})


def function(
    text: str,
    *,
    policy: Any = None,
    variables: dict[str, str] | None = None,
    name: str = "f",
    reserved: int | None = None,
    memory_mb: int | None = None,
) -> aws.lambda_.Function:
    role = aws.iam.Role("role" if name == "f" else f"{name}-role", assume_role_policy=trust("lambda.amazonaws.com"))
    if policy is not None:
        aws.iam.RolePolicy("policy", role=role.name, policy=policy)
    resource = aws.lambda_.Function(
        name,
        role=role.arn,
        handler="main.handle",
        runtime="python3.11",
        code=code(text),
        publish=True,
        timeout=20,
        environment={"variables": variables or {}},
        reserved_concurrent_executions=reserved,
        memory_size=memory_mb,
    )
    alias = aws.lambda_.Alias(
        "live" if name == "f" else f"{name}-live",
        name="live",
        function_name=resource.name,
        function_version=resource.version,
    )
    pulumi.export("live", alias.arn)
    return resource


def ready() -> None:
    """The embedded AWS can be everywhere."""


def busy() -> None:
    """A program with a function whose worker stays."""
    function("import os\ndef handle(event, context):\n    return os.getpid()\n")


def training(variables: dict[str, str]) -> None:
    """Declare a function that runs the experiment of the tests."""
    function(WORKER, variables=variables)


def answer(cloud: Aws, resource: Resource) -> Any:
    """Call the only function, and return its JSON response."""
    return json.loads(cloud.session.client("lambda").invoke(FunctionName=resource.id)["Payload"].read())


def worker(cloud: Aws, resource: Resource) -> int:
    """Call the function of `busy`, and return the pid of the worker that answered."""
    return int(answer(cloud, resource))


@dataclass(frozen=True, kw_only=True)
class Everything:
    """`second` is the same program with one input of nearly every resource changed."""

    second: bool = False

    def __call__(self) -> None:
        self.bucket()
        queue = self.queues()
        function, alias = self.function()
        self.calls(function, alias, queue)
        self.api(alias)
        self.machine(alias, queue)

    def pick(self, first: T, second: T) -> T:
        return second if self.second else first

    def bucket(self) -> None:
        bucket = aws.s3.Bucket("data", force_destroy=True).bucket
        aws.s3.BucketVersioning("versions", bucket=bucket, versioning_configuration={"status": "Enabled"})
        aws.s3.BucketServerSideEncryptionConfiguration(
            "encryption",
            bucket=bucket,
            rules=[
                {
                    "apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"},
                    "bucket_key_enabled": self.pick(True, False),
                }
            ],
        )
        aws.s3.BucketPublicAccessBlock(
            "public", bucket=bucket, block_public_acls=True, restrict_public_buckets=self.pick(True, False)
        )
        aws.s3.BucketOwnershipControls(
            "owner",
            bucket=bucket,
            rule={"object_ownership": self.pick("BucketOwnerEnforced", "BucketOwnerPreferred")},
        )
        statement = {"Principal": "*", "Action": "s3:*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
        resource = pulumi.Output.concat("arn:aws:s3:::", bucket, self.pick("/*", "/secret/*"))
        aws.s3.BucketPolicy(
            "policy",
            bucket=bucket,
            policy=pulumi.Output.json_dumps(
                {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Resource": resource, **statement}]}
            ),
        )
        aws.s3.BucketLifecycleConfiguration(
            "life",
            bucket=bucket,
            rules=[
                {
                    "id": "old",
                    "status": "Enabled",
                    "noncurrent_version_expiration": {"noncurrent_days": self.pick(7, 8)},
                }
            ],
        )
        aws.s3.BucketNotification("news", bucket=bucket, eventbridge=self.pick(True, False))
        aws.s3.BucketObjectv2("note", bucket=bucket, key="a/note.txt", content=self.pick("one", "two"))

    def queues(self) -> aws.sqs.Queue:
        dead = aws.sqs.Queue("dead", message_retention_seconds=self.pick(1_209_600, 1_000_000))
        queue = aws.sqs.Queue("work", visibility_timeout_seconds=self.pick(30, 60), sqs_managed_sse_enabled=True)
        aws.sqs.RedrivePolicy(
            "redrive",
            queue_url=queue.url,
            redrive_policy=pulumi.Output.json_dumps(
                {"deadLetterTargetArn": dead.arn, "maxReceiveCount": self.pick(3, 5)}
            ),
        )
        sources = pulumi.Output.json_dumps({"redrivePermission": "byQueue", "sourceQueueArns": [queue.arn]})
        aws.sqs.RedriveAllowPolicy(
            "allow",
            queue_url=dead.url,
            redrive_allow_policy=self.pick(sources, json.dumps({"redrivePermission": "denyAll"})),
        )
        principal = {"Principal": {"Service": self.pick("events.amazonaws.com", "scheduler.amazonaws.com")}}
        aws.sqs.QueuePolicy("senders", queue_url=queue.url, policy=_policy({"Action": "sqs:SendMessage", **principal}))
        return queue

    def function(self) -> tuple[aws.lambda_.Function, aws.lambda_.Alias]:
        logs = aws.cloudwatch.LogGroup("lines", retention_in_days=self.pick(1, 3))
        aws.cloudwatch.LogResourcePolicy(
            "delivery",
            policy_name="delivery",
            policy_document=_policy(
                {
                    "Principal": {"Service": "delivery.logs.amazonaws.com"},
                    "Action": self.pick("logs:PutLogEvents", "logs:CreateLogStream"),
                    "Resource": "arn:aws:logs:*:*:log-group:x",
                }
            ),
        )
        role = aws.iam.Role(
            "worker", assume_role_policy=trust("lambda.amazonaws.com"), description=self.pick("one", "two")
        )
        aws.iam.RolePolicy("own", role=role.name, policy=allow("logs:PutLogEvents", logs.arn))
        shared = aws.iam.Policy(
            "shared", policy=self.pick(allow("sqs:ReceiveMessage", "*"), allow("sqs:DeleteMessage", "*"))
        )
        aws.iam.RolePolicyAttachment("shares", role=role.name, policy_arn=shared.arn)
        function = aws.lambda_.Function(
            "work",
            role=role.arn,
            handler="main.handle",
            runtime="python3.11",
            code=code(HANDLER + self.pick("", "# second\n")),
            timeout=10,
            memory_size=128,
            publish=True,
            reserved_concurrent_executions=self.pick(2, 3),
            environment={"variables": {"COLOUR": self.pick("red", "blue")}},
            logging_config={"log_format": "Text", "log_group": logs.name},
        )
        self.watch(logs)
        alias = aws.lambda_.Alias("live", name="live", function_name=function.name, function_version=function.version)
        return function, alias

    def watch(self, logs: aws.cloudwatch.LogGroup) -> None:
        aws.cloudwatch.LogMetricFilter(
            "counted",
            log_group_name=logs.name,
            pattern=self.pick('{ ($.event = "a") }', '{ ($.event = "b") }'),
            metric_transformation={"namespace": "own", "name": "Counted", "value": "1"},
        )
        topic = aws.sns.Topic("told")
        sender = {"Principal": {"Service": "cloudwatch.amazonaws.com"}, "Action": "sns:Publish"}
        aws.sns.TopicPolicy(
            "heard",
            arn=topic.arn,
            policy=topic.arn.apply(
                lambda arn: _policy({**sender, "Resource": arn, "Sid": self.pick("first", "second")})
            ),
        )
        aws.cloudwatch.MetricAlarm(
            "alarm",
            namespace="own",
            metric_name="Counted",
            statistic="Sum",
            period=60,
            evaluation_periods=1,
            threshold=self.pick(1.0, 2.0),
            comparison_operator="GreaterThanOrEqualToThreshold",
            treat_missing_data="notBreaching",
            alarm_description="counted",
            alarm_actions=[topic.arn],
        )

    def calls(self, function: aws.lambda_.Function, alias: aws.lambda_.Alias, queue: aws.sqs.Queue) -> None:
        aws.lambda_.ProvisionedConcurrencyConfig(
            "ready",
            function_name=function.name,
            qualifier=alias.name,
            provisioned_concurrent_executions=self.pick(1, 2),
        )
        aws.lambda_.FunctionRecursionConfig(
            "loops", function_name=function.name, recursive_loop=self.pick("Terminate", "Allow")
        )
        aws.lambda_.FunctionEventInvokeConfig(
            "events", function_name=function.name, maximum_retry_attempts=self.pick(1, 2)
        )
        aws.lambda_.Permission(
            "gateway",
            function=function.name,
            qualifier=alias.name,
            action="lambda:InvokeFunction",
            principal=self.pick("apigateway.amazonaws.com", "events.amazonaws.com"),
        )
        aws.lambda_.EventSourceMapping(
            "messages",
            event_source_arn=queue.arn,
            function_name=alias.arn,
            batch_size=self.pick(1, 5),
            function_response_types=["ReportBatchItemFailures"],
            scaling_config={"maximum_concurrency": 2},
        )

    def api(self, alias: aws.lambda_.Alias) -> None:
        api = aws.apigatewayv2.Api(
            "front",
            protocol_type="HTTP",
            cors_configuration={"allow_origins": [self.pick("https://a.example", "https://b.example")]},
        )
        authorizer = aws.apigatewayv2.Authorizer(
            "tokens",
            api_id=api.id,
            authorizer_type="JWT",
            identity_sources=["$request.header.Authorization"],
            jwt_configuration={"issuer": "https://issuer.example", "audiences": [self.pick("a", "b")]},
        )
        integration = aws.apigatewayv2.Integration(
            "call",
            api_id=api.id,
            integration_type="AWS_PROXY",
            integration_uri=alias.arn,
            payload_format_version="2.0",
            timeout_milliseconds=self.pick(5000, 6000),
        )
        aws.apigatewayv2.Route(
            "list",
            api_id=api.id,
            route_key=self.pick("GET /things", "GET /things/{id}"),
            target=pulumi.Output.concat("integrations/", integration.id),
            authorization_type="JWT",
            authorizer_id=authorizer.id,
        )
        aws.apigatewayv2.Stage(
            "stage",
            api_id=api.id,
            name="$default",
            auto_deploy=True,
            default_route_settings={"throttling_rate_limit": 10, "throttling_burst_limit": self.pick(20, 30)},
        )

    def machine(self, alias: aws.lambda_.Alias, queue: aws.sqs.Queue) -> None:
        role = aws.iam.Role("states", assume_role_policy=trust("states.amazonaws.com"))
        done = {"StartAt": "end", "States": {"end": {"Type": self.pick("Succeed", "Fail")}}}
        machine = aws.sfn.StateMachine(
            "machine",
            role_arn=role.arn,
            definition=json.dumps(done),
            tracing_configuration={"enabled": True},
            logging_configuration={
                "level": "ALL",
                "log_destination": aws.cloudwatch.LogGroup("steps").arn.apply(lambda arn: f"{arn}:*"),
            },
        )
        caller = aws.iam.Role("caller", assume_role_policy=trust("scheduler.amazonaws.com"))
        rule = aws.cloudwatch.EventRule(
            "arrivals", event_pattern=json.dumps({"source": [self.pick("aws.s3", "aws.sqs")]})
        )
        aws.cloudwatch.EventTarget(
            "start",
            rule=rule.name,
            arn=machine.arn,
            role_arn=caller.arn,
            dead_letter_config={"arn": queue.arn},
            retry_policy={"maximum_retry_attempts": self.pick(2, 3), "maximum_event_age_in_seconds": 60},
            input_transformer={"input_paths": {"key": "$.detail.object.key"}, "input_template": '{"source": <key>}'},
        )
        group = aws.scheduler.ScheduleGroup("nightly")
        aws.scheduler.Schedule(
            "night",
            group_name=group.name,
            schedule_expression=self.pick("cron(0 3 * * ? *)", "cron(0 4 * * ? *)"),
            flexible_time_window={"mode": "OFF"},
            target={"arn": machine.arn, "role_arn": caller.arn, "input": "{}"},
        )


def listed(cloud: Aws) -> dict[str, list[Any]]:
    """What each service says it has."""
    client = cloud.session.client
    return {
        "buckets": client("s3").list_buckets()["Buckets"],
        "queues": client("sqs").list_queues().get("QueueUrls", []),
        "roles": client("iam").list_roles()["Roles"],
        "policies": client("iam").list_policies(Scope="Local")["Policies"],
        "functions": client("lambda").list_functions()["Functions"],
        "mappings": client("lambda").list_event_source_mappings()["EventSourceMappings"],
        "groups": client("logs").describe_log_groups()["logGroups"],
        "documents": client("logs").describe_resource_policies()["resourcePolicies"],
        "apis": client("apigatewayv2").get_apis()["Items"],
        "machines": client("stepfunctions").list_state_machines()["stateMachines"],
        "rules": client("events").list_rules()["Rules"],
        "schedules": client("scheduler").list_schedules()["Schedules"],
    }
