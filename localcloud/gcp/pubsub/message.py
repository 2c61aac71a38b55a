"""Messages, and their JSON in requests and responses."""

from __future__ import annotations

import base64
import datetime
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

MAX_ATTRIBUTES = 100
LONGEST_KEY = 256
LONGEST_VALUE = 1024
LARGEST = 10_000_000
"""The largest data, in bytes; the longest keys and values are in bytes, too. https://cloud.google.com/pubsub/quotas#resource_limits"""


@dataclass(frozen=True, kw_only=True)
class Message:
    """Data, attributes, or both. Publishing sets `id` and `published` (seconds since 1970)."""

    data: bytes = b""
    attributes: Mapping[str, str] = field(default_factory=dict)
    ordering_key: str = ""
    id: str = ""
    published: float = 0.0


def check(message: Message) -> None:
    """Raise `ValueError` for a message that Pub/Sub would refuse to publish."""
    if not message.data and not message.attributes:
        raise ValueError("a message needs data, or at least one attribute")
    if len(message.data) > LARGEST:
        raise ValueError(f"a message has {len(message.data)} bytes; accepted: {LARGEST}")
    if len(message.attributes) > MAX_ATTRIBUTES:
        raise ValueError(f"a message has {len(message.attributes)} attributes; accepted: {MAX_ATTRIBUTES}")
    for key, value in message.attributes.items():
        if not 1 <= len(key.encode()) <= LONGEST_KEY or key.startswith("goog"):
            raise ValueError(f"attribute {key!r}: a key has 1 to {LONGEST_KEY} bytes and does not begin with goog")
        if len(value.encode()) > LONGEST_VALUE:
            raise ValueError(f"attribute {key!r}: its value is longer than {LONGEST_VALUE} bytes")


def as_json(message: Message) -> dict[str, Any]:
    """Return the message as a `PubsubMessage`, without empty fields."""
    document: dict[str, Any] = {
        "data": base64.b64encode(message.data).decode(),
        "attributes": dict(message.attributes),
        "messageId": message.id,
        "publishTime": timestamp(message.published),
        "orderingKey": message.ordering_key,
    }
    return {key: value for key, value in document.items() if value}


def from_json(document: object) -> Message:
    """Parse a `PubsubMessage` of a publish request. Raises `ValueError` for another shape."""
    if not isinstance(document, dict):
        raise ValueError("the message is not a JSON object")
    data, attributes, key = (
        document.get("data") or "",
        document.get("attributes") or {},
        document.get("orderingKey") or "",
    )
    if not isinstance(attributes, dict) or not all(isinstance(value, str) for value in attributes.values()):
        raise ValueError("attributes: strings by name are accepted")
    if not isinstance(data, str) or not isinstance(key, str):
        raise ValueError("data is base64 text, orderingKey is text")
    return Message(data=base64.b64decode(data, validate=True), attributes=attributes, ordering_key=key)


def envelope(message: Message, subscription: str, attempt: int | None) -> bytes:
    """Return the body of a push request: https://cloud.google.com/pubsub/docs/push#receive_push.

    `attempt` is None for a subscription without a dead-letter policy, whose requests have no count.
    """
    document = as_json(message)
    document |= {"message_id": document["messageId"], "publish_time": document["publishTime"]}
    body: dict[str, Any] = {"message": document, "subscription": subscription}
    if attempt is not None:
        body["deliveryAttempt"] = attempt
    return json.dumps(body).encode()


def as_dead_letter(message: Message, subscription: str, attempts: int) -> Message:
    """Return the message with attributes that name its source: https://cloud.google.com/pubsub/docs/handling-failures."""
    _, project, _, name = subscription.split("/")
    origin = {
        "CloudPubSubDeadLetterSourceDeliveryCount": str(attempts),
        "CloudPubSubDeadLetterSourceSubscription": name,
        "CloudPubSubDeadLetterSourceSubscriptionProject": project,
        "CloudPubSubDeadLetterSourceTopicPublishTime": timestamp(message.published, "+00:00"),
    }
    return replace(message, attributes={**message.attributes, **origin})


def timestamp(seconds: float, suffix: str = "Z") -> str:
    """Format seconds since 1970 by RFC 3339, in UTC, to the millisecond."""
    moment = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}{suffix}"
