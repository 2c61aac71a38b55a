"""The blueprint's whole AWS graph, and what its resources say to each other."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

from infra.aws import CLOUD, lint
from infra.blueprint import draw
from infra.function_table import FUNCTIONS
from infra.settings import Settings
from tests.graph import Graph, Resource, deploy
from tests.infra.sample import PLATFORM, archive, files

BUCKET = "aws:s3/bucket:Bucket"
PUBLIC_ACCESS = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
OWNERSHIP = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
ENCRYPTION = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
BUCKET_POLICY = "aws:s3/bucketPolicy:BucketPolicy"
VERSIONING = "aws:s3/bucketVersioning:BucketVersioning"
LIFECYCLE = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
NOTIFICATION = "aws:s3/bucketNotification:BucketNotification"
OBJECT = "aws:s3/bucketObjectv2:BucketObjectv2"
QUEUE = "aws:sqs/queue:Queue"
QUEUE_POLICY = "aws:sqs/queuePolicy:QueuePolicy"
REDRIVE_ALLOW = "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy"
FUNCTION = "aws:lambda/function:Function"
ALIAS = "aws:lambda/alias:Alias"
RECURSION = "aws:lambda/functionRecursionConfig:FunctionRecursionConfig"
MAPPING = "aws:lambda/eventSourceMapping:EventSourceMapping"
PERMISSION = "aws:lambda/permission:Permission"
ROLE = "aws:iam/role:Role"
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
LOG_FILTER = "aws:cloudwatch/logMetricFilter:LogMetricFilter"
DASHBOARD = "aws:cloudwatch/dashboard:Dashboard"
BUDGET = "aws:budgets/budget:Budget"
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
TOPIC = "aws:sns/topic:Topic"
TOPIC_POLICY = "aws:sns/topicPolicy:TopicPolicy"
TOPIC_SUBSCRIPTION = "aws:sns/topicSubscription:TopicSubscription"
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
API = "aws:apigatewayv2/api:Api"
INTEGRATION = "aws:apigatewayv2/integration:Integration"
ROUTE = "aws:apigatewayv2/route:Route"
STAGE = "aws:apigatewayv2/stage:Stage"
MACHINE = "aws:sfn/stateMachine:StateMachine"
RULE = "aws:cloudwatch/eventRule:EventRule"
TARGET = "aws:cloudwatch/eventTarget:EventTarget"
SCHEDULE = "aws:scheduler/schedule:Schedule"

Statement = Mapping[str, Any]


def settings(**more: Any) -> Settings:
    trained = {"cloud": "aws", "models": ["breast_cancer", "file_type"], "training": {"schedule": "0 3 * * 1"}}
    told = {
        "alerts": {"email": ["ml@example.org"]},
        "budget": {"usd_a_month": 50, "stop_at": 1},
        "traces": {"cloud": True},
    }
    document = {**trained, **told, **more}
    return Settings.parse(document, where="Pulumi.test.yaml")


def whole(stack: str = "test", **more: Any) -> Graph:
    """Deploy the blueprint with every trigger; `more` are settings."""
    archives = {spec.name: archive(spec.name) for spec in FUNCTIONS}
    stack_settings = settings(**more)
    return deploy(lambda: draw(CLOUD, stack_settings, PLATFORM, archives, files(stack_settings)), stack=stack)


@cache
def faults(source: str) -> tuple[str, ...]:
    """Return what the lint finds in the definition of a state machine: most mutations of a graph leave it as it was."""
    return tuple(lint.problems(json.loads(source)))


@cache
def graph() -> Graph:
    """Return the whole graph, deployed once in a process: graphs are not changed, only copied."""
    return whole()


def of_bucket(graph: Graph, type_: str, bucket: Resource) -> list[Resource]:
    return [resource for resource in graph.of(type_) if resource.inputs["bucket"] == bucket.outputs["bucket"]]


def by_output(graph: Graph, type_: str, key: str, value: object) -> Resource | None:
    return next((resource for resource in graph.of(type_) if resource.outputs.get(key) == value), None)


def policy_of(graph: Graph, queue: Resource) -> list[Statement]:
    policies = [resource for resource in graph.of(QUEUE_POLICY) if resource.inputs["queueUrl"] == queue.outputs["url"]]
    return [statement for policy in policies for statement in policy.document("policy")["Statement"]]


def statements_of(graph: Graph, role_arn: object) -> list[Statement]:
    """Return the statements of a role's policies."""
    role = by_output(graph, ROLE, "arn", role_arn)
    if role is None:
        return []
    policies = [resource for resource in graph.of(ROLE_POLICY) if resource.inputs["role"] == role.outputs["name"]]
    return [statement for policy in policies for statement in policy.document("policy")["Statement"]]


def every_statement(graph: Graph) -> Iterator[tuple[Resource, Statement]]:
    """Yield each statement of identity, queue, bucket and topic policies, allowing or not."""
    for type_ in (ROLE_POLICY, QUEUE_POLICY, BUCKET_POLICY, TOPIC_POLICY):
        for resource in graph.of(type_):
            for statement in resource.document("policy")["Statement"]:
                yield resource, statement


def listed(value: object) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def variables(function: Resource) -> dict[str, Any]:
    return function.inputs.get("environment", {}).get("variables", {})


def allows(statements: list[Statement], action: str, resource: str) -> bool:
    """Return whether some statement allows the action on the resource; conditions are the caller's to judge."""
    return any(
        statement["Effect"] == "Allow"
        and any(fnmatchcase(action, pattern) for pattern in listed(statement["Action"]))
        and any(fnmatchcase(resource, pattern) for pattern in listed(statement["Resource"]))
        for statement in statements
    )


def sender(statements: list[Statement], queue_arn: str, rule_arn: str) -> bool:
    """Return whether a queue's policy lets exactly this event rule send."""
    return any(
        statement["Effect"] == "Allow"
        and statement["Principal"] == {"Service": "events.amazonaws.com"}
        and listed(statement["Action"]) == ["sqs:SendMessage"]
        and listed(statement["Resource"]) == [queue_arn]
        and statement.get("Condition") == {"ArnEquals": {"aws:SourceArn": rule_arn}}
        for statement in statements
    )


def refuses_plain_http(statements: list[Statement], actions: str, *resources: str) -> bool:
    return any(
        statement["Effect"] == "Deny"
        and statement["Principal"] == "*"
        and listed(statement["Action"]) == [actions]
        and set(resources) <= set(listed(statement["Resource"]))
        and statement.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}}
        for statement in statements
    )


def matches(detail: Mapping[str, Any], key: str) -> bool:
    """Return whether a pattern matches a key: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html.

    `*` stands for any characters, slashes too.
    """
    filters = detail.get("object", {}).get("key", [{"prefix": ""}])
    return any(
        key.startswith(each["prefix"]) if "prefix" in each else fnmatchcase(key, each["wildcard"]) for each in filters
    )
