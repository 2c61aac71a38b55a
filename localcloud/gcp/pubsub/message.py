"""Messages, as a publisher gives them and as Pub/Sub writes them in JSON."""

from __future__ import annotations

import base64
import datetime
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

MOST_ATTRIBUTES = 100
LONGEST_KEY = 256
LONGEST_VALUE = 1024
LARGEST = 10_000_000
"""Bytes. https://cloud.google.com/pubsub/quotas#resource_limits"""


@dataclass(frozen=True, kw_only=True)
class Message:
    """Data, attributes, or both. `id` and `published` (seconds since 1970) are set when it is published."""

    data: bytes = b""
    attributes: Mapping[str, str] = field(default_factory=dict)
    ordering_key: str = ""
    id: str = ""
    published: float = 0.0


def check(message: Message) -> None:
    """Raises `ValueError` for what Pub/Sub would not take from a publisher."""
    if not message.data and not message.attributes:
        raise ValueError("a message needs data, or at least one attribute")
    if len(message.data) > LARGEST:
        raise ValueError(f"a message has {len(message.data)} bytes; accepted: {LARGEST}")
    if len(message.attributes) > MOST_ATTRIBUTES:
        raise ValueError(f"a message has {len(message.attributes)} attributes; accepted: {MOST_ATTRIBUTES}")
    for key, value in message.attributes.items():
        if not 1 <= len(key.encode()) <= LONGEST_KEY or key.startswith("goog"):
            raise ValueError(f"attribute {key!r}: a key has 1 to {LONGEST_KEY} bytes and does not begin with goog")
        if len(value.encode()) > LONGEST_VALUE:
            raise ValueError(f"attribute {key!r}: its value is longer than {LONGEST_VALUE} bytes")


def as_json(message: Message) -> dict[str, Any]:
    """A `PubsubMessage`; what is empty is left out."""
    written: dict[str, Any] = {
        "data": base64.b64encode(message.data).decode(),
        "attributes": dict(message.attributes),
        "messageId": message.id,
        "publishTime": timestamp(message.published),
        "orderingKey": message.ordering_key,
    }
    return {key: value for key, value in written.items() if value}


def from_json(given: object) -> Message:
    """What a publisher sends. Raises `ValueError` for another shape."""
    if not isinstance(given, dict):
        raise ValueError("a message is a JSON object")
    data, attributes, key = given.get("data") or "", given.get("attributes") or {}, given.get("orderingKey") or ""
    if not isinstance(attributes, dict) or not all(isinstance(value, str) for value in attributes.values()):
        raise ValueError("attributes: strings by name are accepted")
    if not isinstance(data, str) or not isinstance(key, str):
        raise ValueError("data is base64 text, orderingKey is text")
    return Message(data=base64.b64decode(data, validate=True), attributes=attributes, ordering_key=key)


def envelope(message: Message, subscription: str, attempt: int | None) -> bytes:
    """The body of a push request. https://cloud.google.com/pubsub/docs/push#receive_push

    `attempt` is None for a subscription without a dead-letter policy, which does not count aloud.
    """
    written = as_json(message)
    written |= {"message_id": written["messageId"], "publish_time": written["publishTime"]}
    body: dict[str, Any] = {"message": written, "subscription": subscription}
    if attempt is not None:
        body["deliveryAttempt"] = attempt
    return json.dumps(body).encode()


def dead(message: Message, subscription: str, attempts: int) -> Message:
    """A dead letter, which says where it comes from. https://cloud.google.com/pubsub/docs/handling-failures"""
    _, project, _, name = subscription.split("/")
    origin = {
        "CloudPubSubDeadLetterSourceDeliveryCount": str(attempts),
        "CloudPubSubDeadLetterSourceSubscription": name,
        "CloudPubSubDeadLetterSourceSubscriptionProject": project,
        "CloudPubSubDeadLetterSourceTopicPublishTime": timestamp(message.published, "+00:00"),
    }
    return replace(message, attributes={**message.attributes, **origin})


def timestamp(seconds: float, suffix: str = "Z") -> str:
    """RFC 3339 in UTC, to the millisecond."""
    moment = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}{suffix}"
