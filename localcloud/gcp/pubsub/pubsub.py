"""Pub/Sub, in this process: topics, subscriptions, pushes, dead letters.

What it does not do: exactly-once delivery, snapshots, schemas, export, push without an
envelope, cross-project topics. Delivery is at least once, as in the cloud.
"""

from __future__ import annotations

import http.client
import itertools
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from localcloud.gcp.dispatcher import Dispatcher
from localcloud.gcp.pubsub.message import Message, check, dead, envelope
from localcloud.gcp.pubsub.push import ACKNOWLEDGED, Send, post
from localcloud.gcp.pubsub.subscription import Delivery, Subscription, SubscriptionArgs

PUBLISH, CONSUME = "pubsub.topics.publish", "pubsub.subscriptions.consume"
ROLES = {PUBLISH: "roles/pubsub.publisher", CONSUME: "roles/pubsub.subscriber"}
"""The role that a permission comes with."""
Token = Callable[[str, str | None], str]
"""From a service account's address and an audience to a bearer token. Raises `LookupError` for an unknown account."""
AgentMay = Callable[[str, str], bool]
"""Whether a service agent has a permission on a topic or a subscription."""


class NotFound(LookupError):
    """A topic or a subscription that does not exist."""


def in_a_thread(work: Callable[[], None]) -> None:
    threading.Thread(target=work, name="push", daemon=True).start()


class PubSub:
    """Every topic and subscription of a project, by full name (`projects/p/topics/t`).

    `agent_may` says what the Pub/Sub service agent was granted: a message that used up its
    attempts is forwarded only if it may publish to the dead-letter topic and consume from the
    subscription. Without them it comes again and again, and `log` says why.
    `start` begins to push; `pump` does by hand what is due, for a test that owns the clock.
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
        self._topics: set[str] = set()
        self._subscriptions: dict[str, Subscription] = {}
        self._said: set[tuple[str, str]] = set()
        self._ids = itertools.count(1)
        self._changed = threading.Condition(threading.RLock())
        self._dispatcher = Dispatcher("pubsub", self._changed, self.pump, now)

    def create_topic(self, name: str) -> None:
        with self._changed:
            self._topics.add(name)

    def delete_topic(self, name: str) -> None:
        """Its subscriptions stay, with what they hold."""
        with self._changed:
            self._topics.discard(name)

    def create_subscription(self, args: SubscriptionArgs) -> None:
        """Raises `NotFound` for a topic that does not exist, `ValueError` for a subscription that does."""
        with self._changed:
            self._require(args)
            if args.name in self._subscriptions:
                raise ValueError(f"subscription {args.name} exists already")

            def bury(message: Message, attempts: int) -> bool:
                return self._forward(subscription, message, attempts)

            subscription = self._subscriptions[args.name] = Subscription(args, now=self._now, bury=bury)
            self._changed.notify_all()

    def update_subscription(self, args: SubscriptionArgs) -> None:
        """Change how messages are delivered, and keep them. Raises `ValueError` for what cannot change."""
        with self._changed:
            self._require(args)
            found = self._subscription(args.name)
            for fixed in ("topic", "filter", "ordered"):
                if getattr(found.args, fixed) != getattr(args, fixed):
                    raise ValueError(f"subscription {args.name}: {fixed} cannot change")
            found.args = args
            self._changed.notify_all()

    def delete_subscription(self, name: str) -> None:
        with self._changed:
            self._subscriptions.pop(name, None)

    def publish(self, topic: str, messages: Iterable[Message]) -> list[str]:
        """The messages' ids, once every subscription of the topic has them.

        Raises `NotFound`, and `ValueError` for a message that cannot be; then none is published.
        """
        given = list(messages)
        for message in given:
            check(message)
        with self._changed:
            if topic not in self._topics:
                raise NotFound(f"topic {topic} does not exist")
            return [self._offer(topic, message) for message in given]

    def _offer(self, topic: str, message: Message) -> str:
        published = replace(message, id=str(next(self._ids)), published=self._now())
        for subscription in self._subscriptions.values():
            if subscription.args.topic == topic:
                subscription.offer(published)
        self._changed.notify_all()
        return published.id

    def pull(self, name: str, most: int) -> list[Delivery]:
        """What can be handed out now. Raises `NotFound`, and `ValueError` for a push subscription."""
        with self._changed:
            subscription = self._subscription(name)
            if subscription.args.push:
                raise ValueError(f"subscription {name}: it pushes, so nothing can be pulled from it")
            return subscription.hand_out(most)

    def acknowledge(self, name: str, ack_ids: Sequence[str]) -> None:
        """Too late for some is no error, as in the cloud. Raises `NotFound`."""
        with self._changed:
            for ack_id in ack_ids:
                self._subscription(name).acknowledge(ack_id)

    def modify_deadline(self, name: str, ack_ids: Sequence[str], seconds: int) -> None:
        """0 seconds give the messages back. Raises `NotFound`."""
        if not 0 <= seconds <= 600:
            raise ValueError(f"ackDeadlineSeconds is {seconds}; accepted: 0 to 600")
        with self._changed:
            for ack_id in ack_ids:
                self._subscription(name).modify_deadline(ack_id, seconds)
            self._changed.notify_all()

    def subscription(self, name: str) -> SubscriptionArgs:
        """Raises `NotFound`."""
        with self._changed:
            return self._subscription(name).args

    def waiting(self, name: str) -> int:
        """How many messages are not acknowledged. Raises `NotFound`."""
        with self._changed:
            return len(self._subscription(name))

    def start(self) -> None:
        """Push from now on."""
        self._dispatcher.start()

    def stop(self) -> None:
        """Begin no further push; those under way are left to end. Safe to call twice."""
        self._dispatcher.stop()

    def pump(self) -> float | None:
        """Begin every push that may begin now; when to look again, if at a known time."""
        with self._changed:
            begun = []
            for subscription in [found for found in self._subscriptions.values() if found.args.push]:
                for delivery in subscription.hand_out(subscription.args.concurrency - subscription.pushing):
                    subscription.pushing += 1
                    begun.append((subscription, delivery))
            moments = [subscription.due() for subscription in self._subscriptions.values() if subscription.args.push]
        for subscription, delivery in begun:
            self._run(lambda one=subscription, other=delivery: self._push(one, other))
        return min((moment for moment in moments if moment is not None), default=None)

    def _push(self, subscription: Subscription, delivery: Delivery) -> None:
        accepted = False
        try:
            accepted = self._sent(subscription.args, delivery) in ACKNOWLEDGED
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

    def _sent(self, args: SubscriptionArgs, delivery: Delivery) -> int:
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
        """Publish a dead letter. False, with a line in the log, when the service agent may not."""
        args = subscription.args
        if args.dead_letters is None:
            return False
        topic = args.dead_letters.topic
        if missing := self._missing(args.name, topic):
            line = f"{args.name}: message {message.id} failed {attempts} times and is not moved to {topic}: {missing}"
            self._once((args.name, missing), line)
            return False
        self._offer(topic, dead(message, args.name, attempts))
        if not any(found.args.topic == topic for found in self._subscriptions.values()):
            line = f"{args.name}: a dead letter is lost: {topic} has no subscription that would keep it"
            self._once((args.name, topic), line)
        return True

    def _missing(self, subscription: str, topic: str) -> str:
        if topic not in self._topics:
            return "the topic does not exist"
        needed = ((PUBLISH, topic), (CONSUME, subscription))
        missing = [f"{ROLES[each]} on {resource}" for each, resource in needed if not self._agent_may(each, resource)]
        return f"the Pub/Sub service agent lacks {' and '.join(missing)}" if missing else ""

    def _once(self, subject: tuple[str, str], line: str) -> None:
        """A line for the log, but not at every attempt."""
        if subject not in self._said:
            self._said.add(subject)
            self._log(line)

    def _subscription(self, name: str) -> Subscription:
        if name not in self._subscriptions:
            raise NotFound(f"subscription {name} does not exist")
        return self._subscriptions[name]

    def _require(self, args: SubscriptionArgs) -> None:
        for topic in (args.topic, args.dead_letters.topic if args.dead_letters else args.topic):
            if topic not in self._topics:
                raise NotFound(f"subscription {args.name}: topic {topic} does not exist")
