"""What must hold of every bucket, topic and subscription: from the whole graph to what is wrong, a sentence each."""

from __future__ import annotations

from typing import Any

from tests.graph import Graph, Resource
from tests.infra.gcp import whole as w

DAY = 24 * 3600
DISPOSABLE = frozenset({"code-bucket"})
"""What can be made again from the repository may be emptied."""


def buckets_are_not_public(graph: Graph) -> list[str]:
    return [
        f"{bucket.name}: can be opened to everyone"
        for bucket in graph.of(w.BUCKET)
        if bucket.inputs.get("publicAccessPrevention") != "enforced"
        or bucket.inputs.get("uniformBucketLevelAccess") is not True
    ]


def buckets_are_versioned(graph: Graph) -> list[str]:
    return [
        f"{bucket.name}: is not versioned"
        for bucket in graph.of(w.BUCKET)
        if bucket.inputs.get("versioning") != {"enabled": True}
    ]


def buckets_forget_what_nobody_needs(graph: Graph) -> list[str]:
    problems = []
    for bucket in graph.of(w.BUCKET):
        rules = [(rule["action"]["type"], rule["condition"]) for rule in bucket.inputs.get("lifecycleRules", [])]
        if not any(kind == "Delete" and _days(condition, "daysSinceNoncurrentTime") for kind, condition in rules):
            problems.append(f"{bucket.name}: old versions are kept for ever")
        if {_days(condition, "age") for kind, condition in rules if kind == "AbortIncompleteMultipartUpload"} != {7}:
            problems.append(f"{bucket.name}: unfinished uploads are not aborted after 7 days")
    return problems


def _days(condition: dict[str, Any], key: str) -> int:
    return condition.get(key, 0)


def buckets_with_data_are_not_emptied(graph: Graph) -> list[str]:
    return [
        f"{bucket.name}: is emptied when it is destroyed"
        for bucket in graph.of(w.BUCKET)
        if bucket.name not in DISPOSABLE and bucket.inputs.get("forceDestroy") is not False
    ]


def deleted_data_can_be_restored(graph: Graph) -> list[str]:
    return [
        f"{bucket.name}: what is deleted is gone at once"
        for bucket in graph.of(w.BUCKET)
        if bucket.protect and bucket.inputs.get("softDeletePolicy", {}).get("retentionDurationSeconds", 0) < 7 * DAY
    ]


def fed_functions_have_dead_letters(graph: Graph) -> list[str]:
    problems = []
    for subscription, _ in w.pushed(graph):
        policy = subscription.inputs.get("deadLetterPolicy", {})
        if w.by_output(graph, w.TOPIC, "id", policy.get("deadLetterTopic")) is None:
            problems.append(f"{subscription.name}: has no dead letters")
        elif not 5 <= policy.get("maxDeliveryAttempts", 0) <= 100:
            problems.append(f"{subscription.name}: {policy.get('maxDeliveryAttempts')} attempts are not 5 to 100")
    return problems


def dead_letters_can_be_forwarded(graph: Graph) -> list[str]:
    """The classic mistake: Pub/Sub's own account forwards them, and needs both grants."""
    problems = []
    for subscription, _ in w.pushed(graph):
        topic = subscription.inputs.get("deadLetterPolicy", {}).get("deadLetterTopic")
        own = subscription.outputs["id"]
        publish, read = "roles/pubsub.publisher", "roles/pubsub.subscriber"
        if topic and not (
            w.granted(graph, w.TOPIC_MEMBER, w.PUBSUB_AGENT, publish, topic=topic)
            and w.granted(graph, w.SUBSCRIPTION_MEMBER, w.PUBSUB_AGENT, read, subscription=own)
        ):
            problems.append(f"{subscription.name}: its dead letters cannot be forwarded")
    return problems


def dead_letters_wait_for_someone(graph: Graph) -> list[str]:
    topics = {resource.inputs.get("deadLetterPolicy", {}).get("deadLetterTopic") for resource, _ in w.pushed(graph)}
    retained = {
        resource.inputs["topic"]
        for resource in graph.of(w.SUBSCRIPTION)
        if _seconds(resource, "messageRetentionDuration") >= 14 * DAY
    }
    return [f"{topic}: its messages go nowhere" for topic in sorted(topics - retained - {None})]


def subscriptions_outlive_a_quiet_month(graph: Graph) -> list[str]:
    return [
        f"{resource.name}: expires when nothing happens"
        for resource in graph.of(w.SUBSCRIPTION)
        if resource.inputs.get("expirationPolicy") != {"ttl": ""}
    ]


def messages_stay_hidden_while_they_are_worked_on(graph: Graph) -> list[str]:
    return [
        f"{subscription.name}: {subscription.inputs.get('ackDeadlineSeconds')} seconds"
        for subscription, function in w.pushed(graph)
        if not w.service(function)["timeoutSeconds"] <= subscription.inputs.get("ackDeadlineSeconds", 10) <= 600
    ]


def failing_messages_come_back_ever_slower(graph: Graph) -> list[str]:
    return [
        f"{subscription.name}: comes back at once"
        for subscription, _ in w.pushed(graph)
        if not _pause(subscription, "minimumBackoff") < _pause(subscription, "maximumBackoff")
    ]


def _pause(subscription: Resource, key: str) -> int:
    return int(subscription.inputs.get("retryPolicy", {}).get(key, "0s").removesuffix("s"))


def announced_objects_are_kept_for_replay(graph: Graph) -> list[str]:
    problems = []
    for trigger in graph.of(w.TRIGGER):
        topic = w.by_output(graph, w.TOPIC, "id", trigger.inputs["transport"]["pubsub"]["topic"])
        if topic is None or _seconds(topic, "messageRetentionDuration") < 14 * DAY:
            problems.append(f"{trigger.name}: what it cannot deliver is lost after a day")
    return problems


def _seconds(resource: Resource, key: str) -> int:
    return int(resource.inputs.get(key, "0s").removesuffix("s"))


RULES = (
    buckets_are_not_public,
    buckets_are_versioned,
    buckets_forget_what_nobody_needs,
    buckets_with_data_are_not_emptied,
    deleted_data_can_be_restored,
    fed_functions_have_dead_letters,
    dead_letters_can_be_forwarded,
    dead_letters_wait_for_someone,
    subscriptions_outlive_a_quiet_month,
    messages_stay_hidden_while_they_are_worked_on,
    failing_messages_come_back_ever_slower,
    announced_objects_are_kept_for_replay,
)
