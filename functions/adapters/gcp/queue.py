"""Consume a message that Pub/Sub pushes: a 2xx acknowledges it; after any other answer it is pushed again.

https://cloud.google.com/pubsub/docs/push#receive_push. A message that fails again and again
becomes a dead letter, so no answer here gives one up.
"""

from __future__ import annotations

import base64
import json
import time
from typing import TYPE_CHECKING, Any, TypeVar

import flask

from functions.adapters.gcp.environment import composed, loaded
from functions.adapters.gcp.http import body_of
from functions.core.runtime.consumer import Delivery

if TYPE_CHECKING:
    from collections.abc import Callable

    from functions.core.runtime.consumer import Consumer
    from functions.core.runtime.environment import Environment

    Entry = Callable[[Environment], Consumer[Any]]
    Handle = Callable[[flask.Request], flask.Response]

Content = TypeVar("Content")

ACKNOWLEDGED, AGAIN = 204, 500
LARGEST_ENVELOPE = 16_000_000
"""Bytes. A message has at most 10 MB, which Base64 makes a third more: https://cloud.google.com/pubsub/quotas."""


def new_objects(entry: Entry) -> Handle:
    """Return the function that consumes notifications of new objects: the consumer gets the key of each."""
    return handler(entry, key_of)


def messages(entry: Entry) -> Handle:
    """Return the function that consumes messages: the consumer gets the JSON object that each holds."""
    return handler(entry, object_of)


def handler(entry: Entry, parse: Callable[[dict[str, Any]], Any]) -> Handle:
    """Return the function that consumes messages: the consumer gets what `parse` reads in each."""

    def handle(request: flask.Request) -> flask.Response:
        return consume_push(request, composed(entry), parse)

    loaded()
    return handle


def consume_push(
    request: flask.Request, consumer: Consumer[Content], parse: Callable[[dict[str, Any]], Content]
) -> flask.Response:
    """Pass the message of a push to the consumer, read by `parse`; answer 204 if it is done, else 500.

    The answer has no text; the log says why a message failed.
    """
    deadline = time.monotonic() + consumer.timeout_seconds
    message, number = _message(body_of(request, at_most=LARGEST_ENVELOPE))
    delivery = Delivery(number=number, seconds_left=lambda: deadline - time.monotonic())
    done = consumer.take(str(message.get("messageId")), message, parse, delivery)
    return flask.Response(status=ACKNOWLEDGED if done else AGAIN)


def object_of(message: dict[str, Any]) -> dict[str, Any]:
    """Return the JSON object in a message's data. Raise `ValueError` for any other data."""
    try:
        content = json.loads(base64.b64decode(message.get("data") or "", validate=True))
    except (TypeError, ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise ValueError("the message is not a JSON object")
    return content


def key_of(message: dict[str, Any]) -> str:
    """Return the key in a notification of Cloud Storage about a new object, which writes keys as they are.

    https://cloud.google.com/storage/docs/pubsub-notifications#attributes. Raise `ValueError` for any
    other message.
    """
    attributes = message.get("attributes")
    if not isinstance(attributes, dict) or "eventType" not in attributes:
        raise ValueError("the message is no event of a store")
    key = attributes.get("objectId")
    if attributes["eventType"] != "OBJECT_FINALIZE" or not isinstance(key, str):
        raise ValueError("the message is not about a new object")
    return key


def _message(body: bytes) -> tuple[dict[str, Any], int]:
    """Return the message in the envelope, empty in anything else, and the number of its delivery.

    Pub/Sub counts deliveries only where there are dead letters:
    https://cloud.google.com/pubsub/docs/handling-failures#track_delivery_attempts.
    """
    try:
        envelope = json.loads(body)
    except (ValueError, RecursionError):
        return {}, 1
    if not isinstance(envelope, dict) or not isinstance(envelope.get("message"), dict):
        return {}, 1
    number = envelope.get("deliveryAttempt")
    return envelope["message"], number if isinstance(number, int) else 1
