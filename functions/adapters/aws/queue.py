"""Consume a batch of messages one by one, and answer so that only those that failed come again.

https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html: an answer that
names an unknown message makes the whole batch come again; one that leaves out a message that
failed loses it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from functions.adapters.aws.environment import called, composed, loaded
from functions.core.runtime.consumer import Delivery

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from functions.core.runtime.consumer import Consumer
    from functions.core.runtime.environment import Environment

    Entry = Callable[[Environment], Consumer[Any]]
    Handle = Callable[[dict[str, Any], Any], dict[str, Any]]

Content = TypeVar("Content")


def new_objects(entry: Entry) -> Handle:
    """Return the Lambda function that consumes events about new objects: the consumer gets the key of each."""
    return handler(entry, key_of)


def messages(entry: Entry) -> Handle:
    """Return the Lambda function that consumes messages: the consumer gets the JSON object that each holds."""
    return handler(entry, object_of)


def handler(entry: Entry, parse: Callable[[Any], Any]) -> Handle:
    """Return the Lambda function that consumes messages: the consumer gets what `parse` reads in the body of each."""

    def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
        return consume_batch(event, composed(entry), parse, lambda: context.get_remaining_time_in_millis() / 1000)

    loaded()
    return handle


class _Message(NamedTuple):
    identity: str
    body: Any
    delivery: int


def consume_batch(
    event: Mapping[str, Any],
    consumer: Consumer[Content],
    parse: Callable[[Any], Content],
    seconds_left: Callable[[], float],
) -> dict[str, Any]:
    """Pass every message to the consumer, its body read by `parse`; return the answer that names those that failed.

    Raise, before anything is done, for an event with a message that has no id: the whole batch comes
    again.
    """
    batch = [_message(record) for record in event["Records"]]
    _, cloud_id = called()
    failed = [
        message.identity
        for message in batch
        if not consumer.take(
            message.identity,
            message.body,
            parse,
            Delivery(number=message.delivery, seconds_left=seconds_left, cloud_id=cloud_id),
        )
    ]
    return {"batchItemFailures": [{"itemIdentifier": identity} for identity in failed]}


def _message(record: Mapping[str, Any]) -> _Message:
    identity = record["messageId"]
    if not isinstance(identity, str) or not identity:
        raise ValueError("a message of the batch has no id")
    try:
        delivery = int(record["attributes"]["ApproximateReceiveCount"])
    except (KeyError, TypeError, ValueError):
        delivery = 1
    return _Message(identity, record.get("body"), delivery)


def object_of(body: str) -> dict[str, Any]:
    """Return the JSON object in a message's body. Raise `ValueError` for any other body."""
    try:
        content = json.loads(body)
    except (TypeError, ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise ValueError("the message is not a JSON object")
    return content


def key_of(body: str) -> str:
    """Return the key in an "Object Created" event of EventBridge, which writes keys as they are, not as URLs do.

    Raise `ValueError` for any other message.
    """
    try:
        event = json.loads(body)
        kind, key = event["detail-type"], event["detail"]["object"]["key"]
    except (json.JSONDecodeError, KeyError, TypeError):
        raise ValueError("the message is no event of a store") from None
    if kind != "Object Created" or not isinstance(key, str):
        raise ValueError("the message is not about a new object")
    return key
