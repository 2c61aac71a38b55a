"""Queues, and the functions that consume them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localcloud.aws.api_parameters import pascal, select
from localcloud.aws.existence import asks, identity, reads_policy
from localcloud.aws.session import Session
from localcloud.engine.program import Registered
from localcloud.engine.resource_handler import Order, Resource, ResourceHandler

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
MAPPING = (
    "eventSourceArn",
    "batchSize",
    "enabled",
    "maximumBatchingWindowInSeconds",
    "functionResponseTypes",
)


def _attributes(order: Order) -> dict[str, str]:
    attributes = select(order.inputs, ATTRIBUTES)
    return {key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in attributes.items()}


def _queue(order: Order) -> Registered:
    name = order.name(limit=80, suffix=".fifo" if order.inputs.get("fifoQueue") else "")
    url = order.session.client("sqs").create_queue(QueueName=name, Attributes=_attributes(order))["QueueUrl"]
    return Registered(id=url, outputs={**order.inputs, "name": name, "url": url, "arn": order.session.arn("sqs", name)})


def _change_queue(order: Order, before: Resource) -> Registered:
    changed = {key: value for key, value in _attributes(order).items() if key != "FifoQueue"}
    order.session.client("sqs").set_queue_attributes(QueueUrl=before.id, Attributes=changed)
    return Registered(id=before.id, outputs={**before.outputs, **order.inputs})


def _delete_queue(session: Session, resource: Resource) -> None:
    session.client("sqs").delete_queue(QueueUrl=resource.id)


def _attached(source: str, attribute: str) -> ResourceHandler:
    """Return the handler of a resource that sets one attribute of a queue, and clears it when it is deleted."""

    def write(order: Order) -> Registered:
        url = order.inputs["queueUrl"]
        order.session.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={attribute: order.inputs[source]})
        return Registered(id=url, outputs=order.inputs)

    def clear(session: Session, resource: Resource) -> None:
        session.client("sqs").set_queue_attributes(QueueUrl=resource.id, Attributes={attribute: ""})

    def change(order: Order, _: Resource) -> Registered:
        return write(order)

    asked = {"QueueUrl": identity, "AttributeNames": lambda _: [attribute]}

    def is_set(answer: Mapping[str, Any], _: Resource) -> bool:
        return bool(answer.get("Attributes", {}).get(attribute))

    return ResourceHandler(
        create=write,
        update=change,
        delete=clear,
        exists=asks("sqs", "get_queue_attributes", asked, has=is_set),
        reads=reads_policy("sqs", "get_queue_attributes", asked, lambda answer: answer["Attributes"][attribute])
        if source == "policy"
        else None,
        takes=frozenset({"queueUrl", source}),
        fixed=frozenset({"queueUrl"}),
    )


def _mapping(order: Order) -> Registered:
    response = order.session.client("lambda").create_event_source_mapping(
        FunctionName=order.inputs["functionName"], **select(order.inputs, MAPPING), **_scaling(order)
    )
    return _mapped(order, response)


def _change_mapping(order: Order, before: Resource) -> Registered:
    changed = {key: value for key, value in select(order.inputs, MAPPING).items() if key != "EventSourceArn"}
    response = order.session.client("lambda").update_event_source_mapping(
        UUID=before.id, FunctionName=order.inputs["functionName"], **changed, **_scaling(order)
    )
    return _mapped(order, response)


def _scaling(order: Order) -> dict[str, Any]:
    nested = select(order.inputs, ("scalingConfig", "destinationConfig", "filterCriteria"))
    return {key: pascal(value) for key, value in nested.items()}


def _mapped(order: Order, response: dict[str, Any]) -> Registered:
    return Registered(
        id=response["UUID"],
        outputs={
            **order.inputs,
            "uuid": response["UUID"],
            "functionArn": response["FunctionArn"],
            "state": response["State"],
        },
    )


def _delete_mapping(session: Session, resource: Resource) -> None:
    session.client("lambda").delete_event_source_mapping(UUID=resource.id)


HANDLERS: dict[str, Any] = {
    "aws:sqs/queue:Queue": ResourceHandler(
        create=_queue,
        update=_change_queue,
        delete=_delete_queue,
        exists=asks("sqs", "get_queue_attributes", {"QueueUrl": identity}),
        takes=frozenset({"name", "namePrefix", *ATTRIBUTES}),
        fixed=frozenset({"name", "namePrefix", "fifoQueue"}),
    ),
    "aws:sqs/queuePolicy:QueuePolicy": _attached("policy", "Policy"),
    "aws:sqs/redrivePolicy:RedrivePolicy": _attached("redrivePolicy", "RedrivePolicy"),
    "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy": _attached("redriveAllowPolicy", "RedriveAllowPolicy"),
    "aws:lambda/eventSourceMapping:EventSourceMapping": ResourceHandler(
        create=_mapping,
        update=_change_mapping,
        delete=_delete_mapping,
        exists=asks("lambda", "get_event_source_mapping", {"UUID": identity}),
        takes=frozenset({"functionName", "scalingConfig", "destinationConfig", "filterCriteria", *MAPPING}),
        fixed=frozenset({"eventSourceArn"}),
    ),
}
