"""What must hold of every bucket and queue: from the whole graph to what is wrong, a sentence each."""

from __future__ import annotations

from tests.graph import Graph, Resource
from tests.infra.aws import whole as w

DEAD_LETTER_SECONDS = 1_209_600
UNRESERVED = 9
"""The most copies of a consumer for which nothing is reserved: one fewer than a new account has for everything."""
DISPOSABLE = frozenset({"code-bucket"})
"""What can be made again from the repository may be emptied."""


def buckets_are_not_public(graph: Graph) -> list[str]:
    flags = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
    return [
        f"{bucket.name}: public access is not blocked"
        for bucket in graph.of(w.BUCKET)
        if not any(all(m.inputs.get(f) is True for f in flags) for m in w.of_bucket(graph, w.PUBLIC_ACCESS, bucket))
    ]


def buckets_have_one_owner(graph: Graph) -> list[str]:
    return [
        f"{bucket.name}: objects may have other owners"
        for bucket in graph.of(w.BUCKET)
        if [resource.inputs["rule"] for resource in w.of_bucket(graph, w.OWNERSHIP, bucket)]
        != [{"objectOwnership": "BucketOwnerEnforced"}]
    ]


def buckets_are_encrypted(graph: Graph) -> list[str]:
    def encrypted(resource: Resource) -> bool:
        defaults = [rule["applyServerSideEncryptionByDefault"] for rule in resource.inputs["rules"]]
        return any(default["sseAlgorithm"] in ("AES256", "aws:kms") for default in defaults)

    return [
        f"{bucket.name}: is not encrypted"
        for bucket in graph.of(w.BUCKET)
        if not any(encrypted(resource) for resource in w.of_bucket(graph, w.ENCRYPTION, bucket))
    ]


def buckets_are_versioned(graph: Graph) -> list[str]:
    return [
        f"{bucket.name}: is not versioned"
        for bucket in graph.of(w.BUCKET)
        if [resource.inputs["versioningConfiguration"] for resource in w.of_bucket(graph, w.VERSIONING, bucket)]
        != [{"status": "Enabled"}]
    ]


def buckets_refuse_plain_http(graph: Graph) -> list[str]:
    problems = []
    for bucket in graph.of(w.BUCKET):
        policies = w.of_bucket(graph, w.BUCKET_POLICY, bucket)
        statements = [s for policy in policies for s in policy.document("policy")["Statement"]]
        arn = bucket.outputs["arn"]
        if not w.refuses_plain_http(statements, "s3:*", arn, f"{arn}/*"):
            problems.append(f"{bucket.name}: answers without TLS")
    return problems


def buckets_forget_what_nobody_needs(graph: Graph) -> list[str]:
    problems = []
    for bucket in graph.of(w.BUCKET):
        rules = [rule for resource in w.of_bucket(graph, w.LIFECYCLE, bucket) for rule in resource.inputs["rules"]]
        everywhere = [rule for rule in rules if rule["status"] == "Enabled" and rule["filter"] == {"prefix": ""}]
        if not any(rule.get("noncurrentVersionExpiration", {}).get("noncurrentDays") for rule in everywhere):
            problems.append(f"{bucket.name}: old versions are kept for ever")
        if {r["abortIncompleteMultipartUpload"]["daysAfterInitiation"] for r in everywhere if _aborts(r)} != {7}:
            problems.append(f"{bucket.name}: unfinished uploads are not aborted after 7 days")
    return problems


def _aborts(rule: dict[str, object]) -> bool:
    return "abortIncompleteMultipartUpload" in rule


def buckets_with_data_are_not_emptied(graph: Graph) -> list[str]:
    return [
        f"{bucket.name}: is emptied when it is destroyed"
        for bucket in graph.of(w.BUCKET)
        if bucket.name not in DISPOSABLE and bucket.inputs.get("forceDestroy") is not False
    ]


def queues_are_encrypted(graph: Graph) -> list[str]:
    return [
        f"{queue.name}: is not encrypted"
        for queue in graph.of(w.QUEUE)
        if queue.inputs.get("sqsManagedSseEnabled") is not True
    ]


def queues_refuse_plain_http(graph: Graph) -> list[str]:
    return [
        f"{queue.name}: answers without TLS"
        for queue in graph.of(w.QUEUE)
        if not w.refuses_plain_http(w.policy_of(graph, queue), "sqs:*", queue.outputs["arn"])
    ]


def _consumed(graph: Graph) -> list[tuple[Resource, Resource]]:
    """Return each queue that feeds a function, and the mapping."""
    pairs = []
    for mapping in graph.of(w.MAPPING):
        queue = w.by_output(graph, w.QUEUE, "arn", mapping.inputs["eventSourceArn"])
        assert queue is not None, f"{mapping.name} reads no queue of this graph"
        pairs.append((queue, mapping))
    return pairs


def consumed_queues_have_dead_letters(graph: Graph) -> list[str]:
    problems = []
    for queue, _ in _consumed(graph):
        redrive = queue.document("redrivePolicy") if "redrivePolicy" in queue.inputs else {}
        if w.by_output(graph, w.QUEUE, "arn", redrive.get("deadLetterTargetArn")) is None:
            problems.append(f"{queue.name}: has no dead letters")
        elif not 3 <= redrive["maxReceiveCount"] <= 10:
            problems.append(f"{queue.name}: {redrive['maxReceiveCount']} attempts are not 3 to 10")
    return problems


def dead_letters_are_kept_longest(graph: Graph) -> list[str]:
    return [
        f"{queue.name}: dead letters are kept for {queue.inputs.get('messageRetentionSeconds')} seconds"
        for queue in graph.of(w.QUEUE)
        if "redrivePolicy" not in queue.inputs and queue.inputs.get("messageRetentionSeconds") != DEAD_LETTER_SECONDS
    ]


def dead_letters_come_from_their_own_queue(graph: Graph) -> list[str]:
    problems = []
    for queue, _ in _consumed(graph):
        redrive = queue.document("redrivePolicy") if "redrivePolicy" in queue.inputs else {}
        target = w.by_output(graph, w.QUEUE, "arn", redrive.get("deadLetterTargetArn"))
        expected = {"redrivePermission": "byQueue", "sourceQueueArns": [queue.outputs["arn"]]}
        allowed = [
            resource.document("redriveAllowPolicy")
            for resource in graph.of(w.REDRIVE_ALLOW)
            if target is not None and resource.inputs["queueUrl"] == target.outputs["url"]
        ]
        if target is not None and allowed != [expected]:
            problems.append(f"{target.name}: takes dead letters of others")
    return problems


def messages_stay_hidden_while_they_are_worked_on(graph: Graph) -> list[str]:
    problems = []
    for queue, mapping in _consumed(graph):
        function = consumer(graph, mapping)
        minimum = 6 * function.inputs["timeout"] + mapping.inputs.get("maximumBatchingWindowInSeconds", 0)
        if queue.inputs.get("visibilityTimeoutSeconds", 30) < minimum:
            problems.append(f"{queue.name}: messages come back before {minimum} seconds")
    return problems


def one_bad_message_does_not_return_its_batch(graph: Graph) -> list[str]:
    return [
        f"{mapping.name}: the whole batch returns"
        for _, mapping in _consumed(graph)
        if mapping.inputs.get("functionResponseTypes") != ["ReportBatchItemFailures"]
    ]


def large_batches_have_a_window(graph: Graph) -> list[str]:
    return [
        f"{mapping.name}: a batch above 10 needs a window"
        for _, mapping in _consumed(graph)
        if mapping.inputs["batchSize"] > 10 and mapping.inputs.get("maximumBatchingWindowInSeconds", 0) < 1
    ]


def consumers_are_bounded(graph: Graph) -> list[str]:
    problems = []
    for _, mapping in _consumed(graph):
        maximum = mapping.inputs.get("scalingConfig", {}).get("maximumConcurrency", 0)
        if not 2 <= maximum <= consumer(graph, mapping).inputs.get("reservedConcurrentExecutions", UNRESERVED):
            problems.append(f"{mapping.name}: maximum concurrency is {maximum}")
    return problems


def consumer(graph: Graph, mapping: Resource) -> Resource:
    """Return the function behind a mapping, which may name the function, a version or an alias."""
    named = mapping.inputs["functionName"]
    functions = [
        f for f in graph.of(w.FUNCTION) if named == f.outputs["arn"] or named.startswith(f"{f.outputs['arn']}:")
    ]
    assert len(functions) == 1, f"{mapping.name} feeds no function of this graph"
    return functions[0]


RULES = (
    buckets_are_not_public,
    buckets_have_one_owner,
    buckets_are_encrypted,
    buckets_are_versioned,
    buckets_refuse_plain_http,
    buckets_forget_what_nobody_needs,
    buckets_with_data_are_not_emptied,
    queues_are_encrypted,
    queues_refuse_plain_http,
    consumed_queues_have_dead_letters,
    dead_letters_are_kept_longest,
    dead_letters_come_from_their_own_queue,
    messages_stay_hidden_while_they_are_worked_on,
    one_bad_message_does_not_return_its_batch,
    large_batches_have_a_window,
    consumers_are_bounded,
)
