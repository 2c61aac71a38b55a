"""A message that Pub/Sub pushes: acknowledged by a 2xx, pushed again after anything else.

https://cloud.google.com/pubsub/docs/push#receive_push. A message that fails again and again
becomes a dead letter, so no answer here gives one up.
"""

from __future__ import annotations

import base64
import json
import time
from typing import TYPE_CHECKING, Any, TypeVar

import flask

from functions.adapters.gcp.environment import composed
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
    return _handler(entry, key_of)


def messages(entry: Entry) -> Handle:
    """Return the function that consumes messages: the consumer gets the JSON object that each holds."""
    return _handler(entry, object_of)


def _handler(entry: Entry, parse: Callable[[dict[str, Any]], Any]) -> Handle:
    def handle(request: flask.Request) -> flask.Response:
        return acknowledged(request, composed(entry), parse)

    return handle


def acknowledged(
    request: flask.Request, consumer: Consumer[Content], parse: Callable[[dict[str, Any]], Content]
) -> flask.Response:
    """Hand the message of a push to the consumer, by way of `parse`.

    The answer is opaque; why a message failed is in the log.
    """
    until = time.monotonic() + consumer.timeout_seconds
    message, number = _message(body_of(request, at_most=LARGEST_ENVELOPE))
    delivery = Delivery(number=number, seconds_left=lambda: until - time.monotonic())
    done = consumer.take(str(message.get("messageId")), message, parse, delivery)
    return flask.Response(status=ACKNOWLEDGED if done else AGAIN)


def object_of(message: dict[str, Any]) -> dict[str, Any]:
    """Return the JSON object that a message's data is. Raises `ValueError` for any other data."""
    try:
        content = json.loads(base64.b64decode(message.get("data") or "", validate=True))
    except (TypeError, ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise ValueError("the message is not a JSON object")
    return content


def key_of(message: dict[str, Any]) -> str:
    """Return the key in a notification of Cloud Storage about a new object, which spells keys as they are.

    https://cloud.google.com/storage/docs/pubsub-notifications#attributes. Raises `ValueError`
    for any other message.
    """
    attributes = message.get("attributes")
    if not isinstance(attributes, dict) or "eventType" not in attributes:
        raise ValueError("the message is no event of a store")
    key = attributes.get("objectId")
    if attributes["eventType"] != "OBJECT_FINALIZE" or not isinstance(key, str):
        raise ValueError("the message is not about a new object")
    return key


def _message(body: bytes) -> tuple[dict[str, Any], int]:
    """The message in the envelope, an empty one in anything else, and how often it has been delivered.

    https://cloud.google.com/pubsub/docs/handling-failures#track_delivery_attempts: it is
    counted where there are dead letters.
    """
    try:
        envelope = json.loads(body)
    except (ValueError, RecursionError):
        return {}, 1
    if not isinstance(envelope, dict) or not isinstance(envelope.get("message"), dict):
        return {}, 1
    number = envelope.get("deliveryAttempt")
    return envelope["message"], number if isinstance(number, int) else 1
