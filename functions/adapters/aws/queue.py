"""A batch of messages, each done by itself, answered so that only those that failed come again.

https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html: an answer that
names a failure wrongly makes the whole batch come again, and one that forgets it loses it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from functions.core.runtime.consumer import Delivery

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from functions.core.runtime.consumer import Consumer


class _Message(NamedTuple):
    identity: str
    body: Any
    delivery: int


def in_part(event: Mapping[str, Any], consumer: Consumer, seconds_left: Callable[[], float]) -> dict[str, Any]:
    """Hand every message to the consumer; those that it could not do are the failures.

    Raises, before anything is done, for an event in which a message could not be named: the
    whole of it comes again.
    """
    messages = [_message(record) for record in event["Records"]]
    failed = [
        message.identity
        for message in messages
        if not consumer.take(
            message.identity,
            message.body,
            new_object,
            Delivery(number=message.delivery, seconds_left=seconds_left),
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


def new_object(body: str) -> str:
    """The key in an "Object Created" event of EventBridge, which spells keys as they are, not as URLs do.

    Raises `ValueError` for any other message.
    """
    try:
        event = json.loads(body)
        kind, key = event["detail-type"], event["detail"]["object"]["key"]
    except (json.JSONDecodeError, KeyError, TypeError):
        raise ValueError("the message is no event of a store") from None
    if kind != "Object Created" or not isinstance(key, str):
        raise ValueError("the message is not about a new object")
    return key
