"""The part of Pub/Sub's REST interface that publishes, pulls and acknowledges.

https://cloud.google.com/pubsub/docs/reference/rest. It creates no topics and subscriptions: the
program declares them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from localcloud.gcp.api_responses import ApiResponse, Authorize, bearer, denied, json_object, ok, problem
from localcloud.gcp.pubsub.message import as_json, from_json
from localcloud.gcp.pubsub.pubsub import NotFound, PubSub

PATH = re.compile(r"/v1/(?P<resource>projects/[^/:]+/(?:topics|subscriptions)/[^/:]+):(?P<verb>[A-Za-z]+)")
PERMISSIONS = {
    "publish": "pubsub.topics.publish",
    "pull": "pubsub.subscriptions.consume",
    "acknowledge": "pubsub.subscriptions.consume",
    "modifyAckDeadline": "pubsub.subscriptions.consume",
}
MAX_MESSAGES = 1000
LARGEST_REQUEST = 10_000_000
"""https://cloud.google.com/pubsub/quotas#resource_limits"""


class PubSubApi:
    """Answers requests on `pubsub`, for callers whom `authorize` admits."""

    def __init__(self, pubsub: PubSub, authorize: Authorize) -> None:
        self._pubsub = pubsub
        self._authorize = authorize

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> ApiResponse:
        """Return the status and the JSON body of the response."""
        match = PATH.fullmatch(path.partition("?")[0])
        verb = match["verb"] if match else ""
        if method != "POST" or not match or verb not in PERMISSIONS:
            return problem(404, f"{method} {path}: not here; accepted: POST to {', '.join(PERMISSIONS)}")
        resource = match["resource"]
        if not self._authorize(bearer(headers), PERMISSIONS[verb], resource):
            return denied(PERMISSIONS[verb], resource)
        if len(body) > LARGEST_REQUEST:
            return problem(400, f"the request has {len(body)} bytes; accepted: {LARGEST_REQUEST}")
        try:
            return ok(self._perform(verb, resource, json_object(body)))
        except NotFound as missing:
            return problem(404, str(missing))
        except ValueError as wrong:
            return problem(400, str(wrong))

    def _perform(self, verb: str, resource: str, body: Mapping[str, Any]) -> dict[str, Any]:
        match verb:
            case "publish":
                return {"messageIds": self._publish(resource, body)}
            case "pull":
                return self._pull(resource, body)
            case "acknowledge":
                self._pubsub.acknowledge(resource, _ack_ids(body))
            case _:
                seconds = body.get("ackDeadlineSeconds", 0)
                if not isinstance(seconds, int):
                    raise ValueError("ackDeadlineSeconds is a whole number")
                self._pubsub.modify_deadline(resource, _ack_ids(body), seconds)
        return {}

    def _publish(self, topic: str, body: Mapping[str, Any]) -> list[str]:
        messages = body.get("messages")
        if not isinstance(messages, list) or not 1 <= len(messages) <= MAX_MESSAGES:
            raise ValueError(f"messages: a list of 1 to {MAX_MESSAGES} is accepted")
        return self._pubsub.publish(topic, [from_json(message) for message in messages])

    def _pull(self, subscription: str, body: Mapping[str, Any]) -> dict[str, Any]:
        limit = body.get("maxMessages")
        if not isinstance(limit, int) or limit < 1:
            raise ValueError("maxMessages: a number from 1 is accepted")
        deliveries = self._pubsub.pull(subscription, limit)
        with_attempt = self._pubsub.subscription(subscription).dead_letters is not None
        received = [
            {
                "ackId": delivery.ack_id,
                "message": as_json(delivery.message),
                **({"deliveryAttempt": delivery.attempt} if with_attempt else {}),
            }
            for delivery in deliveries
        ]
        return {"receivedMessages": received} if received else {}


def _ack_ids(body: Mapping[str, Any]) -> list[str]:
    ack_ids = body.get("ackIds")
    if not isinstance(ack_ids, list) or not ack_ids or not all(isinstance(each, str) for each in ack_ids):
        raise ValueError("ackIds: a list of at least one text is accepted")
    return ack_ids
