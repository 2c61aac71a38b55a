"""How each rule is broken in AWS's graph."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from infra.aws import CLOUD
from tests.graph import ABSENT, Graph, rewritten
from tests.infra.aws import whole as w
from tests.infra.aws_facts import (
    BUCKET,
    ENCRYPTION,
    FUNCTION,
    INTEGRATION,
    LIFECYCLE,
    LOGS,
    OBJECT,
    OWNERSHIP,
    POLICY,
    PUBLIC_ACCESS,
    QUEUE,
    ROUTE,
    STAGE,
    VERSIONING,
    read,
)
from tests.infra.facts import Breakage, Reader

JOBS = "arn:aws:lambda:eu-west-1:123456789012:function:jobs-function-1a2b3c4:live"
DATA = "arn:aws:s3:::data-bucket-1a2b3c4"
PREPARE_ROLE = "arn:aws:iam::123456789012:role/prepare-role-1a2b3c4"


def _in_lifecycle(key: str) -> Breakage:
    """Without one of the things that the rules say."""
    return lambda graph: graph.mutated(
        LIFECYCLE, "data-lifecycle", rules=lambda rules: [{k: v for k, v in rule.items() if k != key} for rule in rules]
    )


def _in_policy(change: Callable[[list[dict[str, Any]]], object], name: str = "predict-policy") -> Breakage:
    def edit(document: dict[str, Any]) -> None:
        change(document["Statement"])

    return lambda graph: graph.mutated(POLICY, name, policy=rewritten(edit))


def _listing(prefix: str) -> dict[str, Any]:
    return {"StringLikeIfExists": {"s3:prefix": [prefix]}}


def _in_machine(change: Callable[[dict[str, Any]], object]) -> Breakage:
    def edit(definition: dict[str, Any]) -> None:
        change(definition)

    return lambda graph: graph.mutated(w.MACHINE, definition=rewritten(edit))


def _in_pattern(change: Callable[[dict[str, Any]], object]) -> Breakage:
    def edit(pattern: dict[str, Any]) -> None:
        change(pattern["detail"])

    return lambda graph: graph.mutated(w.RULE, "datasets-rule", eventPattern=rewritten(edit))


def _unprotected(graph: Graph) -> Graph:
    bucket = graph.one(BUCKET, "data-bucket")
    return graph.swapped(bucket, replace(bucket, protect=False))


def _at_once(graph: Graph) -> Graph:
    upload = next(resource for resource in graph if resource.component and resource.name == "publish")
    return graph.swapped(upload, replace(upload, dependencies=()))


def _into_half_a_store(graph: Graph) -> Graph:
    upload, bucket = graph.one(OBJECT, "publish-object"), graph.one(BUCKET, "data-bucket")
    return graph.swapped(upload, replace(upload, dependencies=(bucket.urn,)))


BREAKAGES: dict[tuple[str, ...], tuple[Breakage, ...]] = {
    ("uploads_lie_where_they_were_asked_to",): (
        lambda graph: graph.mutated(OBJECT, "publish-object", key="a/out/model.onnx"),
        lambda graph: graph.mutated(OBJECT, "publish-object", bucket="code-bucket-1a2b3c4"),
    ),
    ("uploads_come_when_they_are_waited_for",): (_at_once, _into_half_a_store),
    ("stores_are_private",): (
        lambda graph: graph.mutated(PUBLIC_ACCESS, "data-public-access", blockPublicPolicy=False),
        lambda graph: graph.without(PUBLIC_ACCESS, "code-public-access"),
        lambda graph: graph.mutated(OWNERSHIP, "data-ownership", rule={"objectOwnership": "ObjectWriter"}),
    ),
    ("stores_are_encrypted",): (lambda graph: graph.without(ENCRYPTION, "data-encryption"),),
    ("stores_keep_versions",): (
        lambda graph: graph.mutated(VERSIONING, "data-versioning", versioningConfiguration={"status": "Suspended"}),
    ),
    ("stores_tidy_up",): (
        _in_lifecycle("noncurrentVersionExpiration"),
        _in_lifecycle("abortIncompleteMultipartUpload"),
    ),
    ("objects_expire_when_asked",): (_in_lifecycle("expiration"),),
    ("protection_is_honoured",): (
        lambda graph: graph.mutated(BUCKET, "data-bucket", forceDestroy=True),
        _unprotected,
    ),
    ("failing_messages_become_dead_letters",): (
        lambda graph: graph.mutated(QUEUE, "jobs-queue", redrivePolicy=ABSENT),
        lambda graph: graph.mutated(
            QUEUE, "jobs-queue", redrivePolicy=rewritten(lambda document: document.update(maxReceiveCount=1000))
        ),
    ),
    ("dead_letters_wait_for_someone",): (
        lambda graph: graph.without(QUEUE, "jobs-dead-letters"),
        lambda graph: graph.mutated(QUEUE, "jobs-dead-letters", messageRetentionSeconds=345_600),
    ),
    ("messages_stay_hidden_while_worked_on",): (
        lambda graph: graph.mutated(QUEUE, "jobs-queue", visibilityTimeoutSeconds=89),
    ),
    ("each_function_has_an_identity_of_its_own", "functions_may_do_exactly_what_was_granted"): (
        lambda graph: graph.mutated(FUNCTION, "predict-function", role=ABSENT),
        lambda graph: graph.mutated(FUNCTION, "predict-function", role=PREPARE_ROLE),
    ),
    ("functions_may_do_exactly_what_was_granted",): (
        lambda graph: graph.without(POLICY, "prepare-policy"),
        *(
            _in_policy(
                lambda statements, wide=wide: statements[0].update(Resource=[f"{DATA}/{wide}"]), "prepare-policy"
            )
            for wide in ("a/*", "*/in/*", "*in/*", "*")
        ),
        *(
            _in_policy(
                lambda statements, wide=wide: statements[2].update(Resource=[f"{DATA}/{wide}"]), "prepare-policy"
            )
            for wide in ("*", "*/*", "*out/*", "*/out*", "*/o*", "a/out/*")
        ),
        *(
            _in_policy(lambda statements, wide=wide: statements[1].update(Condition=_listing(wide)), "prepare-policy")
            for wide in ("*", "a/*", "*/in/*")
        ),
        _in_policy(lambda statements: statements[1].pop("Condition"), "prepare-policy"),
        _in_policy(lambda statements: statements[0].update(Action=["s3:GetObject", "s3:PutObject"])),
    ),
    ("nothing_is_allowed_without_bounds",): (
        _in_policy(lambda statements: statements[0].update(Action=["s3:GetObject", "s3:Get*"])),
        _in_policy(lambda statements: statements[2].update(Resource="*")),
        lambda graph: graph.mutated("aws:lambda/permission:Permission", sourceArn=ABSENT),
    ),
    ("copies_are_bounded",): (
        lambda graph: graph.mutated(FUNCTION, "predict-function", reservedConcurrentExecutions=ABSENT),
    ),
    ("size_and_time_are_as_asked",): (
        lambda graph: graph.mutated(FUNCTION, "predict-function", memorySize=ABSENT),
        lambda graph: graph.mutated(FUNCTION, "jobs-function", timeout=60),
    ),
    ("one_interpreter_for_all",): (lambda graph: graph.mutated(FUNCTION, "predict-function", runtime="python3.11"),),
    ("code_is_named_by_its_digest",): (
        lambda graph: graph.mutated(OBJECT, "predict-code", key="predict/newest.zip"),
        lambda graph: graph.mutated(FUNCTION, "predict-function", s3Key="predict/newest.zip"),
    ),
    ("routes_are_authorised_or_say_why_not",): (
        lambda graph: graph.mutated(ROUTE, "api-predict", authorizationType="NONE"),
        lambda graph: graph.mutated(ROUTE, "api-predict", authorizationType="JWT"),
        lambda graph: graph.without(ROUTE, "api-predict"),
    ),
    ("calls_are_throttled",): (lambda graph: graph.mutated(STAGE, defaultRouteSettings=ABSENT),),
    ("the_api_waits_as_long_as_asked",): (lambda graph: graph.mutated(INTEGRATION, timeoutMilliseconds=ABSENT),),
    ("logs_are_kept_as_long_as_asked",): (
        lambda graph: graph.mutated(LOGS, "predict-logs", retentionInDays=ABSENT),
        lambda graph: graph.without(LOGS, "api-logs"),
        lambda graph: graph.mutated(LOGS, "training-logs", retentionInDays=ABSENT),
    ),
    ("workflows_are_sound",): (
        _in_machine(lambda machine: machine["States"]["prepare"].pop("Catch")),
        _in_machine(lambda machine: machine["States"]["prepare"]["Retry"].pop()),
    ),
    ("workflows_may_call_exactly_what_they_call",): (
        _in_policy(lambda statements: statements[0]["Resource"].pop(), "training-policy"),
        _in_policy(lambda statements: statements[0]["Resource"].append(JOBS), "training-policy"),
    ),
    ("workflows_outwait_their_functions",): (
        _in_machine(lambda machine: machine["States"]["prepare"].update(TimeoutSeconds=60)),
    ),
    ("workflows_are_bounded",): (
        _in_machine(lambda machine: machine.update(TimeoutSeconds=7200)),
        _in_machine(lambda machine: machine["States"]["each"].update(MaxConcurrency=40)),
    ),
    ("workflows_do_not_log_what_they_hand_over",): (
        lambda graph: graph.mutated(w.MACHINE, loggingConfiguration=lambda old: {**old, "includeExecutionData": True}),
    ),
    ("arrivals_wait_where_they_were_asked_to",): (
        _in_pattern(lambda detail: detail["object"]["key"].pop()),
        _in_pattern(lambda detail: detail.pop("object")),
        *(
            _in_pattern(lambda detail, wide=wide: detail["object"].update(key=[{"wildcard": wide}]))
            for wide in ("*", "*/*", "*in/*", "*/in*", "a/in/*")
        ),
    ),
    ("schedules_are_as_asked",): (
        lambda graph: graph.mutated(w.SCHEDULE, scheduleExpression="cron(0 4 ? * 2 *)"),
        lambda graph: graph.mutated(w.SCHEDULE, target=lambda old: {**old, "input": "{}"}),
    ),
    ("triggers_may_reach_their_target",): (
        lambda graph: graph.without(w.NOTIFICATION, "data-notification"),
        lambda graph: graph.without(POLICY, "datasets-policy"),
        lambda graph: graph.without(POLICY, "retrain-policy"),
        lambda graph: graph.without(w.QUEUE_POLICY, "jobs-queue-policy"),
    ),
    ("triggers_try_again",): (
        lambda graph: graph.mutated(w.TARGET, "datasets-target", retryPolicy=ABSENT),
        lambda graph: graph.mutated(w.SCHEDULE, target=lambda old: {**old, "retryPolicy": None}),
    ),
}


READER = Reader(cloud=CLOUD, read=read, upload=OBJECT, function=FUNCTION, breakages=BREAKAGES)
