"""One subscription: when its messages are delivered, retried and dropped. It has no thread and no clock of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from localcloud.gcp.pubsub import filter as filters
from localcloud.gcp.pubsub.message import Message

ACK_SECONDS = (10, 600)
ATTEMPTS = (5, 100)
BACKOFF_SECONDS = (0, 600)
RETENTION_SECONDS = (600, 31 * 24 * 3600)
WEEK = 7 * 24 * 3600


@dataclass(frozen=True, kw_only=True)
class Push:
    """The endpoint that messages are sent to. Without a service account the requests carry no token.

    `receive`, if set, is called with the body in place of a request, and returns the status.
    """

    endpoint: str
    service_account: str = ""
    audience: str = ""
    receive: Callable[[bytes], int] | None = None


@dataclass(frozen=True, kw_only=True)
class Retry:
    """The pause before a message is delivered again: `minimum` seconds, doubled by every failure, at most `maximum`."""

    minimum: float = 10
    maximum: float = 600

    def pause(self, failures: int) -> float:
        """Return the seconds to wait after a number of failures, from 1."""
        return min(self.maximum, self.minimum * 2 ** min(failures - 1, 64))


IMMEDIATE = Retry(minimum=0, maximum=0)
"""The retry of a pull subscription without a policy."""
PUSH_BACKOFF = Retry(minimum=0.1, maximum=60)
"""The retry of a push subscription without a policy: https://cloud.google.com/pubsub/docs/push#push_backoff.

Here each message has a backoff of its own."""


@dataclass(frozen=True, kw_only=True)
class DeadLetterPolicy:
    """The topic to which a message is forwarded after `max_delivery_attempts` failures."""

    topic: str
    max_delivery_attempts: int = 5


@dataclass(frozen=True, kw_only=True)
class SubscriptionArgs:
    """A subscription as it is declared. At most `concurrency` pushes are under way at once.

    Raises `ValueError` for what Pub/Sub would refuse.
    """

    name: str
    topic: str
    ack_deadline_seconds: int = 10
    push: Push | None = None
    retry: Retry | None = None
    dead_letters: DeadLetterPolicy | None = None
    ordered: bool = False
    filter: str = ""
    retention_seconds: float = WEEK
    concurrency: int = 8

    def __post_init__(self) -> None:
        self._within("ack_deadline_seconds", self.ack_deadline_seconds, ACK_SECONDS)
        self._within("retention_seconds", self.retention_seconds, RETENTION_SECONDS)
        if self.retry:
            self._within("retry.minimum", self.retry.minimum, BACKOFF_SECONDS)
            self._within("retry.maximum", self.retry.maximum, (self.retry.minimum, BACKOFF_SECONDS[1]))
        if self.dead_letters:
            self._within("max_delivery_attempts", self.dead_letters.max_delivery_attempts, ATTEMPTS)
        if self.concurrency < 1:
            raise ValueError(f"subscription {self.name}: concurrency is {self.concurrency}; accepted: from 1")
        filters.parse(self.filter)

    def _within(self, name: str, value: float, accepted: tuple[float, float]) -> None:
        if not accepted[0] <= value <= accepted[1]:
            raise ValueError(f"subscription {self.name}: {name} is {value}; accepted: {accepted[0]} to {accepted[1]}")


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """A delivered message, to be acknowledged by `ack_id` before its deadline. `attempt` counts from 1."""

    ack_id: str
    message: Message
    attempt: int


@dataclass(kw_only=True)
class _Pending:
    """A message that is not acknowledged: waiting until `ready`, or leased until `until`, in seconds by the clock."""

    message: Message
    ready: float
    failures: int = 0
    ack_id: str = ""
    until: float = 0.0


class Subscription:
    """Keeps every message until it is acknowledged, is too old, or has become a dead letter.

    `forward(message, attempts)` is called for a message that used up its attempts, and returns
    whether it was published as a dead letter; if not, it stays and is delivered again. With
    `ordered`, a message waits for every earlier one with its ordering key. `pushing`, the
    number of pushes under way, is maintained by the caller.
    """

    def __init__(
        self, args: SubscriptionArgs, *, now: Callable[[], float], forward: Callable[[Message, int], bool]
    ) -> None:
        self.args = args
        self.pushing = 0
        self._now = now
        self._forward = forward
        self._matches = filters.parse(args.filter)
        self._pending: dict[str, _Pending] = {}
        self._leased: dict[str, _Pending] = {}
        self._count = 0

    def __len__(self) -> int:
        """Return the number of messages that are not acknowledged."""
        self._settle()
        return len(self._pending)

    @property
    def oldest(self) -> float:
        """When the oldest message that is not acknowledged was published; this moment where there is none."""
        return min((pending.message.published for pending in self._pending.values()), default=self._now())

    def offer(self, message: Message) -> None:
        """Add a message of the topic, if the filter matches it."""
        if self._matches(message.attributes):
            self._pending[message.id] = _Pending(message=message, ready=message.published)

    def lease(self, limit: int) -> list[Delivery]:
        """Lease up to `limit` messages that are due, oldest first, until their acknowledgement deadline."""
        self._settle()
        deliveries: list[Delivery] = []
        for pending in self._deliverable(self._now()):
            if len(deliveries) >= limit:
                break
            deliveries.append(self._deliver(pending))
        return deliveries

    def acknowledge(self, ack_id: str) -> bool:
        """Drop a delivered message. Return False when its deadline has passed and it is delivered again."""
        self._settle()
        pending = self._leased.pop(ack_id, None)
        return pending is not None and self._pending.pop(pending.message.id, None) is not None

    def modify_deadline(self, ack_id: str, seconds: float) -> bool:
        """Extend the deadline to `seconds` from now; 0 returns the message. Return False when it is too late."""
        self._settle()
        pending = self._leased.get(ack_id)
        if pending is None:
            return False
        if seconds:
            pending.until = self._now() + seconds
        else:
            self._fail(pending, self._now())
        return True

    def due(self) -> float | None:
        """Return the time at which the next message is due or its lease ends, if that is in the future."""
        now = self._now()
        times = [pending.until if pending.ack_id else pending.ready for pending in self._pending.values()]
        return min((time for time in times if time > now), default=None)

    def _settle(self) -> None:
        """End the leases whose deadline has passed, and drop the messages that are too old."""
        now = self._now()
        for pending in list(self._pending.values()):
            if pending.message.published + self.args.retention_seconds <= now:
                self._drop(pending)
            elif pending.ack_id and pending.until <= now:
                self._fail(pending, pending.until)

    def _deliverable(self, now: float) -> list[_Pending]:
        keys: set[str] = set()
        due = []
        for pending in self._pending.values():
            key = pending.message.ordering_key if self.args.ordered else ""
            if key in keys:
                continue
            if key:
                keys.add(key)
            if not pending.ack_id and pending.ready <= now:
                due.append(pending)
        return due

    def _deliver(self, pending: _Pending) -> Delivery:
        self._count += 1
        pending.ack_id = f"{self.args.name}:{pending.message.id}:{self._count}"
        pending.until = self._now() + self.args.ack_deadline_seconds
        self._leased[pending.ack_id] = pending
        return Delivery(ack_id=pending.ack_id, message=pending.message, attempt=pending.failures + 1)

    def _fail(self, pending: _Pending, at: float) -> None:
        self._leased.pop(pending.ack_id, None)
        pending.ack_id = ""
        pending.failures += 1
        policy = self.args.dead_letters
        if (
            policy
            and pending.failures >= policy.max_delivery_attempts
            and self._forward(pending.message, pending.failures)
        ):
            self._drop(pending)
        else:
            pending.ready = at + self._retry.pause(pending.failures)

    def _drop(self, pending: _Pending) -> None:
        self._leased.pop(pending.ack_id, None)
        self._pending.pop(pending.message.id, None)

    @property
    def _retry(self) -> Retry:
        return self.args.retry or (PUSH_BACKOFF if self.args.push else IMMEDIATE)
