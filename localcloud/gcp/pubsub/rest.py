"""Pub/Sub over HTTP: the part of its REST interface that publishes, pulls and acknowledges.

https://cloud.google.com/pubsub/docs/reference/rest. Resources are made by the program, not here.
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
MOST_PUBLISHED = 1000
LARGEST_REQUEST = 10_000_000
"""https://cloud.google.com/pubsub/quotas#resource_limits"""


class PubSubApi:
    """Answers requests on `pubsub`, for those whom `authorize` knows."""

    def __init__(self, pubsub: PubSub, authorize: Authorize) -> None:
        self._pubsub = pubsub
        self._authorize = authorize

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> ApiResponse:
        """The status and a JSON body."""
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
            return ok(self._done(verb, resource, json_object(body)))
        except NotFound as missing:
            return problem(404, str(missing))
        except ValueError as wrong:
            return problem(400, str(wrong))

    def _done(self, verb: str, resource: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        match verb:
            case "publish":
                return {"messageIds": self._publish(resource, asked)}
            case "pull":
                return self._pull(resource, asked)
            case "acknowledge":
                self._pubsub.acknowledge(resource, _ack_ids(asked))
            case _:
                seconds = asked.get("ackDeadlineSeconds", 0)
                if not isinstance(seconds, int):
                    raise ValueError("ackDeadlineSeconds is a whole number")
                self._pubsub.modify_deadline(resource, _ack_ids(asked), seconds)
        return {}

    def _publish(self, topic: str, asked: Mapping[str, Any]) -> list[str]:
        messages = asked.get("messages")
        if not isinstance(messages, list) or not 1 <= len(messages) <= MOST_PUBLISHED:
            raise ValueError(f"messages: a list of 1 to {MOST_PUBLISHED} is accepted")
        return self._pubsub.publish(topic, [from_json(message) for message in messages])

    def _pull(self, subscription: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        most = asked.get("maxMessages")
        if not isinstance(most, int) or most < 1:
            raise ValueError("maxMessages: a number from 1 is accepted")
        deliveries = self._pubsub.pull(subscription, most)
        counted = self._pubsub.subscription(subscription).dead_letters is not None
        received = [
            {
                "ackId": delivery.ack_id,
                "message": as_json(delivery.message),
                **({"deliveryAttempt": delivery.attempt} if counted else {}),
            }
            for delivery in deliveries
        ]
        return {"receivedMessages": received} if received else {}


def _ack_ids(asked: Mapping[str, Any]) -> list[str]:
    found = asked.get("ackIds")
    if not isinstance(found, list) or not found or not all(isinstance(each, str) for each in found):
        raise ValueError("ackIds: a list of at least one text is accepted")
    return found
