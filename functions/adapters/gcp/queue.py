"""A message that Pub/Sub pushes: acknowledged by a 2xx, pushed again after anything else.

https://cloud.google.com/pubsub/docs/push#receive_push. A message that fails again and again
becomes a dead letter, so no answer here gives one up.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import flask

from functions.adapters.gcp.http import body_of
from functions.core.runtime.consumer import Delivery

if TYPE_CHECKING:
    from functions.core.runtime.consumer import Consumer

ACKNOWLEDGED, AGAIN = 204, 500
LARGEST_ENVELOPE = 16_000_000
"""Bytes. A message has at most 10 MB, which Base64 makes a third more: https://cloud.google.com/pubsub/quotas."""


def acknowledged(request: flask.Request, consumer: Consumer) -> flask.Response:
    """Hand the message of a push to the consumer. The answer is opaque; why a message failed is in the log."""
    until = time.monotonic() + consumer.timeout_seconds
    message, number = _message(body_of(request, at_most=LARGEST_ENVELOPE))
    delivery = Delivery(number=number, seconds_left=lambda: until - time.monotonic())
    done = consumer.take(str(message.get("messageId")), message, new_object, delivery)
    return flask.Response(status=ACKNOWLEDGED if done else AGAIN)


def new_object(message: dict[str, Any]) -> str:
    """The key in a notification of Cloud Storage about a new object, which spells keys as they are.

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
    """The message in the envelope, an empty one in anything else, and the how-manieth time it comes.

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
