"""GCP's graph in words of no cloud."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from infra.gcp import lint
from infra.gcp.access import SIGNER, UNSCOPABLE
from infra.gcp.builder import VIEWER, WRITER
from infra.gcp.project import AGENTS, agent_role
from localcloud.gcp.iam.condition import RequestAttributes, condition
from tests.graph import Graph, Resource
from tests.infra import sample
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
from tests.infra.gcp import whole as w
from tests.infra.gcp.whole import BUCKET, BUCKET_MEMBER, CONFIG, EXCLUSION, FUNCTION, LOGS, OBJECT, SINK, SUBSCRIPTION

ACCESS = {"roles/storage.objectViewer": "get", "roles/storage.legacyBucketWriter": "put"}
NARROW = {*ACCESS, WRITER, "roles/run.invoker", "roles/pubsub.publisher", "roles/pubsub.subscriber", SIGNER}
"""The only roles that may be granted; none of them may administer anything."""


def read(graph: Graph, probes: Sequence[str] = sample.PROBES) -> Facts:
    return Facts(
        stores=tuple(_store(graph, resource) for resource in components(graph, "Store")),
        queues=tuple(_queue(graph, resource) for resource in components(graph, "Queue")),
        functions=tuple(_function(graph, resource) for resource in components(graph, "Function")),
        apis=tuple(_api(graph, resource) for resource in components(graph, "Api")),
        workflows=tuple(_workflow(graph, resource) for resource in components(graph, "Workflow")),
        arrivals=tuple(_arrival(graph, resource, probes) for resource in components(graph, "Arrival")),
        schedules=tuple(_schedule(graph, resource) for resource in components(graph, "Schedule")),
        uploads=tuple(upload(graph, resource, OBJECT, "name") for resource in components(graph, "Upload")),
        permissions=frozenset(_permissions(graph, probes)),
        boundless=tuple(reason for resource in graph for reason in _boundless(resource)),
    )


def _store(graph: Graph, component: Resource) -> StoreFacts:
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
        noncurrent_days=noncurrent[0] if noncurrent else None,
        upload_days=uploads[0] if uploads else None,
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


def _queue(graph: Graph, component: Resource) -> QueueFacts:
    topics = {f"projects/test-project/topics/{resource.name}-1a2b3c4": resource for resource in graph.inside(component)}
    fed = [
        resource
        for resource in graph.of(SUBSCRIPTION)
        if resource.inputs["topic"] in topics and "pushConfig" in resource.inputs
    ]
    policy = first(fed, "deadLetterPolicy")
    # Pub/Sub's own account forwards dead letters, and needs a grant at both ends.
    forwarded = {
        value(resource.inputs, "topic") or value(resource.inputs, "subscription")
        for resource in graph
        if resource.inputs.get("role") in ("roles/pubsub.publisher", "roles/pubsub.subscriber")
        and str(resource.inputs.get("member")).endswith("@gcp-sa-pubsub.iam.gserviceaccount.com")
    }
    ends = {value(policy or {}, "deadLetterTopic"), _path(fed[0]) if fed else None}
    retentions = [
        int(str(resource.inputs.get("messageRetentionDuration", "0s")).removesuffix("s"))
        for resource in graph.of(SUBSCRIPTION)
        if resource.inputs["topic"] == value(policy or {}, "deadLetterTopic")
        and value(resource.inputs, "expirationPolicy", "ttl") == ""
    ]
    return QueueFacts(
        name=component.name,
        attempts=value(policy or {}, "maxDeliveryAttempts") if ends <= forwarded else None,
        dead_letter_seconds=max(retentions, default=0) if policy else 14 * 24 * 3600,
        hidden_seconds=int(first(fed, "ackDeadlineSeconds") or 0),
    )


def _path(subscription: Resource) -> str:
    return f"projects/test-project/subscriptions/{subscription.outputs['name']}"


def _function(graph: Graph, component: Resource) -> FunctionFacts:
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
        ref=function.outputs["serviceConfig"]["uri"],
        code=value(function.inputs, "buildConfig", "source", "storageSource", "object"),
        uploads=tuple(resource.inputs["name"] for resource in within(graph, component, OBJECT)),
        log_days=_log_days(graph, component, function.outputs["name"]),
    )


def _log_days(graph: Graph, component: Resource, name: str) -> int | None:
    """Return the days of a log that is routed to a bucket of its own, and excluded elsewhere; None of any other."""
    lines = {first(within(graph, component, kind), "filter") for kind in (SINK, EXCLUSION)}
    bucket = within(graph, component, LOGS)
    target = str(first(within(graph, component, SINK), "destination"))
    if len(lines) == 1 and f'"{name}"' in str(lines.pop()) and bucket and target.endswith(bucket[0].outputs["name"]):
        return bucket[0].inputs.get("retentionDays")
    return None


def _api(graph: Graph, component: Resource) -> ApiFacts:
    (config,) = within(graph, component, CONFIG)
    document = w.openapi(config)
    operations = dict(w.operations(config))
    deadlines = {value(operation, "x-google-backend", "deadline") for operation in operations.values()}
    quota = value(document, "x-google-management", "quota", "limits", 0, "values", "STANDARD")
    counted = all(value(operation, "x-google-quota", "metricCosts") for operation in operations.values())
    (gateway,) = within(graph, component, w.GATEWAY)
    enabled = {resource.inputs["service"] for resource in graph.of(w.SERVICE)}
    counted = counted and all(api.outputs["managedService"] in enabled for api in within(graph, component, w.API))
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


def _workflow(graph: Graph, component: Resource) -> WorkflowFacts:
    (workflow,) = within(graph, component, w.WORKFLOW)
    source = workflow.document("sourceContents")
    called: dict[str, int] = {}
    for post in w.posts(source):
        called[post["url"]] = min(called.get(post["url"], 10**6), post.get("timeout", 10**6))
    uris = {resource.outputs["name"]: resource.outputs["serviceConfig"]["uri"] for resource in graph.of(FUNCTION)}
    begin = {key: value for entry in source["main"]["steps"][0]["begin"]["assign"] for key, value in entry.items()}
    limits = re.findall(r'"concurrency_limit": (\d+)', json.dumps(source))
    return WorkflowFacts(
        name=component.name,
        problems=tuple(lint.problems(source)),
        call_seconds=called,
        may_call=frozenset(uris[name] for name in w.may_call(graph, workflow.inputs.get("serviceAccount"))),
        seconds=int(re.sub(r"\D", "", begin.get("deadline", "0"))),
        parallelism=int(limits[0]) if len(limits) == 1 else None,
        log_days=_log_days(graph, component, workflow.outputs["name"]),
        logs_data=workflow.inputs.get("callLogLevel") == "LOG_ALL_CALLS",
    )


def _arrival(graph: Graph, component: Resource, probes: Sequence[str]) -> TriggerFacts:
    notifications = within(graph, component, w.NOTIFICATION)
    (topic,) = {resource.inputs["topic"] for resource in notifications}
    trigger = within(graph, component, w.TRIGGER)
    announced = w.granted(graph, w.TOPIC_MEMBER, w.STORAGE_AGENT, "roles/pubsub.publisher", topic=topic)
    starts = not trigger or _may_start(graph, first(trigger, "serviceAccount"))
    return TriggerFacts(
        name=component.name,
        on=tuple(
            f"{resource.inputs['bucket']}/{key}"
            for resource in notifications
            if resource.inputs.get("eventTypes") == ["OBJECT_FINALIZE"]
            for key in probes
            if w.announced(graph, resource, key)
        ),
        target=first(trigger, "destination", "workflow")
        if first(trigger, "transport", "pubsub", "topic") == topic
        else topic,
        input="",
        allowed=announced and starts,
        # Pub/Sub and Eventarc try for a day by themselves; what is not delivered is kept.
        retried=not trigger or bool(first(within(graph, component, w.TOPIC), "messageRetentionDuration")),
    )


def _may_start(graph: Graph, account: object) -> bool:
    return w.granted(graph, w.PROJECT_MEMBER, w.member(account), "roles/workflows.invoker")


def _schedule(graph: Graph, component: Resource) -> TriggerFacts:
    (job,) = within(graph, component, w.JOB)
    target = job.inputs["httpTarget"]
    minute, hour, day, _month, weekday = job.inputs["schedule"].split()
    body = base64.b64decode(target["body"]).decode()
    if "oidcToken" in target:
        function = w.at(graph, target["uri"])
        may_call = w.may_call(graph, target["oidcToken"].get("serviceAccountEmail"))
        started, argument = target["uri"], body
        allowed = function is not None and function.outputs["name"] in may_call
    else:
        uri = re.fullmatch(r"https://workflowexecutions\.googleapis\.com/v1/(.*)/executions", target["uri"])
        started, argument = uri[1] if uri else target["uri"], json.loads(body)["argument"]
        allowed = _may_start(graph, value(target, "oauthToken", "serviceAccountEmail"))
    return TriggerFacts(
        name=component.name,
        on=(minute, hour, day, weekday) if job.inputs.get("timeZone") == "Etc/UTC" else (),
        target=started,
        input=argument,
        allowed=allowed,
        retried=bool(value(job.inputs, "retryConfig", "retryCount")),
    )


def _permissions(graph: Graph, probes: Sequence[str]) -> list[Permission]:
    names = {resource.inputs["serviceConfig"].get("serviceAccountEmail"): resource for resource in graph.of(FUNCTION)}
    permissions = []
    for resource in graph.of(BUCKET_MEMBER):
        function = names.get(str(resource.inputs["member"]).removeprefix("serviceAccount:"))
        owner = graph.owner(function) if function else None
        for access, key in _allowed(resource, probes):
            permissions.append(
                Permission(
                    function=owner.name if owner else resource.inputs["member"],
                    access=access,
                    bucket=resource.inputs["bucket"],
                    key=key,
                )
            )
    return permissions


def _allowed(binding: Resource, probes: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield what a binding allows with each probe, as its condition decides."""
    expression, bucket = (
        value(binding.inputs, "condition", "expression"),
        f"projects/_/buckets/{binding.inputs['bucket']}",
    )
    holds = condition(expression) if expression else lambda _: True
    access = ACCESS.get(binding.inputs["role"], binding.inputs["role"])
    for key in probes:
        folder = key.rpartition("/")[0] + "/" if "/" in key else ""
        if holds(RequestAttributes(name=f"{bucket}/objects/{key}")):
            yield access, key
        if access == "get" and holds(RequestAttributes(name=bucket, list_prefix=folder)):
            yield "list", key


def _may_be_wide(grant: Resource) -> bool:
    """Return whether a grant on the project is one of those that cannot be narrower."""
    role, member = grant.inputs["role"], str(grant.inputs.get("member"))
    if role in map(agent_role, AGENTS):
        return member in map(w.agent_member, AGENTS)
    return role in UNSCOPABLE or (role == VIEWER and w.reads_sources_alone(grant))


def _boundless(resource: Resource) -> list[str]:
    role, member = resource.inputs.get("role"), resource.inputs.get("member")
    if role is None:
        return []
    reasons = []
    wide = resource.type.startswith(("gcp:projects/", "gcp:organizations/", "gcp:folder/"))
    if wide and (resource.type != w.PROJECT_MEMBER or not _may_be_wide(resource)):
        reasons.append(f"{resource.name}: more than one resource")
    if not re.fullmatch(r"serviceAccount:[^*]+", str(member)):
        reasons.append(f"{resource.name}: {member}")
    if role not in NARROW and not wide:
        reasons.append(f"{resource.name}: {role}")
    if role == SIGNER and not str(member).endswith(str(resource.inputs.get("serviceAccountId")).rpartition("/")[2]):
        reasons.append(f"{resource.name}: signs as another")
    if resource.type == BUCKET_MEMBER and not value(resource.inputs, "condition", "expression"):
        reasons.append(f"{resource.name}: every object")
    return reasons
