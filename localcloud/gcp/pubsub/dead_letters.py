"""The dead letters of a subscription, which another subscription holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from localcloud.engine.dead_letters import DeadLetter
from localcloud.gcp.pubsub.message import Message
from localcloud.gcp.pubsub.pubsub import PubSub

BATCH = 100
SOURCE = "CloudPubSubDeadLetterSource"
"""The prefix of the attributes by which Pub/Sub names the source of a dead letter."""
REDRIVEN = "redriven"
"""The attribute by which a topic's transform can tell a message that is sent back from a new one."""


class DeadLetters:
    """The messages that a subscription holds. Raises `LookupError` when there is no such subscription."""

    def __init__(self, pubsub: PubSub, subscription: str) -> None:
        pubsub.waiting(subscription)
        self._pubsub = pubsub
        self._subscription = subscription

    def count(self) -> int:
        """Return their number, including those that are received and not yet acknowledged."""
        return self._pubsub.waiting(self._subscription)

    def take(self) -> Sequence[DeadLetter]:
        """Receive up to `BATCH` of them, hidden from others until the acknowledgement deadline."""
        deliveries = self._pubsub.pull(self._subscription, BATCH)
        return [
            DeadLetter(identity=delivery.message.id, receipt=delivery.ack_id, content=delivery.message)
            for delivery in deliveries
        ]

    def send(self, letter: DeadLetter) -> None:
        """Publish it to the topic of the subscription that its attributes name as its source."""
        message: Message = letter.content
        attributes = message.attributes
        project, name = attributes[f"{SOURCE}SubscriptionProject"], attributes[f"{SOURCE}Subscription"]
        source = f"projects/{project}/subscriptions/{name}"
        own = {key: value for key, value in attributes.items() if not key.startswith(SOURCE)} | {REDRIVEN: "true"}
        self._pubsub.publish(self._pubsub.subscription(source).topic, [replace(message, attributes=own)])

    def drop(self, letter: DeadLetter) -> None:
        """Acknowledge it."""
        self._pubsub.acknowledge(self._subscription, [letter.receipt])
