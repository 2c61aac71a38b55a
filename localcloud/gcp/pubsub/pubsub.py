"""Pub/Sub, in this process: topics, subscriptions, pushes, dead letters.

Delivery is at least once, as in the cloud. Not implemented: exactly-once delivery, snapshots,
schemas, export, push without an envelope, topics of other projects.
"""

from __future__ import annotations

import http.client
import itertools
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from localcloud.gcp.dispatcher import Dispatcher
from localcloud.gcp.pubsub.message import Message, as_dead_letter, check, envelope
from localcloud.gcp.pubsub.push import ACKNOWLEDGED, Send, post
from localcloud.gcp.pubsub.subscription import Delivery, Push, Subscription, SubscriptionArgs
from localcloud.gcp.pubsub.transform import Transform

PUBLISH, CONSUME = "pubsub.topics.publish", "pubsub.subscriptions.consume"
ROLES = {PUBLISH: "roles/pubsub.publisher", CONSUME: "roles/pubsub.subscriber"}
"""The role that contains a permission."""
Token = Callable[[str, str | None], str]
"""Takes a service account's email address and an audience; returns a token. Raises `LookupError` if unknown."""
AgentMay = Callable[[str, str], bool]
"""Takes a permission and a topic or a subscription; returns whether the service agent has it."""


class NotFound(LookupError):
    """A topic or a subscription that does not exist."""


def in_a_thread(work: Callable[[], None]) -> None:
    """Run a function in a new daemon thread."""
    threading.Thread(target=work, name="push", daemon=True).start()


class PubSub:
    """Every topic and subscription of a project, by full name (`projects/p/topics/t`).

    A message that used up its attempts is forwarded only if the Pub/Sub service agent may
    publish to the dead-letter topic and consume from the subscription, which `agent_may`
    tells. Otherwise it is delivered again and again, and a line is logged.
    `start` begins to push from a thread. A test that owns the clock calls `pump` instead.
    """

    def __init__(
        self,
        *,
        token: Token,
        agent_may: AgentMay,
        log: Callable[[str], None],
        now: Callable[[], float] = time.time,
        send: Send = post,
        run: Callable[[Callable[[], None]], None] = in_a_thread,
    ) -> None:
        self._token, self._agent_may, self._log = token, agent_may, log
        self._now, self._send, self._run = now, send, run
        self._topics: dict[str, tuple[Transform, ...]] = {}
        """The transforms of each topic."""
        self._subscriptions: dict[str, Subscription] = {}
        self._logged: set[tuple[str, str]] = set()
        self._ids = itertools.count(1)
        self._changed = threading.Condition(threading.RLock())
        self._dispatcher = Dispatcher("pubsub", self._changed, self.pump, now)

    def create_topic(self, name: str, transforms: Iterable[Transform] = ()) -> None:
        """Create a topic, or change the transforms of one that exists: they hold for what is published from then on."""
        with self._changed:
            self._topics[name] = tuple(transforms)

    def has_topic(self, name: str) -> bool:
        """Return whether a topic exists."""
        with self._changed:
            return name in self._topics

    def delete_topic(self, name: str) -> None:
        """Delete a topic. Its subscriptions stay, with their messages."""
        with self._changed:
            self._topics.pop(name, None)

    def create_subscription(self, args: SubscriptionArgs) -> None:
        """Create a subscription. Raises `NotFound` for an unknown topic, `ValueError` for a name that is taken."""
        with self._changed:
            self._require(args)
            if args.name in self._subscriptions:
                raise ValueError(f"subscription {args.name} exists already")

            def forward(message: Message, attempts: int) -> bool:
                return self._forward(subscription, message, attempts)

            subscription = self._subscriptions[args.name] = Subscription(args, now=self._now, forward=forward)
            self._changed.notify_all()

    def update_subscription(self, args: SubscriptionArgs) -> None:
        """Change how messages are delivered, and keep the messages. Raises `ValueError` for what cannot change."""
        with self._changed:
            self._require(args)
            subscription = self._subscription(args.name)
            for fixed in ("topic", "filter", "ordered"):
                if getattr(subscription.args, fixed) != getattr(args, fixed):
                    raise ValueError(f"subscription {args.name}: {fixed} cannot change")
            subscription.args = args
            self._changed.notify_all()

    def has_subscription(self, name: str) -> bool:
        """Return whether a subscription exists."""
        with self._changed:
            return name in self._subscriptions

    def delete_subscription(self, name: str) -> None:
        """Delete a subscription with its messages. An unknown one is ignored."""
        with self._changed:
            self._subscriptions.pop(name, None)

    def publish(self, topic: str, messages: Iterable[Message]) -> list[str]:
        """Add messages to every subscription of a topic, as its transforms leave them, and return their ids.

        One that a transform drops has an id, and reaches no subscription. Raises `NotFound` for an unknown topic,
        and `ValueError` for an invalid message and a transform that fails; none is published then.
        """
        batch = list(messages)
        for message in batch:
            check(message)
        with self._changed:
            if topic not in self._topics:
                raise NotFound(f"topic {topic} does not exist")
            published = [self._published(message) for message in batch]
            transformed = [self._transformed(topic, message) for message in published]
            for message in transformed:
                if message is not None:
                    self._offer(topic, message)
            return [message.id for message in published]

    def _published(self, message: Message) -> Message:
        return replace(message, id=str(next(self._ids)), published=self._now())

    def _transformed(self, topic: str, message: Message) -> Message | None:
        """Return a message as the topic's transforms leave it; None if one drops it."""
        result: Message | None = message
        for transform in self._topics[topic]:
            if result is not None:
                result = transform(result)
        return result

    def _offer(self, topic: str, message: Message) -> None:
        for subscription in self._subscriptions.values():
            if subscription.args.topic == topic:
                subscription.offer(message)
        self._changed.notify_all()

    def pull(self, name: str, limit: int) -> list[Delivery]:
        """Lease up to `limit` messages. Raises `NotFound`, and `ValueError` for a push subscription."""
        with self._changed:
            subscription = self._subscription(name)
            if subscription.args.push:
                raise ValueError(f"subscription {name}: it pushes, so nothing can be pulled from it")
            return subscription.lease(limit)

    def acknowledge(self, name: str, ack_ids: Sequence[str]) -> None:
        """Acknowledge deliveries. Those whose deadline has passed are ignored, as in the cloud. Raises `NotFound`."""
        with self._changed:
            for ack_id in ack_ids:
                self._subscription(name).acknowledge(ack_id)

    def modify_deadline(self, name: str, ack_ids: Sequence[str], seconds: int) -> None:
        """Extend the deadline of deliveries to `seconds` from now; 0 returns the messages to the subscription.

        Raises `NotFound`, and `ValueError` for more than 600 seconds.
        """
        if not 0 <= seconds <= 600:
            raise ValueError(f"ackDeadlineSeconds is {seconds}; accepted: 0 to 600")
        with self._changed:
            for ack_id in ack_ids:
                self._subscription(name).modify_deadline(ack_id, seconds)
            self._changed.notify_all()

    def subscription(self, name: str) -> SubscriptionArgs:
        """Return a subscription's declaration. Raises `NotFound`."""
        with self._changed:
            return self._subscription(name).args

    def modify_push(self, name: str, push: Push | None) -> None:
        """Have a subscription push elsewhere, or keep its messages until it pushes again. Raises `NotFound`."""
        with self._changed:
            subscription = self._subscription(name)
            subscription.args = replace(subscription.args, push=push)
            self._changed.notify_all()

    def waiting(self, name: str) -> int:
        """Return the number of messages that are not acknowledged. Raises `NotFound`."""
        with self._changed:
            return len(self._subscription(name))

    def backlogs(self) -> dict[str, tuple[int, float]]:
        """Return, by subscription, how many messages are not acknowledged, and the age in seconds of the oldest one."""
        with self._changed:
            now = self._now()
            return {name: (len(one), now - one.oldest) for name, one in self._subscriptions.items()}

    def start(self) -> None:
        """Push from a thread from now on."""
        self._dispatcher.start()

    def stop(self) -> None:
        """Start no further push; those under way end by themselves. Safe to call twice."""
        self._dispatcher.stop()

    def pump(self) -> float | None:
        """Start every push that is due, and return the time at which the next one is, if that is known."""
        with self._changed:
            started = []
            for subscription in [each for each in self._subscriptions.values() if each.args.push]:
                for delivery in subscription.lease(subscription.args.concurrency - subscription.pushing):
                    subscription.pushing += 1
                    started.append((subscription, delivery))
            times = [subscription.due() for subscription in self._subscriptions.values() if subscription.args.push]
        for subscription, delivery in started:
            self._run(lambda one=subscription, other=delivery: self._push(one, other))
        return min((time for time in times if time is not None), default=None)

    def _push(self, subscription: Subscription, delivery: Delivery) -> None:
        accepted = False
        try:
            accepted = self._send_push(subscription.args, delivery) in ACKNOWLEDGED
        except (OSError, http.client.HTTPException, LookupError) as problem:
            self._log(f"{subscription.args.name}: message {delivery.message.id} was not delivered: {problem}")
        finally:
            with self._changed:
                subscription.pushing -= 1
                if accepted:
                    subscription.acknowledge(delivery.ack_id)
                else:
                    subscription.modify_deadline(delivery.ack_id, 0)
                self._changed.notify_all()

    def _send_push(self, args: SubscriptionArgs, delivery: Delivery) -> int:
        if args.push is None:
            raise LookupError("the subscription no longer pushes")
        body = envelope(delivery.message, args.name, delivery.attempt if args.dead_letters else None)
        if args.push.receive:
            return args.push.receive(body)
        headers = {"Content-Type": "application/json", "User-Agent": "APIs-Google"}
        if args.push.service_account:
            audience = args.push.audience or args.push.endpoint
            headers["Authorization"] = f"Bearer {self._token(args.push.service_account, audience)}"
        return self._send(args.push.endpoint, headers, body, args.ack_deadline_seconds)

    def _forward(self, subscription: Subscription, message: Message, attempts: int) -> bool:
        """Publish a dead letter. Return False, and log why, when the service agent may not or the topic is missing."""
        args = subscription.args
        if args.dead_letters is None:
            return False
        topic = args.dead_letters.topic
        if missing := self._missing(args.name, topic):
            line = f"{args.name}: message {message.id} failed {attempts} times and is not moved to {topic}: {missing}"
            self._log_once((args.name, missing), line)
            return False
        try:
            letter = self._transformed(topic, self._published(as_dead_letter(message, args.name, attempts)))
        except ValueError as failed:
            self._log_once((args.name, topic), f"{args.name}: message {message.id} is not moved to {topic}: {failed}")
            return False
        if letter is not None:
            self._offer(topic, letter)
        if not any(other.args.topic == topic for other in self._subscriptions.values()):
            line = f"{args.name}: a dead letter is lost: {topic} has no subscription that would keep it"
            self._log_once((args.name, topic), line)
        return True

    def _missing(self, subscription: str, topic: str) -> str:
        if topic not in self._topics:
            return "the topic does not exist"
        needed = ((PUBLISH, topic), (CONSUME, subscription))
        missing = [f"{ROLES[each]} on {resource}" for each, resource in needed if not self._agent_may(each, resource)]
        return f"the Pub/Sub service agent lacks {' and '.join(missing)}" if missing else ""

    def _log_once(self, subject: tuple[str, str], line: str) -> None:
        """Log a line the first time for a subject."""
        if subject not in self._logged:
            self._logged.add(subject)
            self._log(line)

    def _subscription(self, name: str) -> Subscription:
        if name not in self._subscriptions:
            raise NotFound(f"subscription {name} does not exist")
        return self._subscriptions[name]

    def _require(self, args: SubscriptionArgs) -> None:
        for topic in (args.topic, args.dead_letters.topic if args.dead_letters else args.topic):
            if topic not in self._topics:
                raise NotFound(f"subscription {args.name}: topic {topic} does not exist")
