"""How each rule is broken in GCP's graph."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from infra.gcp import CLOUD
from tests.graph import ABSENT, Graph, rewritten
from tests.infra.facts import Breakage, Reader
from tests.infra.gcp import whole as w
from tests.infra.gcp.whole import (
    BUCKET,
    BUCKET_MEMBER,
    CONFIG,
    EXCLUSION,
    FUNCTION,
    INVOKER,
    LOGS,
    OBJECT,
    SINK,
    SUBSCRIPTION,
)
from tests.infra.gcp_facts import asks, read


def _in_service(name: str, **changes: Any) -> Breakage:
    return lambda graph: graph.mutated(FUNCTION, name, serviceConfig=lambda old: {**old, **changes})


def _in_document(change: Callable[[dict[str, Any]], object]) -> Breakage:
    def edit(documents: list[Any]) -> list[Any]:
        document = json.loads(base64.b64decode(documents[0]["document"]["contents"]))
        change(document)
        contents = base64.b64encode(json.dumps(document).encode()).decode()
        return [{"document": {"path": "openapi.json", "contents": contents}}]

    return lambda graph: graph.mutated(CONFIG, openapiDocuments=edit)


def _lifecycle(keep: Callable[[dict[str, Any]], bool]) -> Breakage:
    return lambda graph: graph.mutated(
        BUCKET, "data-bucket", lifecycleRules=lambda rules: [rule for rule in rules if keep(rule)]
    )


def _in_source(change: Callable[[dict[str, Any]], object]) -> Breakage:
    def edit(source: dict[str, Any]) -> None:
        change(source)

    return lambda graph: graph.mutated(w.WORKFLOW, sourceContents=rewritten(edit))


def _may_call_more(graph: Graph) -> Graph:
    model = graph.one(INVOKER, "training-invoker-predict")
    inputs = {**model.inputs, "name": graph.one(FUNCTION, "jobs-function").outputs["name"]}
    return graph.added(replace(model, name="training-invoker-jobs", urn=f"{model.urn}-jobs", inputs=inputs))


def _project_wide(graph: Graph) -> Graph:
    model = graph.one(BUCKET_MEMBER, "predict-read-data-a")
    inputs = {"role": "roles/run.invoker", "member": model.inputs["member"], "project": "test-project"}
    return graph.added(
        replace(
            model, type="gcp:projects/iAMMember:IAMMember", name="predict-all", urn=f"{model.urn}-all", inputs=inputs
        )
    )


def _at_once(graph: Graph) -> Graph:
    upload = next(resource for resource in graph if resource.component and resource.name == "publish")
    return graph.swapped(upload, replace(upload, dependencies=()))


def _before_its_store(graph: Graph) -> Graph:
    upload = graph.one(OBJECT, "publish-object")
    return graph.swapped(upload, replace(upload, dependencies=()))


def _comparing(topic: str, before: str, after: str) -> Breakage:
    """With another pattern in a topic's transform."""

    def edit(transforms: Any) -> Any:
        udf = transforms[0]["javascriptUdf"]
        return [{"javascriptUdf": {**udf, "code": udf["code"].replace(before, after)}}]

    return lambda graph: graph.mutated(w.TOPIC, topic, messageTransforms=edit)


BREAKAGES: dict[tuple[str, ...], tuple[Breakage, ...]] = {
    ("uploads_lie_where_they_were_asked_to",): (
        lambda graph: graph.mutated(OBJECT, "publish-object", name="a/out/model.onnx"),
        lambda graph: graph.mutated(OBJECT, "publish-object", bucket="code-bucket-1a2b3c4"),
    ),
    ("uploads_come_when_they_are_waited_for",): (_at_once, _before_its_store),
    ("stores_are_private",): (
        lambda graph: graph.mutated(BUCKET, "data-bucket", publicAccessPrevention="inherited"),
        lambda graph: graph.mutated(BUCKET, "code-bucket", uniformBucketLevelAccess=ABSENT),
    ),
    ("stores_keep_versions",): (lambda graph: graph.mutated(BUCKET, "data-bucket", versioning={"enabled": False}),),
    ("stores_tidy_up",): (
        _lifecycle(lambda rule: not asks(rule, "Delete", "ARCHIVED")),
        _lifecycle(lambda rule: not asks(rule, "AbortIncompleteMultipartUpload", None)),
    ),
    ("objects_expire_when_asked",): (_lifecycle(lambda rule: not asks(rule, "Delete", "LIVE")),),
    ("protection_is_honoured",): (
        lambda graph: graph.mutated(BUCKET, "data-bucket", forceDestroy=True),
        lambda graph: graph.swapped(
            graph.one(BUCKET, "data-bucket"), replace(graph.one(BUCKET, "data-bucket"), protect=False)
        ),
    ),
    ("failing_messages_become_dead_letters",): (
        lambda graph: graph.mutated(SUBSCRIPTION, "jobs-subscription", deadLetterPolicy=ABSENT),
        lambda graph: graph.without(w.TOPIC_MEMBER, "jobs-dead-letters-publisher"),
        lambda graph: graph.without(w.SUBSCRIPTION_MEMBER),
    ),
    ("dead_letters_wait_for_someone",): (
        lambda graph: graph.without(SUBSCRIPTION, "jobs-dead-letters-kept"),
        lambda graph: graph.mutated(SUBSCRIPTION, "jobs-dead-letters-kept", expirationPolicy=ABSENT),
        lambda graph: graph.mutated(SUBSCRIPTION, "jobs-dead-letters-kept", messageRetentionDuration="604800s"),
    ),
    ("messages_stay_hidden_while_worked_on",): (
        lambda graph: graph.mutated(SUBSCRIPTION, "jobs-subscription", ackDeadlineSeconds=89),
    ),
    ("each_function_has_an_identity_of_its_own", "functions_may_do_exactly_what_was_granted"): (
        _in_service("predict-function", serviceAccountEmail=None),
        _in_service(
            "predict-function", serviceAccountEmail="prepare-identity-1a2b3c4@test-project.iam.gserviceaccount.com"
        ),
    ),
    ("functions_may_do_exactly_what_was_granted",): (
        lambda graph: graph.without(BUCKET_MEMBER, "prepare-write-data-b"),
        lambda graph: graph.mutated(
            BUCKET_MEMBER,
            "predict-read-data-a",
            condition=lambda old: {**old, "expression": old["expression"].replace("a/in/", "a/")},
        ),
        lambda graph: graph.mutated(BUCKET_MEMBER, "predict-read-data-a", role="roles/storage.legacyBucketWriter"),
    ),
    ("nothing_is_allowed_without_bounds",): (
        lambda graph: graph.mutated(INVOKER, "api-invoker-model", member="allUsers"),
        lambda graph: graph.mutated(INVOKER, "api-invoker-model", role="roles/run.admin"),
        _project_wide,
        lambda graph: graph.mutated(w.PROJECT_MEMBER, "training-log-writer", role="roles/logging.admin"),
        lambda graph: graph.mutated(w.PROJECT_MEMBER, "training-log-writer", member="allAuthenticatedUsers"),
        lambda graph: graph.mutated(w.PROJECT_MEMBER, "training-log-writer", role="roles/eventarc.serviceAgent"),
        lambda graph: graph.mutated(w.PROJECT_MEMBER, "code-builder-sources", condition=ABSENT),
        lambda graph: graph.mutated(w.REPOSITORY_MEMBER, role="roles/artifactregistry.admin"),
    ),
    ("copies_are_bounded",): (
        _in_service("predict-function", maxInstanceCount=None),
        _in_service("predict-function", maxInstanceRequestConcurrency=80),
    ),
    ("size_and_time_are_as_asked",): (
        _in_service("predict-function", availableMemory="256Mi"),
        _in_service("jobs-function", timeoutSeconds=60),
    ),
    ("one_interpreter_for_all",): (
        lambda graph: graph.mutated(
            FUNCTION, "predict-function", buildConfig=lambda old: {**old, "runtime": "python311"}
        ),
    ),
    ("code_is_named_by_its_digest",): (
        lambda graph: graph.mutated(OBJECT, "predict-code", name="predict/newest.zip"),
        lambda graph: graph.mutated(
            FUNCTION,
            "predict-function",
            buildConfig=lambda old: {**old, "source": {"storageSource": {"object": "predict/newest.zip"}}},
        ),
    ),
    ("routes_are_authorised_or_say_why_not",): (
        _in_document(lambda document: document.pop("security")),
        _in_document(lambda document: document["paths"]["/predict"]["post"].update(security=[])),
        _in_document(lambda document: document["paths"].pop("/predict")),
    ),
    ("calls_are_throttled",): (
        _in_document(lambda document: document.pop("x-google-management")),
        _in_document(lambda document: document["paths"]["/predict"]["post"].pop("x-google-quota")),
        lambda graph: graph.without(w.SERVICE, "api-service"),
    ),
    ("the_api_waits_as_long_as_asked",): (
        _in_document(lambda document: document["paths"]["/predict"]["post"]["x-google-backend"].pop("deadline")),
    ),
    ("logs_are_kept_as_long_as_asked",): (
        lambda graph: graph.mutated(LOGS, "predict-logs", retentionDays=365),
        lambda graph: graph.without(SINK, "predict-logs-sink"),
        lambda graph: graph.without(EXCLUSION, "api-logs-exclusion"),
        lambda graph: graph.without(SINK, "training-logs-sink"),
    ),
    ("workflows_are_sound",): (
        _in_source(lambda source: source["main"]["steps"][1]["attempt"].pop("except")),
        _in_source(lambda source: source["begin_prepare"]["steps"][0]["patiently"].pop("retry")),
    ),
    ("workflows_may_call_exactly_what_they_call",): (
        lambda graph: graph.without(INVOKER, "training-invoker-prepare"),
        _may_call_more,
    ),
    ("workflows_outwait_their_functions",): (
        lambda graph: graph.mutated(
            w.WORKFLOW, sourceContents=lambda text: text.replace('"timeout":75', '"timeout":60')
        ),
    ),
    ("workflows_are_bounded",): (
        lambda graph: graph.mutated(w.WORKFLOW, sourceContents=lambda text: text.replace("+ 3600}", "+ 7200}", 1)),
        lambda graph: graph.mutated(
            w.WORKFLOW, sourceContents=lambda text: text.replace('"concurrency_limit":3', '"concurrency_limit":20')
        ),
    ),
    ("workflows_do_not_log_what_they_hand_over",): (
        lambda graph: graph.mutated(w.WORKFLOW, callLogLevel="LOG_ALL_CALLS"),
    ),
    ("arrivals_wait_where_they_were_asked_to",): (
        lambda graph: graph.mutated(w.NOTIFICATION, "datasets-notification", objectNamePrefix="a/"),
        lambda graph: graph.mutated(w.NOTIFICATION, "datasets-notification", eventTypes=ABSENT),
        lambda graph: graph.mutated(w.TOPIC, "jobs-topic", messageTransforms=ABSENT),
        _comparing("datasets-topic", "a|b", "a"),
        _comparing("jobs-topic", "jobs\\/", "jo"),
        _comparing("jobs-topic", "jobs\\/", ""),
        lambda graph: graph.mutated(w.TRIGGER, destination={"workflow": "another"}),
        lambda graph: graph.mutated(w.TRIGGER, transport={"pubsub": {"topic": "another"}}),
    ),
    ("schedules_are_as_asked",): (
        lambda graph: graph.mutated(w.JOB, schedule="0 4 * * 1"),
        lambda graph: graph.mutated(w.JOB, timeZone=ABSENT),
        lambda graph: graph.mutated(w.JOB, httpTarget=lambda old: {**old, "uri": f"{old['uri']}:cancel"}),
    ),
    ("triggers_may_reach_their_target",): (
        lambda graph: graph.without(w.TOPIC_MEMBER, "datasets-publisher"),
        lambda graph: graph.without(w.TOPIC_MEMBER, "submissions-publisher"),
        lambda graph: graph.without(w.PROJECT_MEMBER, "training-starter-invoker"),
        lambda graph: graph.mutated(w.TRIGGER, serviceAccount=ABSENT),
        lambda graph: graph.mutated(w.JOB, httpTarget=lambda old: {**old, "oauthToken": None}),
    ),
    ("triggers_try_again",): (
        lambda graph: graph.mutated(w.TOPIC, "datasets-topic", messageRetentionDuration=ABSENT),
        lambda graph: graph.mutated(w.JOB, retryConfig=ABSENT),
    ),
}


READER = Reader(
    cloud=CLOUD,
    read=read,
    upload=OBJECT,
    function=FUNCTION,
    breakages=BREAKAGES,
    unbreakable={
        "stores_are_encrypted": "Cloud Storage always encrypts your data on the server side, before it is written to "
        "disk, at no additional charge: https://cloud.google.com/storage/docs/encryption"
    },
)
