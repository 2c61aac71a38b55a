"""A batch of messages, each done by itself, answered so that only those that failed come again.

https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html: an answer that
names a failure wrongly makes the whole batch come again, and one that forgets it loses it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from functions.core.consumer import Consumer


def in_part(event: Mapping[str, Any], consumer: Consumer) -> dict[str, Any]:
    """Hand every message to the consumer; those that it could not do are the failures.

    Raises `KeyError` for an event that is no batch: the whole of it comes again.
    """
    messages = [(record["messageId"], record["body"]) for record in event["Records"]]
    failed = [identity for identity, body in messages if not consumer.take(identity, body, new_object)]
    return {"batchItemFailures": [{"itemIdentifier": identity} for identity in failed]}


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
