"""One subscription: which message is handed out when, and what becomes of it. No thread, no clock of its own."""

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
    """Where messages are sent, and as whom. Without a service account the requests carry no token.

    With `receive`, a service of this process gets the body in place of a request, and answers its status.
    """

    endpoint: str
    service_account: str = ""
    audience: str = ""
    receive: Callable[[bytes], int] | None = None


@dataclass(frozen=True, kw_only=True)
class Retry:
    """The pause before a message comes again: `minimum` seconds, doubled by every failure, at most `maximum`."""

    minimum: float = 10
    maximum: float = 600

    def pause(self, failures: int) -> float:
        return min(self.maximum, self.minimum * 2 ** min(failures - 1, 64))


AT_ONCE = Retry(minimum=0, maximum=0)
"""Without a retry policy a message is pulled again at once."""
PUSH_BACKOFF = Retry(minimum=0.1, maximum=60)
"""https://cloud.google.com/pubsub/docs/push#push_backoff, which is kept for each message here."""


@dataclass(frozen=True, kw_only=True)
class DeadLetterPolicy:
    """The topic of a message that failed `max_delivery_attempts` times."""

    topic: str
    max_delivery_attempts: int = 5


@dataclass(frozen=True, kw_only=True)
class SubscriptionArgs:
    """A subscription as it is declared. `concurrency` bounds the pushes that are under way at the same time.

    Raises `ValueError` for what Pub/Sub would not take.
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

    def _within(self, what: str, found: float, accepted: tuple[float, float]) -> None:
        if not accepted[0] <= found <= accepted[1]:
            raise ValueError(f"subscription {self.name}: {what} is {found}; accepted: {accepted[0]} to {accepted[1]}")


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """A message handed out, to be acknowledged by `ack_id` in time. `attempt` counts from 1."""

    ack_id: str
    message: Message
    attempt: int


@dataclass(kw_only=True)
class _Held:
    """A message that is not acknowledged: waiting until `ready`, or handed out until `until`."""

    message: Message
    ready: float
    failures: int = 0
    ack_id: str = ""
    until: float = 0.0


class Subscription:
    """Keeps every message until it is acknowledged, is too old, or is a dead letter.

    `bury` is told of a message that used up its attempts, and how many; unless it says that
    the message is safe elsewhere, the message stays and comes again. With `ordered`, a
    message waits for every earlier one of its ordering key, so one of a key is under way.
    `pushing` is kept by who pushes: how many pushes are under way.
    """

    def __init__(
        self, args: SubscriptionArgs, *, now: Callable[[], float], bury: Callable[[Message, int], bool]
    ) -> None:
        self.args = args
        self.pushing = 0
        self._now = now
        self._bury = bury
        self._matches = filters.parse(args.filter)
        self._held: dict[str, _Held] = {}
        self._handed: dict[str, _Held] = {}
        self._count = 0

    def __len__(self) -> int:
        """Messages not acknowledged."""
        self._settle()
        return len(self._held)

    def offer(self, message: Message) -> None:
        """Take a message of the topic, if the filter lets it through."""
        if self._matches(message.attributes):
            self._held[message.id] = _Held(message=message, ready=message.published)

    def hand_out(self, most: int) -> list[Delivery]:
        """Up to `most` messages that may go now, oldest first."""
        self._settle()
        found: list[Delivery] = []
        for held in self._deliverable(self._now()):
            if len(found) >= most:
                break
            found.append(self._lease(held))
        return found

    def acknowledge(self, ack_id: str) -> bool:
        """Be done with a message. False when it is too late: it is, or will be, handed out again."""
        self._settle()
        held = self._handed.pop(ack_id, None)
        return held is not None and self._held.pop(held.message.id, None) is not None

    def modify_deadline(self, ack_id: str, seconds: float) -> bool:
        """Keep a message for `seconds` more from now; 0 gives it back. False when it is too late."""
        self._settle()
        held = self._handed.get(ack_id)
        if held is None:
            return False
        if seconds:
            held.until = self._now() + seconds
        else:
            self._fail(held, self._now())
        return True

    def due(self) -> float | None:
        """When the next message can go or comes back, if that is in the future."""
        now = self._now()
        moments = [held.until if held.ack_id else held.ready for held in self._held.values()]
        return min((moment for moment in moments if moment > now), default=None)

    def _settle(self) -> None:
        """Take back what was not acknowledged in time, and drop what is too old."""
        now = self._now()
        for held in list(self._held.values()):
            if held.message.published + self.args.retention_seconds <= now:
                self._drop(held)
            elif held.ack_id and held.until <= now:
                self._fail(held, held.until)

    def _deliverable(self, now: float) -> list[_Held]:
        keys: set[str] = set()
        found = []
        for held in self._held.values():
            key = held.message.ordering_key if self.args.ordered else ""
            if key in keys:
                continue
            if key:
                keys.add(key)
            if not held.ack_id and held.ready <= now:
                found.append(held)
        return found

    def _lease(self, held: _Held) -> Delivery:
        self._count += 1
        held.ack_id = f"{self.args.name}:{held.message.id}:{self._count}"
        held.until = self._now() + self.args.ack_deadline_seconds
        self._handed[held.ack_id] = held
        return Delivery(ack_id=held.ack_id, message=held.message, attempt=held.failures + 1)

    def _fail(self, held: _Held, at: float) -> None:
        self._handed.pop(held.ack_id, None)
        held.ack_id = ""
        held.failures += 1
        policy = self.args.dead_letters
        if policy and held.failures >= policy.max_delivery_attempts and self._bury(held.message, held.failures):
            self._drop(held)
        else:
            held.ready = at + self._retry.pause(held.failures)

    def _drop(self, held: _Held) -> None:
        self._handed.pop(held.ack_id, None)
        self._held.pop(held.message.id, None)

    @property
    def _retry(self) -> Retry:
        return self.args.retry or (PUSH_BACKOFF if self.args.push else AT_ONCE)
