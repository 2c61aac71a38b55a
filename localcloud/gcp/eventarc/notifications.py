"""Notifications of a bucket: events about its objects, published to topics.

https://cloud.google.com/storage/docs/pubsub-notifications
"""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from localcloud.gcp.pubsub.message import Message, timestamp
from localcloud.gcp.pubsub.pubsub import PUBLISH, ROLES, AgentMay, NotFound, PubSub

FINALIZE = "OBJECT_FINALIZE"
EVENT_TYPES = frozenset({FINALIZE, "OBJECT_METADATA_UPDATE", "OBJECT_DELETE", "OBJECT_ARCHIVE"})
PAYLOADS = frozenset({"JSON_API_V1", "NONE"})
LIMIT_PER_EVENT = 10
"""The number of notifications of one bucket for an event type: "up to 10 per event type"."""


@dataclass(frozen=True, kw_only=True)
class Notification:
    """Publishes the events of some types, about the objects below a prefix, to a topic."""

    bucket: str
    topic: str
    prefix: str = ""
    event_types: frozenset[str] = EVENT_TYPES
    payload_format: str = "JSON_API_V1"
    attributes: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raise `ValueError` for what Cloud Storage would refuse."""
        if strange := sorted(self.event_types - EVENT_TYPES):
            known = ", ".join(sorted(EVENT_TYPES))
            raise ValueError(f"notification of {self.bucket}: {', '.join(strange)}; accepted: {known}")
        if self.payload_format not in PAYLOADS:
            known = ", ".join(sorted(PAYLOADS))
            raise ValueError(f"notification of {self.bucket}: payload {self.payload_format}; accepted: {known}")


class Notifications:
    """Every notification of a project's buckets. Of the events, only `OBJECT_FINALIZE` occurs here.

    A message is published only while the Cloud Storage service agent may publish to the topic;
    otherwise a line is logged, once for each topic.
    """

    def __init__(
        self, pubsub: PubSub, *, agent_may: AgentMay, log: Callable[[str], None], now: Callable[[], float] = time.time
    ) -> None:
        self._pubsub, self._agent_may, self._log, self._now = pubsub, agent_may, log, now
        self._all: dict[tuple[str, str], Notification] = {}
        self._ids = itertools.count(1)
        self._generations: dict[tuple[str, str], int] = {}
        self._logged: set[tuple[str, str]] = set()
        self._lock = threading.Lock()

    def create(self, notification: Notification) -> str:
        """Create a notification and return its id in the bucket.

        Raises `ValueError` when the service agent may not publish to the topic, and when the
        bucket has `LIMIT_PER_EVENT` notifications of an event type already.
        """
        if not self._agent_may(PUBLISH, notification.topic):
            raise ValueError(
                f"notification of {notification.bucket}: the Cloud Storage service agent lacks"
                f" {ROLES[PUBLISH]} on {notification.topic}"
            )
        with self._lock:
            others = [other for (bucket, _), other in self._all.items() if bucket == notification.bucket]
            for kind in notification.event_types:
                if sum(kind in other.event_types for other in others) >= LIMIT_PER_EVENT:
                    raise ValueError(f"notification of {notification.bucket}: {LIMIT_PER_EVENT} have {kind} already")
            identity = str(next(self._ids))
            self._all[notification.bucket, identity] = notification
            return identity

    def has(self, bucket: str, identity: str) -> bool:
        """Return whether a notification exists."""
        with self._lock:
            return (bucket, identity) in self._all

    def delete(self, bucket: str, identity: str) -> None:
        """Delete a notification. An unknown one is ignored."""
        with self._lock:
            self._all.pop((bucket, identity), None)

    def finalized(self, bucket: str, key: str, generation: int, size: int) -> None:
        """Publish the event of an object that was written; `size` is in bytes."""
        with self._lock:
            before = self._generations.get((bucket, key))
            self._generations[bucket, key] = generation
            notifications = [
                (identity, notification)
                for (of, identity), notification in self._all.items()
                if of == bucket and FINALIZE in notification.event_types and key.startswith(notification.prefix)
            ]
        for identity, notification in notifications:
            attributes = {
                **notification.attributes,
                "notificationConfig": f"projects/_/buckets/{bucket}/notificationConfigs/{identity}",
                "eventType": FINALIZE,
                "payloadFormat": notification.payload_format,
                "bucketId": bucket,
                "objectId": key,
                "objectGeneration": str(generation),
                "eventTime": _micros(self._now()),
                **({"overwroteGeneration": str(before)} if before is not None else {}),
            }
            payload = notification.payload_format != "NONE"
            data = json.dumps(_resource(bucket, key, generation, size, self._now())).encode() if payload else b""
            self._publish(notification, Message(data=data, attributes=attributes))

    def _publish(self, notification: Notification, message: Message) -> None:
        topic = notification.topic
        problem = f"the Cloud Storage service agent lacks {ROLES[PUBLISH]} on it"
        if self._agent_may(PUBLISH, topic):
            try:
                self._pubsub.publish(topic, [message])
            except NotFound:
                problem = "it does not exist"
            except ValueError as failed:
                problem = str(failed)
            else:
                return
        if (topic, problem) not in self._logged:
            self._logged.add((topic, problem))
            self._log(
                f"bucket {notification.bucket}: {topic} has no notice of {message.attributes['objectId']}: {problem}"
            )


def _resource(bucket: str, key: str, generation: int, size: int, now: float) -> dict[str, Any]:
    """Return the object's description in `JSON_API_V1`, without digests."""
    url = f"https://www.googleapis.com/storage/v1/b/{bucket}/o/{quote(key, safe='')}"
    time_created = timestamp(now)
    return {
        "kind": "storage#object",
        "id": f"{bucket}/{key}/{generation}",
        "selfLink": url,
        "name": key,
        "bucket": bucket,
        "generation": str(generation),
        "metageneration": "1",
        "timeCreated": time_created,
        "updated": time_created,
        "storageClass": "STANDARD",
        "timeStorageClassUpdated": time_created,
        "size": str(size),
        "mediaLink": f"{url}?generation={generation}&alt=media",
    }


def _micros(seconds: float) -> str:
    return timestamp(seconds).replace("Z", "000Z")
