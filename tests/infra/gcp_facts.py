"""GCP's graph in words that belong to no cloud."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from typing import Any

from tests.graph import Graph, Made
from tests.infra.facts import (
    ApiFacts,
    Facts,
    FunctionFacts,
    Permission,
    QueueFacts,
    StoreFacts,
    components,
    first,
    value,
    within,
)

BUCKET = "gcp:storage/bucket:Bucket"
OBJECT = "gcp:storage/bucketObject:BucketObject"
BUCKET_MEMBER = "gcp:storage/bucketIAMMember:BucketIAMMember"
FUNCTION = "gcp:cloudfunctionsv2/function:Function"
SUBSCRIPTION = "gcp:pubsub/subscription:Subscription"
CONFIG = "gcp:apigateway/apiConfig:ApiConfig"
LOGS = "gcp:logging/projectBucketConfig:ProjectBucketConfig"
SINK = "gcp:logging/projectSink:ProjectSink"
EXCLUSION = "gcp:logging/projectExclusion:ProjectExclusion"
INVOKER = "gcp:cloudrunv2/serviceIamMember:ServiceIamMember"

ACCESS = {"roles/storage.objectViewer": "read", "roles/storage.legacyBucketWriter": "write"}
NARROW = {*ACCESS, "roles/run.invoker", "roles/pubsub.publisher", "roles/pubsub.subscriber"}
"""The only roles there may be; none of them may administer anything."""
OBJECTS = re.compile(r'resource\.name\.startsWith\("projects/_/buckets/([^/]+)/objects/([^"]*)"\)')


def read(graph: Graph) -> Facts:
    return Facts(
        stores=tuple(_store(graph, made) for made in components(graph, "Store")),
        queues=tuple(_queue(graph, made) for made in components(graph, "Queue")),
        functions=tuple(_function(graph, made) for made in components(graph, "Function")),
        apis=tuple(_api(graph, made) for made in components(graph, "Api")),
        permissions=frozenset(_permissions(graph)),
        boundless=tuple(reason for made in graph for reason in _boundless(made)),
    )


def _store(graph: Graph, component: Made) -> StoreFacts:
    (bucket,) = within(graph, component, BUCKET)
    rules = bucket.inputs.get("lifecycleRules") or []
    noncurrent = [_days(rule, "daysSinceNoncurrentTime") for rule in rules if asks(rule, "Delete", "ARCHIVED")]
    uploads = [_days(rule, "age") for rule in rules if asks(rule, "AbortIncompleteMultipartUpload", None)]
    return StoreFacts(
        name=component.name,
        private=bucket.inputs.get("publicAccessPrevention") == "enforced"
        and bucket.inputs.get("uniformBucketLevelAccess") is True,
        encrypted=True,
        versioned=value(bucket.inputs, "versioning", "enabled") is True,
        noncurrent_days=value({"found": noncurrent}, "found", 0),
        upload_days=value({"found": uploads}, "found", 0),
        expiry={
            prefix: _days(rule, "age") or 0
            for rule in rules
            if asks(rule, "Delete", "LIVE")
            for prefix in value(rule, "condition", "matchesPrefixes") or [""]
        },
        protected=bucket.protect,
        emptied_on_destroy=bucket.inputs.get("forceDestroy") is True,
    )


def _days(rule: Mapping[str, Any], kind: str) -> int | None:
    return value(rule, "condition", kind)


def asks(rule: Mapping[str, Any], action: str, state: str | None) -> bool:
    return value(rule, "action", "type") == action and value(rule, "condition", "withState") == state


def _queue(graph: Graph, component: Made) -> QueueFacts:
    topics = {f"projects/test-project/topics/{made.name}-1a2b3c4": made for made in graph.inside(component)}
    fed = [made for made in graph.of(SUBSCRIPTION) if made.inputs["topic"] in topics and "pushConfig" in made.inputs]
    policy = first(fed, "deadLetterPolicy")
    # The dead are forwarded by Pub/Sub's own account, which must be let in at both ends.
    forwarded = {
        value(made.inputs, "topic") or value(made.inputs, "subscription")
        for made in graph
        if made.inputs.get("role") in ("roles/pubsub.publisher", "roles/pubsub.subscriber")
        and str(made.inputs.get("member")).endswith("@gcp-sa-pubsub.iam.gserviceaccount.com")
    }
    ends = {value(policy or {}, "deadLetterTopic"), _path(fed[0]) if fed else None}
    kept = [
        int(str(made.inputs.get("messageRetentionDuration", "0s")).removesuffix("s"))
        for made in graph.of(SUBSCRIPTION)
        if made.inputs["topic"] == value(policy or {}, "deadLetterTopic")
        and value(made.inputs, "expirationPolicy", "ttl") == ""
    ]
    return QueueFacts(
        name=component.name,
        attempts=value(policy or {}, "maxDeliveryAttempts") if ends <= forwarded else None,
        dead_letter_seconds=max(kept, default=0) if policy else 14 * 24 * 3600,
        hidden_seconds=int(first(fed, "ackDeadlineSeconds") or 0),
    )


def _path(subscription: Made) -> str:
    return f"projects/test-project/subscriptions/{subscription.outputs['name']}"


def _function(graph: Graph, component: Made) -> FunctionFacts:
    (function,) = within(graph, component, FUNCTION)
    service = function.inputs["serviceConfig"]
    copies = service.get("maxInstanceCount")
    return FunctionFacts(
        name=component.name,
        identity=service.get("serviceAccountEmail"),
        concurrency=copies and copies * service.get("maxInstanceRequestConcurrency", 80),
        timeout_seconds=service.get("timeoutSeconds", 60),
        memory_mb=int(service.get("availableMemory", "256Mi").removesuffix("Mi")),
        runtime=function.inputs["buildConfig"]["runtime"],
        code=value(function.inputs, "buildConfig", "source", "storageSource", "object"),
        uploads=tuple(made.inputs["name"] for made in within(graph, component, OBJECT)),
        log_days=_log_days(graph, component, function.outputs["name"]),
    )


def _log_days(graph: Graph, component: Made, name: str) -> int | None:
    """Only what is routed to a bucket of its own, and excluded elsewhere, is kept for another time."""
    lines = {first(within(graph, component, kind), "filter") for kind in (SINK, EXCLUSION)}
    bucket = within(graph, component, LOGS)
    target = str(first(within(graph, component, SINK), "destination"))
    if len(lines) == 1 and f'"{name}"' in str(lines.pop()) and bucket and target.endswith(bucket[0].outputs["name"]):
        return bucket[0].inputs.get("retentionDays")
    return None


def _api(graph: Graph, component: Made) -> ApiFacts:
    (config,) = within(graph, component, CONFIG)
    document = json.loads(base64.b64decode(config.inputs["openapiDocuments"][0]["document"]["contents"]))
    operations = {
        f"{method.upper()} {path}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }
    deadlines = {value(operation, "x-google-backend", "deadline") for operation in operations.values()}
    quota = value(document, "x-google-management", "quota", "limits", 0, "values", "STANDARD")
    counted = all(value(operation, "x-google-quota", "metricCosts") for operation in operations.values())
    (gateway,) = within(graph, component, "gcp:apigateway/gateway:Gateway")
    return ApiFacts(
        authorised={
            route: bool(operation.get("security", document.get("security")) and document.get("securityDefinitions"))
            for route, operation in operations.items()
        },
        description=document["info"]["description"],
        requests_a_second=quota / 60 if quota and counted else None,
        timeout_seconds=deadlines.pop() if len(deadlines) == 1 else None,
        log_days=_log_days(graph, component, gateway.inputs["gatewayId"]),
    )


def _permissions(graph: Graph) -> list[Permission]:
    names = {made.inputs["serviceConfig"].get("serviceAccountEmail"): made for made in graph.of(FUNCTION)}
    found = []
    for made in graph.of(BUCKET_MEMBER):
        function = names.get(str(made.inputs["member"]).removeprefix("serviceAccount:"))
        owner = graph.owner(function) if function else None
        for bucket, prefix in OBJECTS.findall(value(made.inputs, "condition", "expression") or ""):
            found.append(
                Permission(
                    function=owner.name if owner else made.inputs["member"],
                    access=ACCESS.get(made.inputs["role"], made.inputs["role"]),
                    bucket=bucket if bucket == made.inputs["bucket"] else "another",
                    prefix=prefix,
                )
            )
    return found


def _boundless(made: Made) -> list[str]:
    role, member = made.inputs.get("role"), made.inputs.get("member")
    if role is None:
        return []
    found = []
    if made.type.startswith(("gcp:projects/", "gcp:organizations/", "gcp:folder/")):
        found.append(f"{made.name}: more than one resource")
    if not re.fullmatch(r"serviceAccount:[^*]+", str(member)):
        found.append(f"{made.name}: {member}")
    if role not in NARROW:
        found.append(f"{made.name}: {role}")
    if made.type == BUCKET_MEMBER and not value(made.inputs, "condition", "expression"):
        found.append(f"{made.name}: every object")
    return found
