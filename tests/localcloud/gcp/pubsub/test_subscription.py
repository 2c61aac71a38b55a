"""A subscription, held to a model that is small enough to be believed, whatever happens in whatever order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from localcloud.gcp.pubsub.message import Message
from localcloud.gcp.pubsub.pubsub import CONSUME, PUBLISH, PubSub
from localcloud.gcp.pubsub.subscription import PUSH_BACKOFF, DeadLetterPolicy, Push, Retry, SubscriptionArgs

TOPIC, GRAVE = "projects/p/topics/jobs", "projects/p/topics/dead"
JOBS, DEAD = "projects/p/subscriptions/jobs", "projects/p/subscriptions/dead"
URL = "http://127.0.0.1:1/jobs"
DEADLINE = 20
FOREVER = 10_000

RETRIES = st.none() | st.builds(
    lambda least, more: Retry(minimum=least, maximum=least + more), st.integers(0, 30), st.integers(0, 300)
)


@dataclass
class Expected:
    """A message, as the documentation speaks of it."""

    id: str
    key: str
    ready: float
    failures: int = 0
    until: float | None = None
    gone: str = ""


@dataclass
class Model:
    """What a subscription should do, without a thought for how."""

    retry: Retry
    max_attempts: int | None
    ordered: bool
    now: float = 1000.0
    grants: set[str] = field(default_factory=lambda: {PUBLISH, CONSUME})
    messages: dict[str, Expected] = field(default_factory=dict)

    def live(self) -> list[Expected]:
        return [message for message in self.messages.values() if not message.gone]

    def deliverable(self) -> list[Expected]:
        first = {}
        for message in self.live():
            first.setdefault(message.key if self.ordered and message.key else message.id, message)
        return [message for message in first.values() if message.until is None and message.ready <= self.now]

    def fail(self, message: Expected, at: float) -> None:
        message.failures += 1
        message.until = None
        if self.max_attempts and message.failures >= self.max_attempts and len(self.grants) == 2:
            message.gone = "dead"
        else:
            message.ready = at + min(self.retry.maximum, self.retry.minimum * 2 ** (message.failures - 1))

    def settle(self) -> None:
        for message in self.live():
            if message.until is not None and message.until <= self.now:
                self.fail(message, message.until)


class Deliveries(RuleBasedStateMachine):
    """What pulling and pushing have in common."""

    push: Push | None = None
    pubsub: PubSub
    model: Model

    def build(self, retry: Retry | None, max_attempts: int | None, ordered: bool, concurrency: int) -> None:
        default = PUSH_BACKOFF if self.push else Retry(minimum=0, maximum=0)
        self.model = Model(retry=retry or default, max_attempts=max_attempts, ordered=ordered)
        self.lines: list[str] = []
        self.pubsub = PubSub(
            token=lambda account, audience: f"{account} for {audience}",
            agent_may=lambda permission, resource: permission in self.model.grants and resource in (GRAVE, JOBS),
            log=self.lines.append,
            now=lambda: self.model.now,
            send=self.send,
            run=self.run_later,
        )
        self.pubsub.create_topic(TOPIC)
        self.pubsub.create_topic(GRAVE)
        self.pubsub.create_subscription(SubscriptionArgs(name=DEAD, topic=GRAVE))
        self.args = SubscriptionArgs(
            name=JOBS,
            topic=TOPIC,
            ack_deadline_seconds=DEADLINE,
            push=self.push,
            retry=retry,
            dead_letters=DeadLetterPolicy(topic=GRAVE, max_delivery_attempts=max_attempts) if max_attempts else None,
            ordered=ordered,
            concurrency=concurrency,
        )
        self.pubsub.create_subscription(self.args)

    def send(self, url: str, headers: Mapping[str, str], body: bytes, seconds: float) -> int:
        raise NotImplementedError

    def run_later(self, work: Callable[[], None]) -> None:
        raise NotImplementedError

    @rule(key=st.sampled_from(["", "a", "b"]), count=st.integers(1, 3))
    def publish(self, key: str, count: int) -> None:
        for id_ in self.pubsub.publish(TOPIC, [Message(data=b"x", ordering_key=key)] * count):
            self.model.messages[id_] = Expected(id=id_, key=key, ready=self.model.now)

    @rule(seconds=st.sampled_from([0.1, 1, DEADLINE - 1, DEADLINE, 60, 700]))
    def wait(self, seconds: float) -> None:
        self.model.now += seconds
        self.model.settle()

    @precondition(lambda self: hasattr(self, "model") and self.model.live())
    @rule(times=st.integers(2, 5))
    def fail_again_and_again(self, times: int) -> None:
        for _ in range(times):
            self.wait(700)
            self.fail_all()

    def fail_all(self) -> None:
        raise NotImplementedError

    @rule(role=st.sampled_from([PUBLISH, CONSUME]))
    def take_or_give_a_grant(self, role: str) -> None:
        self.model.settle()
        self.pubsub.waiting(JOBS)
        self.model.grants ^= {role}

    @invariant()
    def nothing_is_lost_and_the_dead_are_dead(self) -> None:
        if not hasattr(self, "pubsub"):
            return
        assert self.pubsub.waiting(JOBS) == len(self.model.live())
        dead = [message for message in self.model.messages.values() if message.gone == "dead"]
        assert self.pubsub.waiting(DEAD) == len(dead)

    def teardown(self) -> None:
        """Everything that is left can still be had, and what is dead says where it comes from."""
        if not hasattr(self, "pubsub"):
            return
        buried = self.pubsub.pull(DEAD, FOREVER)
        for delivery in buried:
            attributes = delivery.message.attributes
            assert attributes["CloudPubSubDeadLetterSourceSubscription"] == "jobs"
            assert int(attributes["CloudPubSubDeadLetterSourceDeliveryCount"]) >= (self.model.max_attempts or 0)
        alive = [message for message in self.model.messages.values() if message.gone != "acknowledged"]
        assert len(buried) + len(self.model.live()) == len(alive)


class Pulling(Deliveries):
    """Pull, acknowledge, give back, keep longer, let it run out."""

    @initialize(retry=RETRIES, max_attempts=st.none() | st.integers(5, 7), ordered=st.booleans())
    def begin(self, retry: Retry | None, max_attempts: int | None, ordered: bool) -> None:
        self.build(retry, max_attempts, ordered, 1)
        self.out: dict[str, str] = {}

    @rule(limit=st.integers(1, 4) | st.just(FOREVER))
    def pull(self, limit: int) -> None:
        expected = self.model.deliverable()[:limit]
        deliveries = self.pubsub.pull(JOBS, limit)
        assert [delivery.message.id for delivery in deliveries] == [message.id for message in expected]
        assert [delivery.attempt for delivery in deliveries] == [message.failures + 1 for message in expected]
        for delivery, message in zip(deliveries, expected, strict=True):
            message.until = self.model.now + DEADLINE
            self.out[delivery.ack_id] = message.id

    def fail_all(self) -> None:
        self.pull(FOREVER)
        for ack_id in list(self.out):
            self.change(ack_id, 0)

    def held(self, ack_id: str) -> Expected | None:
        """The message, if this ack id is still the one it was last handed out with."""
        message = self.model.messages[self.out[ack_id]]
        newest = [each for each, id_ in self.out.items() if id_ == message.id][-1]
        return message if message.until is not None and not message.gone and newest == ack_id else None

    @precondition(lambda self: bool(getattr(self, "out", None)))
    @rule(data=st.data())
    def acknowledge(self, data: st.DataObject) -> None:
        ack_id = data.draw(st.sampled_from(sorted(self.out)))
        message = self.held(ack_id)
        self.pubsub.acknowledge(JOBS, [ack_id])
        if message:
            message.until, message.gone = None, "acknowledged"

    @precondition(lambda self: bool(getattr(self, "out", None)))
    @rule(data=st.data(), seconds=st.sampled_from([0, 0, 0, 5, 60]))
    def give_back_or_keep(self, data: st.DataObject, seconds: int) -> None:
        self.change(data.draw(st.sampled_from(sorted(self.out))), seconds)

    def change(self, ack_id: str, seconds: int) -> None:
        message = self.held(ack_id)
        self.pubsub.modify_deadline(JOBS, [ack_id], seconds)
        if message and seconds:
            message.until = self.model.now + seconds
        elif message:
            self.model.fail(message, self.model.now)


class Pushing(Deliveries):
    """Push requests that end in any order, in time or too late, with any status or none."""

    push = Push(endpoint=URL, service_account="pusher@p", audience="the jobs")

    @initialize(
        retry=RETRIES, max_attempts=st.none() | st.integers(5, 7), ordered=st.booleans(), concurrency=st.integers(1, 3)
    )
    def begin(self, retry: Retry | None, max_attempts: int | None, ordered: bool, concurrency: int) -> None:
        self.build(retry, max_attempts, ordered, concurrency)
        self.under_way: list[Callable[[], None]] = []
        self.begun: list[tuple[str, float]] = []

    def run_later(self, work: Callable[[], None]) -> None:
        self.under_way.append(work)

    @rule()
    def pump(self) -> None:
        free = self.args.concurrency - len(self.under_way)
        expected = self.model.deliverable()[: max(free, 0)]
        before = len(self.under_way)
        due = self.pubsub.pump()
        assert len(self.under_way) - before == len(expected)
        assert len(self.under_way) <= self.args.concurrency
        for message in expected:
            message.until = self.model.now + DEADLINE
            self.begun.append((message.id, message.until))
        moments = [message.ready if message.until is None else message.until for message in self.model.live()]
        assert due == min((moment for moment in moments if moment > self.model.now), default=None)

    @precondition(lambda self: bool(getattr(self, "under_way", None)))
    @rule(data=st.data(), status=st.sampled_from([200, 201, 202, 204, 102, 203, 400, 429, 500, None]))
    def answer(self, data: st.DataObject, status: int | None) -> None:
        self.end(data.draw(st.integers(0, len(self.under_way) - 1)), status)

    def fail_all(self) -> None:
        self.pump()
        while self.under_way:
            self.end(0, 500)

    def end(self, at: int, status: int | None) -> None:
        work = self.under_way.pop(at)
        id_, until = self.begun.pop(at)
        self.status = status
        self.model.settle()
        message = self.model.messages[id_]
        in_time = message.until == until and not message.gone
        if in_time and status in (200, 201, 202, 204, 102):
            message.until, message.gone = None, "acknowledged"
        elif in_time:
            self.model.fail(message, self.model.now)
        work()

    def send(self, url: str, headers: Mapping[str, str], body: bytes, seconds: float) -> int:
        assert (url, headers["Authorization"], seconds) == (URL, "Bearer pusher@p for the jobs", DEADLINE)
        assert (b"deliveryAttempt" in body) == bool(self.model.max_attempts)
        if self.status is None:
            raise ConnectionResetError("reset")
        return self.status


BOUNDS = settings(max_examples=40, stateful_step_count=30, deadline=None)
TestPulling = Pulling.TestCase
TestPulling.settings = BOUNDS
TestPushing = Pushing.TestCase
TestPushing.settings = BOUNDS
