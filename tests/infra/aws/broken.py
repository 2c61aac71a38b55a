"""For each rule, graphs that break it: exactly one property wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from tests.graph import ABSENT, Graph, Resource, rewritten
from tests.infra.aws import whole as w

Break = Callable[[Graph], Graph]


def change(type_: str, name: str, /, **changes: Any) -> Break:
    return lambda graph: graph.mutated(type_, name, **changes)


def drop(type_: str, name: str) -> Break:
    return lambda graph: graph.without(type_, name)


def without(*keys: str) -> Callable[[Any], Any]:
    return lambda inputs: {key: value for key, value in inputs.items() if key not in keys}


def altered(**changes: Any) -> Callable[[Any], Any]:
    return lambda inputs: {**inputs, **changes}


def _variables(**more: str) -> dict[str, Any]:
    return {"variables": {"PYTHONPATH": "/var/task:/var/runtime", **more}}


def statement(index: int, **changes: Any) -> Callable[[str], str]:
    """Return a change of one statement of a policy."""
    return rewritten(lambda document: document["Statement"][index].update(changes))


def no_statement(action: str) -> Callable[[str], str]:
    def cut(document: Any) -> None:
        others = [s for s in document["Statement"] if action not in w.listed(s["Action"])]
        assert len(others) < len(document["Statement"]), f"no statement has {action}"
        document["Statement"] = others

    return rewritten(cut)


def no_action(action: str) -> Callable[[str], str]:
    def cut(document: Any) -> None:
        for statement in document["Statement"]:
            statement["Action"] = [other for other in w.listed(statement["Action"]) if other != action]

    return rewritten(cut)


def retrier(definition: Any, step: str) -> dict[str, Any]:
    """Return how a busy function is called again, in a step or in each of a map's."""
    state = definition["States"][step]
    (called,) = state["ItemProcessor"]["States"].values() if "ItemProcessor" in state else [state]
    return called["Retry"][0]


def no_retry(step: str, error: str) -> Callable[[str], str]:
    return rewritten(lambda definition: retrier(definition, step)["ErrorEquals"].remove(error))


def retried_for(step: str, **changes: Any) -> Callable[[str], str]:
    return rewritten(lambda definition: retrier(definition, step).update(changes))


def task(name: str, **changes: Any) -> Callable[[str], str]:
    return rewritten(lambda definition: definition["States"][name].update(changes))


def foreign_policy(graph: Graph) -> Graph:
    policy = graph.one(w.ROLE_POLICY, "train-policy")
    return graph.added(replace(policy, type="aws:iam/rolePolicyAttachment:RolePolicyAttachment", name="extra"))


def open_without_reason(graph: Graph) -> Graph:
    return graph.mutated(w.ROUTE, "api-predict", authorizationType="NONE")


def called_by(graph: Graph, function: str, principal: str) -> Resource:
    """Return the permission of a service to call a function."""
    permission = graph.one(w.PERMISSION)
    named = {"function": graph.one(w.FUNCTION, function).outputs["name"], "principal": principal}
    return replace(permission, name="called", urn=f"{permission.urn}-called", inputs={**permission.inputs, **named})


def calls_on_time(graph: Graph) -> Graph:
    """Return the graph with a schedule that calls a function, as a role that may only start a workflow."""
    function = graph.one(w.ALIAS, "rollout-alias").outputs["arn"]
    return graph.mutated(w.SCHEDULE, "retrain-breast_cancer-schedule", target=altered(arn=function))


def shared_role(graph: Graph) -> Graph:
    """Return the graph with two functions in one role, which may do what both need."""
    own, other = graph.one(w.ROLE_POLICY, "train-policy"), graph.one(w.ROLE_POLICY, "select-policy")
    both = own.document("policy")["Statement"] + other.document("policy")["Statement"]
    role = graph.one(w.ROLE, "select-role").outputs["arn"]
    return graph.mutated(w.FUNCTION, "train-function", role=role).mutated(
        w.ROLE_POLICY, "select-policy", policy=rewritten(altered(Statement=both))
    )


ARN = "arn:aws:{service}:eu-west-1:123456789012:{name}"
TRAIN = ARN.format(service="lambda", name="function:train-function-1a2b3c4:live")
OTHER_RULE = {"ArnEquals": {"aws:SourceArn": ARN.format(service="events", name="rule/other")}}
ANY_TRUST = rewritten(lambda document: altered(Statement=[without("Condition")(document["Statement"][0])])(document))


def waiting_for(wildcard: str) -> Callable[[Any], Any]:
    """Return a change of the keys that a rule waits for."""
    return rewritten(lambda pattern: pattern["detail"].update(object={"key": [{"wildcard": wildcard}]}))


def writing(resource: str) -> Callable[[Any], Any]:
    """Return a change of what a policy lets a function write."""

    def edit(policy: Any) -> None:
        for one in policy["Statement"]:
            if "s3:PutObject" in one["Action"]:
                one["Resource"] = [resource]

    return rewritten(edit)


DATA: Mapping[str, tuple[Break, ...]] = {
    "buckets_are_not_public": (
        change(w.PUBLIC_ACCESS, "data-public-access", restrictPublicBuckets=False),
        drop(w.PUBLIC_ACCESS, "models-public-access"),
    ),
    "buckets_have_one_owner": (
        change(w.OWNERSHIP, "data-ownership", rule={"objectOwnership": "ObjectWriter"}),
        drop(w.OWNERSHIP, "jobs-ownership"),
    ),
    "buckets_are_encrypted": (drop(w.ENCRYPTION, "captures-encryption"),),
    "buckets_are_versioned": (
        change(w.VERSIONING, "models-versioning", versioningConfiguration={"status": "Suspended"}),
        drop(w.VERSIONING, "data-versioning"),
    ),
    "buckets_refuse_plain_http": (
        drop(w.BUCKET_POLICY, "data-bucket-policy"),
        change(w.BUCKET_POLICY, "data-bucket-policy", policy=statement(0, Resource=["arn:aws:s3:::data-bucket"])),
        change(w.BUCKET_POLICY, "data-bucket-policy", policy=statement(0, Condition={})),
    ),
    "buckets_forget_what_nobody_needs": (
        drop(w.LIFECYCLE, "code-lifecycle"),
        *(
            change(w.LIFECYCLE, "data-lifecycle", rules=lambda rules, key=key: [without(key)(rule) for rule in rules])
            for key in ("noncurrentVersionExpiration", "abortIncompleteMultipartUpload")
        ),
    ),
    "buckets_with_data_are_not_emptied": (change(w.BUCKET, "models-bucket", forceDestroy=True),),
    "queues_are_encrypted": (change(w.QUEUE, "jobs-queue", sqsManagedSseEnabled=ABSENT),),
    "queues_refuse_plain_http": (
        change(w.QUEUE_POLICY, "jobs-queue-policy", policy=no_statement("sqs:*")),
        drop(w.QUEUE_POLICY, "jobs-dead-letters-policy"),
    ),
    "consumed_queues_have_dead_letters": (
        change(w.QUEUE, "jobs-queue", redrivePolicy=rewritten(lambda policy: policy.update(maxReceiveCount=1))),
        change(w.QUEUE, "jobs-queue", redrivePolicy=rewritten(without("deadLetterTargetArn"))),
    ),
    "dead_letters_are_kept_longest": (change(w.QUEUE, "jobs-dead-letters", messageRetentionSeconds=345_600),),
    "dead_letters_come_from_their_own_queue": (
        drop(w.REDRIVE_ALLOW, "jobs-redrive-allow"),
        change(w.REDRIVE_ALLOW, "jobs-redrive-allow", redriveAllowPolicy='{"redrivePermission": "allowAll"}'),
    ),
    "messages_stay_hidden_while_they_are_worked_on": (
        change(w.QUEUE, "jobs-queue", visibilityTimeoutSeconds=719),
        change(w.MAPPING, "jobs-messages", maximumBatchingWindowInSeconds=30),
    ),
    "one_bad_message_does_not_return_its_batch": (change(w.MAPPING, "jobs-messages", functionResponseTypes=ABSENT),),
    "large_batches_have_a_window": (change(w.MAPPING, "jobs-messages", batchSize=100),),
    "consumers_are_bounded": (
        change(w.MAPPING, "jobs-messages", scalingConfig=ABSENT),
        change(w.MAPPING, "jobs-messages", scalingConfig={"maximumConcurrency": 10}),
    ),
}

COMPUTE: Mapping[str, tuple[Break, ...]] = {
    "functions_have_bounds": (
        change(w.FUNCTION, "train-function", memorySize=ABSENT),
        change(w.FUNCTION, "predict-function", timeout=ABSENT),
    ),
    "functions_cannot_flood": (
        change(w.FUNCTION, "predict-function", reservedConcurrentExecutions=0),
        lambda graph: graph.added(called_by(graph, "train-function", "s3.amazonaws.com")),
    ),
    "the_api_waits_longer_than_its_functions": (
        change(w.INTEGRATION, "api-predict-integration", timeoutMilliseconds=15_000),
        change(w.FUNCTION, "predict-function", timeout=30),
    ),
    "functions_share_one_supported_runtime": (
        change(w.FUNCTION, "train-function", runtime="python3.12"),
        lambda graph: _every(graph, w.FUNCTION, runtime="python3.9"),
    ),
    "code_is_named_by_its_digest": (
        change(w.FUNCTION, "train-function", sourceCodeHash=ABSENT),
        change(w.FUNCTION, "train-function", s3Key="train/latest.zip"),
        lambda graph: graph.mutated(w.FUNCTION, "train-function", s3Key="train/latest.zip").mutated(
            w.OBJECT, "train-code", key="train/latest.zip"
        ),
    ),
    "functions_are_traced_as_their_workflow_is": (
        change(w.FUNCTION, "train-function", tracingConfig=ABSENT),
        change(w.MACHINE, "training-machine", tracingConfiguration={"enabled": False}),
    ),
    "functions_look_into_their_archive_first": (
        change(w.FUNCTION, "predict-function", environment={"variables": {}}),
        change(w.FUNCTION, "predict-function", environment={"variables": {"PYTHONPATH": "/var/runtime"}}),
    ),
    "functions_log_json_to_a_group_of_their_own": (
        change(w.FUNCTION, "train-function", loggingConfig=altered(logFormat="Text")),
        change(w.FUNCTION, "train-function", loggingConfig=ABSENT),
    ),
    "logs_are_forgotten": (
        change(w.LOG_GROUP, "predict-logs", retentionInDays=ABSENT),
        change(w.LOG_GROUP, "api-logs", retentionInDays=0),
    ),
    "callers_name_a_published_version": (
        change(w.ALIAS, "train-alias", functionVersion="$LATEST"),
        change(w.FUNCTION, "train-function", publish=ABSENT),
        change(w.MAPPING, "jobs-messages", functionName=lambda arn: arn.removesuffix(":live")),
    ),
    "loops_are_stopped": (
        drop(w.RECURSION, "jobs-recursion"),
        change(w.RECURSION, "jobs-recursion", recursiveLoop="Allow"),
    ),
    "environments_are_small_and_hold_no_secret": (
        change(w.FUNCTION, "select-function", environment=_variables(DB_PASSWORD="x")),
        change(w.FUNCTION, "select-function", environment=_variables(LARGE="x" * 4096)),
    ),
    "training_computes_the_same_on_every_processor": (
        *(
            change(
                w.FUNCTION, "train-function", environment=lambda old, edit=edit: {"variables": edit(old["variables"])}
            )
            for edit in (
                without("OPENBLAS_CORETYPE"),
                without("NPY_DISABLE_CPU_FEATURES"),
                altered(OPENBLAS_CORETYPE="ARMV8"),
                altered(OPENBLAS_NUM_THREADS="2"),
            )
        ),
        change(w.FUNCTION, "train-function", architectures=["arm64"]),
    ),
    "routes_are_authorised_or_say_why_not": (
        open_without_reason,
        change(w.ROUTE, "api-openapi", authorizationType=ABSENT),
    ),
    "stages_are_throttled": (
        change(w.STAGE, "api-stage", defaultRouteSettings=ABSENT),
        change(w.STAGE, "api-stage", defaultRouteSettings=without("throttlingBurstLimit")),
    ),
    "access_is_logged_without_the_caller": (
        change(w.STAGE, "api-stage", accessLogSettings=ABSENT),
        change(w.STAGE, "api-stage", accessLogSettings=altered(format='{"ip": "$context.identity.sourceIp"}')),
    ),
    "only_listed_origins_may_call": (change(w.API, "api-http", corsConfiguration={"allowOrigins": ["*"]}),),
    "machines_are_sound": (
        change(w.MACHINE, "training-machine", definition=task("prepare", Next="nowhere")),
        change(w.MACHINE, "training-machine", definition=task("select", Catch=[])),
        change(w.MACHINE, "training-machine", definition=rewritten(without("TimeoutSeconds"))),
    ),
    "machines_outwait_their_functions": (
        change(w.MACHINE, "training-machine", definition=task("prepare", TimeoutSeconds=300)),
        change(w.FUNCTION, "train-function", timeout=900),
    ),
    "machines_tell_what_they_do_but_not_the_data": (
        change(w.MACHINE, "training-machine", loggingConfiguration=altered(level="ERROR")),
        change(w.MACHINE, "training-machine", loggingConfiguration=altered(includeExecutionData=True)),
    ),
}

EDGES: Mapping[str, tuple[Break, ...]] = {
    "functions_have_a_role_of_their_own": (shared_role,),
    "roles_trust_their_service_alone": (
        *(change(w.ROLE, f"{n}-role", assumeRolePolicy=ANY_TRUST) for n in ("training", "datasets")),
        change(w.ROLE, "retrain-breast_cancer-role", assumeRolePolicy=ANY_TRUST),
        change(w.ROLE, "train-role", assumeRolePolicy=statement(0, Principal={"AWS": "arn:aws:iam::1:root"})),
    ),
    "nothing_is_allowed_on_everything": (
        change(w.ROLE_POLICY, "train-policy", policy=statement(0, Action=["s3:*"])),
        change(w.ROLE_POLICY, "train-policy", policy=statement(0, Resource=["*"])),
        change(w.ROLE_POLICY, "train-policy", policy=statement(0, Resource=["arn:aws:s3:::*"])),
        change(w.ROLE_POLICY, "train-policy", policy=statement(0, Resource=["arn:aws:s3:::data-*/train/*"])),
        *(
            change(w.ROLE_POLICY, "train-policy", policy=statement(0, Resource=[f"arn:aws:s3:::data-1a2b3c4/{key}"]))
            for key in (
                "*",
                "*datasets/*",
                "*/d*",
                "*/*/datasets/*",
                "breast*/datasets/*",
                "*/datasets/*/*",
            )
        ),
    ),
    "no_foreign_policies_are_attached": (
        foreign_policy,
        change(w.ROLE, "train-role", managedPolicyArns=["arn:aws:iam::aws:policy/AdministratorAccess"]),
    ),
    "the_api_may_call_what_its_routes_name": (
        drop(w.PERMISSION, "api-predict-invoke"),
        change(w.PERMISSION, "api-predict-invoke", principal="elasticloadbalancing.amazonaws.com"),
        change(w.PERMISSION, "api-predict-invoke", sourceArn=lambda arn: arn.replace("a1b2c3d4e5", "other")),
    ),
    "functions_are_called_by_known_sources_alone": (
        lambda graph: graph.added(
            replace(
                graph.one(w.PERMISSION),
                name="loose",
                inputs=without("sourceArn")(graph.one(w.PERMISSION).inputs),
            )
        ),
    ),
    "consumers_may_read_their_queue": (
        change(w.ROLE_POLICY, "jobs-policy", policy=no_statement("sqs:ReceiveMessage")),
    ),
    "functions_may_write_their_log": (
        change(w.ROLE_POLICY, "predict-policy", policy=no_statement("logs:PutLogEvents")),
    ),
    "what_is_traced_may_write_its_traces": (
        change(w.ROLE_POLICY, "training-policy", policy=no_statement("xray:PutTraceSegments")),
        change(w.ROLE_POLICY, "training-policy", policy=no_action("xray:GetSamplingTargets")),
        change(w.ROLE_POLICY, "predict-policy", policy=no_statement("xray:PutTraceSegments")),
    ),
    "whoever_uploads_may_end_an_upload": (
        change(w.ROLE_POLICY, "train-policy", policy=no_action("s3:AbortMultipartUpload")),
    ),
    "first_steps_wait_for_permissions": (
        *(
            change(w.MACHINE, "training-machine", definition=no_retry(step, "Lambda.AccessDeniedException"))
            for step in ("prepare", "experiments", "select", "release", "roll back")
        ),
        change(w.MACHINE, "training-machine", definition=retried_for("prepare", MaxAttempts=2)),
    ),
    "workflows_may_call_their_functions_and_no_others": (
        change(w.ROLE_POLICY, "training-policy", policy=statement(0, Resource=[TRAIN])),
        change(w.ROLE_POLICY, "training-policy", policy=no_statement("lambda:InvokeFunction")),
    ),
    "nothing_that_an_arrival_starts_writes_where_it_waits": (
        change(w.RULE, "submissions-rule", eventPattern=waiting_for("*/out/*")),
        change(w.RULE, "submissions-rule", eventPattern=waiting_for("*")),
        change(w.RULE, "datasets-rule", eventPattern=waiting_for("*/datasets/*")),
        change(w.ROLE_POLICY, "jobs-policy", policy=writing("arn:aws:s3:::jobs-bucket-1a2b3c4/*/in/*")),
    ),
    "announced_objects_reach_their_rule": (
        drop(w.NOTIFICATION, "data-notification"),
        change(w.NOTIFICATION, "jobs-notification", eventbridge=False),
        drop(w.TARGET, "datasets-target"),
    ),
    "targets_may_be_reached": (
        change(w.ROLE_POLICY, "datasets-policy", policy=statement(0, Action=["states:DescribeExecution"])),
        change(w.ROLE_POLICY, "retrain-breast_cancer-policy", policy=no_statement("states:StartExecution")),
        calls_on_time,
        change(w.QUEUE_POLICY, "jobs-queue-policy", policy=statement(0, Condition=OTHER_RULE)),
        change(w.QUEUE_POLICY, "jobs-queue-policy", policy=no_statement("sqs:SendMessage")),
    ),
    "what_cannot_be_handed_on_is_kept": (
        change(w.TARGET, "datasets-target", deadLetterConfig=ABSENT),
        change(w.QUEUE_POLICY, "submissions-dead-letters-policy", policy=statement(0, Condition=OTHER_RULE)),
        change(w.ROLE_POLICY, "retrain-breast_cancer-policy", policy=no_statement("sqs:SendMessage")),
        change(w.SCHEDULE, "retrain-breast_cancer-schedule", target=without("deadLetterConfig")),
    ),
    "deliveries_are_tried_again_for_a_while": (
        change(w.TARGET, "submissions-target", retryPolicy=ABSENT),
        change(w.SCHEDULE, "retrain-breast_cancer-schedule", target=without("retryPolicy")),
    ),
    "texts_hold_no_unresolved_output": (
        change(w.API, "api-http", description="Calling __str__ on an Output[T] is not supported."),
    ),
    "physical_names_are_left_to_pulumi": (change(w.API, "api-http", name="predictions"),),
}

ACCOUNT: Mapping[str, tuple[Break, ...]] = {
    "nothing_is_reserved_in_a_new_account": (
        change(w.FUNCTION, "predict-function", reservedConcurrentExecutions=1),
        lambda graph: _every(graph, w.FUNCTION, reservedConcurrentExecutions=13),
    ),
    "memory_is_what_a_new_account_has": (change(w.FUNCTION, "train-function", memorySize=3072),),
    "the_workflow_leaves_copies_to_others": (
        change(
            w.MACHINE,
            "training-machine",
            definition=rewritten(lambda definition: definition["States"]["experiments"].update(MaxConcurrency=10)),
        ),
    ),
}

WATCHED: Mapping[str, tuple[Break, ...]] = {
    "every_dead_letter_has_an_alarm": (
        drop(w.ALARM, "monitor-dead-letters-watch-on-time"),
        change(w.ALARM, "monitor-dead-letters-jobs", threshold=10),
        change(w.ALARM, "monitor-dead-letters-jobs", dimensions={"QueueName": "another"}),
    ),
    "alarms_read_what_is_written": (
        drop(w.LOG_FILTER, "monitor-drift-watch"),
        drop(w.LOG_FILTER, "monitor-latency-predict"),
        change(w.LOG_FILTER, "monitor-drift-watch", logGroupName="another"),
        change(w.ALARM, "monitor-drift", metricName="Drifted"),
    ),
    "who_is_told_is_told_by_alarms_alone": (
        drop(w.TOPIC_POLICY, "monitor-topic-policy"),
        change(w.TOPIC_POLICY, "monitor-topic-policy", policy=statement(0, Condition={})),
        change(
            w.TOPIC_POLICY,
            "monitor-topic-policy",
            policy=rewritten(lambda policy: policy.update(Statement=policy["Statement"][:1])),
        ),
        change(w.ALARM, "monitor-drift", alarmActions=[]),
        change(w.ALARM, "monitor-drift", okActions=ABSENT),
    ),
}

BROKEN: Mapping[str, tuple[Break, ...]] = {**DATA, **COMPUTE, **EDGES, **ACCOUNT, **WATCHED}


def _every(graph: Graph, type_: str, **changes: Any) -> Graph:
    for resource in graph.of(type_):
        graph = graph.mutated(type_, resource.name, **changes)
    return graph
