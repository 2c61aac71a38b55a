"""AWS's graph in words of no cloud."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from infra.aws import lint
from infra.aws.access import UNSCOPABLE
from tests.graph import Graph, Resource
from tests.infra import sample
from tests.infra.aws import whole as w
from tests.infra.facts import (
    ApiFacts,
    Facts,
    FunctionFacts,
    Permission,
    QueueFacts,
    StoreFacts,
    TriggerFacts,
    WorkflowFacts,
    components,
    first,
    upload,
    value,
    within,
)

BUCKET = "aws:s3/bucket:Bucket"
OBJECT = "aws:s3/bucketObjectv2:BucketObjectv2"
PUBLIC_ACCESS = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
OWNERSHIP = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
ENCRYPTION = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
VERSIONING = "aws:s3/bucketVersioning:BucketVersioning"
LIFECYCLE = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
QUEUE = "aws:sqs/queue:Queue"
FUNCTION = "aws:lambda/function:Function"
LOGS = "aws:cloudwatch/logGroup:LogGroup"
POLICY = "aws:iam/rolePolicy:RolePolicy"
API = "aws:apigatewayv2/api:Api"
ROUTE = "aws:apigatewayv2/route:Route"
STAGE = "aws:apigatewayv2/stage:Stage"
INTEGRATION = "aws:apigatewayv2/integration:Integration"
POLICIES = {POLICY: "policy", "aws:sqs/queuePolicy:QueuePolicy": "policy", "aws:s3/bucketPolicy:BucketPolicy": "policy"}
CLOSED = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
ACCESS = {"s3:GetObject": "get", "s3:PutObject": "put"}


def read(graph: Graph, probes: Sequence[str] = sample.PROBES) -> Facts:
    return Facts(
        stores=tuple(_store(graph, resource) for resource in components(graph, "Store")),
        queues=tuple(_queue(graph, resource) for resource in components(graph, "Queue")),
        functions=tuple(_function(graph, resource) for resource in components(graph, "Function")),
        apis=tuple(_api(graph, resource) for resource in components(graph, "Api")),
        workflows=tuple(_workflow(graph, resource) for resource in components(graph, "Workflow")),
        arrivals=tuple(_arrival(graph, resource, probes) for resource in components(graph, "Arrival")),
        schedules=tuple(_schedule(graph, resource) for resource in components(graph, "Schedule")),
        uploads=tuple(upload(graph, resource, OBJECT, "key") for resource in components(graph, "Upload")),
        permissions=frozenset(_permissions(graph, probes)),
        boundless=tuple(reason for resource in graph for reason in _boundless(resource)),
    )


def _store(graph: Graph, component: Resource) -> StoreFacts:
    (bucket,) = within(graph, component, BUCKET)

    def configured(type_: str, *path: str | int) -> Any:
        about = [
            resource
            for resource in within(graph, component, type_)
            if resource.inputs["bucket"] == bucket.outputs["bucket"]
        ]
        return first(about, *path)

    rules = [rule for rule in configured(LIFECYCLE, "rules") or [] if rule.get("status") == "Enabled"]
    everywhere = [rule for rule in rules if value(rule, "filter", "prefix") == ""]
    noncurrent = [value(rule, "noncurrentVersionExpiration", "noncurrentDays") for rule in everywhere]
    uploads = [value(rule, "abortIncompleteMultipartUpload", "daysAfterInitiation") for rule in everywhere]
    return StoreFacts(
        name=component.name,
        private=all(configured(PUBLIC_ACCESS, key) is True for key in CLOSED)
        and configured(OWNERSHIP, "rule", "objectOwnership") == "BucketOwnerEnforced",
        encrypted=configured(ENCRYPTION, "rules", 0, "applyServerSideEncryptionByDefault", "sseAlgorithm")
        in ("AES256", "aws:kms"),
        versioned=configured(VERSIONING, "versioningConfiguration", "status") == "Enabled",
        noncurrent_days=next((days for days in noncurrent if days), None),
        upload_days=next((days for days in uploads if days), None),
        expiry={
            value(rule, "filter", "prefix"): rule["expiration"]["days"]
            for rule in rules
            if value(rule, "expiration", "days")
        },
        protected=bucket.protect,
        emptied_on_destroy=bucket.inputs.get("forceDestroy") is True,
    )


def _queue(graph: Graph, component: Resource) -> QueueFacts:
    queues = within(graph, component, QUEUE)
    (source,) = [resource for resource in queues if resource.name == f"{component.name}-queue"]
    policy = json.loads(source.inputs.get("redrivePolicy") or "{}")
    retentions = [
        resource.inputs.get("messageRetentionSeconds", 0)
        for resource in queues
        if resource.outputs["arn"] == policy.get("deadLetterTargetArn")
    ]
    return QueueFacts(
        name=component.name,
        attempts=policy.get("maxReceiveCount"),
        dead_letter_seconds=max(retentions, default=0) if policy else 14 * 24 * 3600,
        hidden_seconds=source.inputs.get("visibilityTimeoutSeconds", 30),
    )


def _function(graph: Graph, component: Resource) -> FunctionFacts:
    (function,) = within(graph, component, FUNCTION)
    logs = value(function.inputs, "loggingConfig", "logGroup")
    return FunctionFacts(
        name=component.name,
        identity=function.inputs.get("role"),
        concurrency=function.inputs.get("reservedConcurrentExecutions"),
        timeout_seconds=function.inputs.get("timeout", 3),
        memory_mb=function.inputs.get("memorySize", 128),
        runtime=function.inputs["runtime"],
        ref=within(graph, component, w.ALIAS)[0].outputs["arn"],
        code=function.inputs["s3Key"],
        uploads=tuple(resource.inputs["key"] for resource in within(graph, component, OBJECT)),
        log_days=_log_days(graph, component, "name", logs),
    )


def _log_days(graph: Graph, component: Resource, by: str, what: str | None) -> int | None:
    groups = [resource for resource in within(graph, component, LOGS) if resource.outputs[by] == what]
    return first(groups, "retentionInDays")


def _api(graph: Graph, component: Resource) -> ApiFacts:
    stage = within(graph, component, STAGE)
    waits = {
        resource.inputs.get("timeoutMilliseconds", 30_000) / 1000 for resource in within(graph, component, INTEGRATION)
    }
    return ApiFacts(
        authorised={
            resource.inputs["routeKey"]: resource.inputs.get("authorizationType", "NONE") == "AWS_IAM"
            or (resource.inputs.get("authorizationType") == "JWT" and bool(resource.inputs.get("authorizerId")))
            for resource in within(graph, component, ROUTE)
        },
        description=first(within(graph, component, API), "description") or "",
        requests_a_second=first(stage, "defaultRouteSettings", "throttlingRateLimit"),
        timeout_seconds=waits.pop() if len(waits) == 1 else None,
        log_days=_log_days(graph, component, "arn", first(stage, "accessLogSettings", "destinationArn")),
    )


def tasks(definition: lint.Definition) -> list[lint.Definition]:
    """Return every call of a state machine, including those in a map."""
    states = definition["States"].values()
    inner = [task for state in states if "ItemProcessor" in state for task in tasks(state["ItemProcessor"])]
    return [state for state in states if state["Type"] == "Task"] + inner


def _workflow(graph: Graph, component: Resource) -> WorkflowFacts:
    (machine,) = within(graph, component, w.MACHINE)
    definition = machine.document("definition")
    seconds: dict[str, int] = {}
    for task in tasks(definition):
        named = task["Arguments"]["FunctionName"]
        seconds[named] = min(seconds.get(named, 10**6), task.get("TimeoutSeconds", 10**6))
    statements = w.statements_of(graph, machine.inputs["roleArn"])
    logged = machine.inputs.get("loggingConfiguration", {})
    return WorkflowFacts(
        name=component.name,
        problems=tuple(lint.problems(definition)),
        call_seconds=seconds,
        may_call=frozenset(
            r for s in statements if "lambda:InvokeFunction" in s["Action"] for r in w.listed(s["Resource"])
        ),
        seconds=definition.get("TimeoutSeconds", 0),
        parallelism=next((s.get("MaxConcurrency") for s in definition["States"].values() if s["Type"] == "Map"), None),
        log_days=_log_days(graph, component, "arn", logged.get("logDestination", "").removesuffix(":*")),
        logs_data=logged.get("includeExecutionData", True),
    )


def _arrival(graph: Graph, component: Resource, probes: Sequence[str]) -> TriggerFacts:
    (rule,) = within(graph, component, w.RULE)
    (target,) = within(graph, component, w.TARGET)
    detail = rule.document("eventPattern")["detail"]
    (bucket,) = detail["bucket"]["name"]
    announcing = {
        resource.inputs["bucket"] for resource in graph.of(w.NOTIFICATION) if resource.inputs.get("eventbridge") is True
    }
    queue = w.by_output(graph, w.QUEUE, "arn", target.inputs["arn"])
    if queue is None:
        statements = w.statements_of(graph, target.inputs.get("roleArn"))
        allowed = w.allows(statements, "states:StartExecution", target.inputs["arn"])
    else:
        allowed = w.sender(w.policy_of(graph, queue), queue.outputs["arn"], rule.outputs["arn"])
    return TriggerFacts(
        name=component.name,
        on=tuple(f"{bucket}/{key}" for key in probes if w.matches(detail, key)),
        target=target.inputs["arn"],
        input="",
        allowed=allowed and bucket in announcing,
        retried=bool(value(target.inputs, "retryPolicy", "maximumRetryAttempts")),
    )


def _schedule(graph: Graph, component: Resource) -> TriggerFacts:
    (schedule,) = within(graph, component, w.SCHEDULE)
    target = schedule.inputs["target"]
    minute, hour, day, _month, weekday, _year = schedule.inputs["scheduleExpression"][len("cron(") : -1].split()
    function = w.by_output(graph, w.ALIAS, "arn", target["arn"])
    action = "lambda:InvokeFunction" if function else "states:StartExecution"
    return TriggerFacts(
        name=component.name,
        on=(minute, hour, day.replace("?", "*"), "*" if weekday == "?" else str(int(weekday) - 1)),
        target=target["arn"],
        input=target["input"],
        allowed=w.allows(w.statements_of(graph, target["roleArn"]), action, target["arn"]),
        retried=bool(value(target, "retryPolicy", "maximumRetryAttempts")),
    )


def _statements(resource: Resource) -> Iterator[Mapping[str, Any]]:
    """Yield what a policy allows, with actions and resources as lists."""
    for statement in resource.document(POLICIES[resource.type])["Statement"]:
        if statement["Effect"] == "Allow":
            yield {**statement, **{key: _list(statement[key]) for key in ("Action", "Resource")}}


def _list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _permissions(graph: Graph, probes: Sequence[str]) -> Iterator[Permission]:
    functions = {
        str(resource.inputs.get("role")).rpartition("/")[2]: graph.owner(resource) for resource in graph.of(FUNCTION)
    }
    for policy in graph.of(POLICY):
        function = functions.get(policy.inputs["role"])
        for statement in _statements(policy):
            for access, bucket, key in _allowed(statement, probes):
                yield Permission(
                    function=function.name if function else policy.inputs["role"],
                    access=access,
                    bucket=bucket,
                    key=key,
                )


def _allowed(statement: Mapping[str, Any], probes: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """Yield what a statement allows with each probe, as IAM decides: `*` stands for any characters, slashes too."""
    for arn in statement["Resource"]:
        bucket, _, pattern = arn.removeprefix("arn:aws:s3:::").partition("/")
        for action in set(statement["Action"]) & set(ACCESS):
            yield from ((ACCESS[action], bucket, key) for key in probes if fnmatchcase(key, pattern))
        if "s3:ListBucket" in statement["Action"]:
            listed = value(statement, "Condition", "StringLikeIfExists", "s3:prefix") or ["*"]
            for key in probes:
                folder = key.rpartition("/")[0] + "/" if "/" in key else ""
                if any(fnmatchcase(folder, each) for each in listed):
                    yield "list", bucket, key


def _boundless(resource: Resource) -> Iterator[str]:
    if resource.type == "aws:lambda/permission:Permission" and not resource.inputs.get("sourceArn"):
        yield f"{resource.name}: from anywhere"
    if resource.type not in POLICIES:
        return
    for statement in _statements(resource):
        actions = set(statement["Action"])
        if any("*" in action for action in actions):
            yield f"{resource.name}: {sorted(actions)}"
        if "*" in statement["Resource"] and not actions <= set(UNSCOPABLE):
            yield f"{resource.name}: {sorted(actions)} on everything"
        if statement.get("Principal") in ("*", {"AWS": "*"}):
            yield f"{resource.name}: for everybody"
