"""Queues."""

from __future__ import annotations

from typing import Any

from infra.local.aws.session import Session
from infra.local.hand import Hand, Made, Order
from infra.local.program import Registered

ATTRIBUTES = {
    "visibilityTimeoutSeconds": "VisibilityTimeout",
    "messageRetentionSeconds": "MessageRetentionPeriod",
    "maxMessageSize": "MaximumMessageSize",
    "delaySeconds": "DelaySeconds",
    "receiveWaitTimeSeconds": "ReceiveMessageWaitTimeSeconds",
    "policy": "Policy",
    "redrivePolicy": "RedrivePolicy",
    "redriveAllowPolicy": "RedriveAllowPolicy",
    "fifoQueue": "FifoQueue",
    "contentBasedDeduplication": "ContentBasedDeduplication",
    "sqsManagedSseEnabled": "SqsManagedSseEnabled",
    "kmsMasterKeyId": "KmsMasterKeyId",
}


def _attributes(order: Order) -> dict[str, str]:
    given = {theirs: order.inputs[ours] for ours, theirs in ATTRIBUTES.items() if order.inputs.get(ours) is not None}
    return {key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in given.items()}


def _queue(order: Order) -> Registered:
    name = order.name(limit=80, suffix=".fifo" if order.inputs.get("fifoQueue") else "")
    url = order.session.client("sqs").create_queue(QueueName=name, Attributes=_attributes(order))["QueueUrl"]
    return Registered(id=url, outputs={**order.inputs, "name": name, "url": url, "arn": order.session.arn("sqs", name)})


def _change_queue(order: Order, before: Made) -> Registered:
    changed = {key: value for key, value in _attributes(order).items() if key != "FifoQueue"}
    order.session.client("sqs").set_queue_attributes(QueueUrl=before.id, Attributes=changed)
    return Registered(id=before.id, outputs={**before.outputs, **order.inputs})


def _delete_queue(session: Session, made: Made) -> None:
    session.client("sqs").delete_queue(QueueUrl=made.id)


def _attached(source: str, attribute: str) -> Hand:
    """A resource that sets one attribute of a queue, and clears it again."""

    def write(order: Order) -> Registered:
        url = order.inputs["queueUrl"]
        order.session.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={attribute: order.inputs[source]})
        return Registered(id=url, outputs=order.inputs)

    def clear(session: Session, made: Made) -> None:
        session.client("sqs").set_queue_attributes(QueueUrl=made.id, Attributes={attribute: ""})

    def change(order: Order, _: Made) -> Registered:
        return write(order)

    return Hand(
        create=write,
        update=change,
        delete=clear,
        takes=frozenset({"queueUrl", source}),
        fixed=frozenset({"queueUrl"}),
    )


HANDS: dict[str, Any] = {
    "aws:sqs/queue:Queue": Hand(
        create=_queue,
        update=_change_queue,
        delete=_delete_queue,
        takes=frozenset({"name", "namePrefix", *ATTRIBUTES}),
        fixed=frozenset({"name", "namePrefix", "fifoQueue"}),
    ),
    "aws:sqs/queuePolicy:QueuePolicy": _attached("policy", "Policy"),
    "aws:sqs/redrivePolicy:RedrivePolicy": _attached("redrivePolicy", "RedrivePolicy"),
    "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy": _attached("redriveAllowPolicy", "RedriveAllowPolicy"),
}
