"""The dead letters of a subscription, kept by another one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from localcloud.engine.dead_letters import DeadLetter
from localcloud.gcp.pubsub.message import Message
from localcloud.gcp.pubsub.pubsub import PubSub

AT_ONCE = 100
ORIGIN = "CloudPubSubDeadLetterSource"
"""How the attributes begin that Pub/Sub gives a dead letter: where it comes from."""


class DeadLetters:
    """What the subscription `kept` keeps. Raises `LookupError` when there is no such subscription."""

    def __init__(self, pubsub: PubSub, kept: str) -> None:
        pubsub.waiting(kept)
        self._pubsub = pubsub
        self._kept = kept

    def count(self) -> int:
        return self._pubsub.waiting(self._kept)

    def take(self) -> Sequence[DeadLetter]:
        found = self._pubsub.pull(self._kept, AT_ONCE)
        return [DeadLetter(identity=one.message.id, receipt=one.ack_id, content=one.message) for one in found]

    def send(self, letter: DeadLetter) -> None:
        """To the topic of the subscription that it says it comes from."""
        message: Message = letter.content
        origin = message.attributes
        name = f"projects/{origin[f'{ORIGIN}SubscriptionProject']}/subscriptions/{origin[f'{ORIGIN}Subscription']}"
        own = {key: value for key, value in origin.items() if not key.startswith(ORIGIN)}
        self._pubsub.publish(self._pubsub.subscription(name).topic, [replace(message, attributes=own)])

    def drop(self, letter: DeadLetter) -> None:
        self._pubsub.acknowledge(self._kept, [letter.receipt])
