"""Pub/Sub as its users see it: requests, log lines, REST, and the thread that pushes."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

import pytest

from localcloud.engine.dead_letters import redrive
from localcloud.gcp.pubsub.dead_letters import DeadLetters
from localcloud.gcp.pubsub.message import Message
from localcloud.gcp.pubsub.pubsub import CONSUME, PUBLISH, NotFound, PubSub
from localcloud.gcp.pubsub.push import post
from localcloud.gcp.pubsub.rest import PubSubApi
from localcloud.gcp.pubsub.subscription import DeadLetterPolicy, Push, Retry, SubscriptionArgs

TOPIC, GRAVE = "projects/p/topics/jobs", "projects/p/topics/dead"
JOBS, DEAD = "projects/p/subscriptions/jobs", "projects/p/subscriptions/dead"
PUSHED = Push(endpoint="http://127.0.0.1:1/", service_account="pusher@p.iam", audience="")


@dataclass
class Bench:
    """A Pub/Sub whose clock, grants and receiver the test holds."""

    now: float = 1_700_000_000.25
    grants: set[tuple[str, str]] = field(default_factory=lambda: {(PUBLISH, GRAVE), (CONSUME, JOBS)})
    lines: list[str] = field(default_factory=list)
    sent: list[tuple[str, dict[str, str], dict[str, Any]]] = field(default_factory=list)
    answer: Callable[[], int] = lambda: 200

    def __post_init__(self) -> None:
        self.pubsub = PubSub(
            token=lambda account, audience: f"{account} for {audience}",
            agent_may=lambda permission, resource: (permission, resource) in self.grants,
            log=self.lines.append,
            now=lambda: self.now,
            send=self.send,
            run=lambda work: work(),
        )
        self.pubsub.create_topic(TOPIC)
        self.pubsub.create_topic(GRAVE)

    def send(self, url: str, headers: Mapping[str, str], body: bytes, _: float) -> int:
        self.sent.append((url, dict(headers), json.loads(body)))
        return self.answer()

    def subscribe(self, **rest: Any) -> SubscriptionArgs:
        args = SubscriptionArgs(name=JOBS, topic=TOPIC, **rest)
        self.pubsub.create_subscription(args)
        return args

    def fail(self, times: int) -> None:
        for _ in range(times):
            self.pubsub.pump()
            self.now += 600

    def api(self, path: str, body: object, sender: str = "ok") -> tuple[int, dict[str, Any]]:
        api = PubSubApi(self.pubsub, lambda token, permission, resource: token == "ok")
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        status, answer = api.answer("POST", f"/v1/{path}", {"authorization": f"Bearer {sender}"}, raw)
        return status, json.loads(answer)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def failing() -> int:
    return 500


def test_a_push_is_an_envelope_as_the_cloud_writes_it(bench: Bench) -> None:
    bench.subscribe(push=PUSHED)
    bench.pubsub.publish(TOPIC, [Message(data=b"hello", attributes={"a": "b"}, ordering_key="k")])
    bench.pubsub.pump()
    url, headers, body = bench.sent[0]
    assert url == PUSHED.endpoint
    assert headers["Authorization"] == f"Bearer pusher@p.iam for {PUSHED.endpoint}"
    assert headers["Content-Type"] == "application/json"
    assert body == {
        "message": {
            "data": base64.b64encode(b"hello").decode(),
            "attributes": {"a": "b"},
            "orderingKey": "k",
            "messageId": "1",
            "message_id": "1",
            "publishTime": "2023-11-14T22:13:20.250Z",
            "publish_time": "2023-11-14T22:13:20.250Z",
        },
        "subscription": JOBS,
    }


def test_an_attempt_is_counted_aloud_only_with_a_dead_letter_policy(bench: Bench) -> None:
    bench.subscribe(push=PUSHED, dead_letters=DeadLetterPolicy(topic=GRAVE))
    bench.answer = failing
    bench.pubsub.publish(TOPIC, [Message(data=b"x")])
    bench.fail(3)
    assert [body["deliveryAttempt"] for _, _, body in bench.sent] == [1, 2, 3]


def test_a_push_without_a_service_account_carries_no_token(bench: Bench) -> None:
    bench.subscribe(push=replace(PUSHED, service_account=""))
    bench.pubsub.publish(TOPIC, [Message(data=b"x")])
    bench.pubsub.pump()
    assert "Authorization" not in bench.sent[0][1]


def test_a_dead_letter_keeps_its_message_and_says_where_it_comes_from(bench: Bench) -> None:
    bench.subscribe(push=PUSHED, dead_letters=DeadLetterPolicy(topic=GRAVE, max_delivery_attempts=5))
    bench.pubsub.create_subscription(SubscriptionArgs(name=DEAD, topic=GRAVE))
    bench.answer = failing
    bench.pubsub.publish(TOPIC, [Message(data=b"x", attributes={"mine": "1"})])
    bench.fail(9)
    assert len(bench.sent) == 5
    message = bench.pubsub.pull(DEAD, 10)[0].message
    assert (message.data, message.id) == (b"x", "2")
    assert message.attributes == {
        "mine": "1",
        "CloudPubSubDeadLetterSourceDeliveryCount": "5",
        "CloudPubSubDeadLetterSourceSubscription": "jobs",
        "CloudPubSubDeadLetterSourceSubscriptionProject": "p",
        "CloudPubSubDeadLetterSourceTopicPublishTime": "2023-11-14T22:13:20.250+00:00",
    }


@pytest.mark.parametrize(
    ("taken", "named"),
    [((PUBLISH, GRAVE), f"roles/pubsub.publisher on {GRAVE}"), ((CONSUME, JOBS), f"roles/pubsub.subscriber on {JOBS}")],
)
def test_a_missing_grant_of_the_service_agent_is_seen_and_said_once(
    bench: Bench, taken: tuple[str, str], named: str
) -> None:
    bench.grants.remove(taken)
    bench.subscribe(push=PUSHED, dead_letters=DeadLetterPolicy(topic=GRAVE))
    bench.pubsub.create_subscription(SubscriptionArgs(name=DEAD, topic=GRAVE))
    bench.answer = failing
    bench.pubsub.publish(TOPIC, [Message(data=b"x")])
    bench.fail(8)
    assert (len(bench.sent), bench.pubsub.waiting(DEAD), bench.pubsub.waiting(JOBS)) == (8, 0, 1)
    assert [line for line in bench.lines if "lacks" in line] == [
        f"{JOBS}: message 1 failed 5 times and is not moved to {GRAVE}: the Pub/Sub service agent lacks {named}"
    ]
    bench.grants.add(taken)
    bench.fail(1)
    assert (bench.pubsub.waiting(DEAD), bench.pubsub.waiting(JOBS)) == (1, 0)


def test_a_dead_letter_goes_back_to_the_topic_that_it_came_by_with_the_attributes_that_it_came_with_and_a_mark(
    bench: Bench,
) -> None:
    bench.subscribe(push=PUSHED, dead_letters=DeadLetterPolicy(topic=GRAVE))
    bench.pubsub.create_subscription(SubscriptionArgs(name=DEAD, topic=GRAVE))
    bench.answer = lambda: 500
    bench.pubsub.publish(TOPIC, [Message(data=b"a", attributes={"key": "x"}), Message(data=b"b")])
    bench.fail(6)
    dead_letters = DeadLetters(bench.pubsub, DEAD)
    assert (dead_letters.count(), bench.pubsub.waiting(JOBS)) == (2, 0)
    assert redrive(dead_letters) == 2
    assert (dead_letters.count(), bench.pubsub.waiting(JOBS)) == (0, 2)
    bench.answer = lambda: 200
    bench.sent.clear()
    bench.pubsub.pump()
    came = [body["message"] for _, _, body in bench.sent]
    assert [message["attributes"] for message in came] == [{"key": "x", "redriven": "true"}, {"redriven": "true"}]
    assert [body["deliveryAttempt"] for _, _, body in bench.sent] == [1, 1]
    with pytest.raises(LookupError):
        DeadLetters(bench.pubsub, "projects/p/subscriptions/none")


def test_dead_letters_that_no_subscription_keeps_are_logged_as_lost(bench: Bench) -> None:
    bench.subscribe(push=PUSHED, dead_letters=DeadLetterPolicy(topic=GRAVE))
    bench.answer = failing
    bench.pubsub.publish(TOPIC, [Message(data=b"x")])
    bench.fail(5)
    assert bench.lines[-1] == f"{JOBS}: a dead letter is lost: {GRAVE} has no subscription that would keep it"


def test_an_account_without_a_token_is_a_failed_push_and_is_said(bench: Bench) -> None:
    def unknown(account: str, _: str | None) -> str:
        raise LookupError(f"no such account: {account}")

    bench.pubsub._token = unknown
    bench.subscribe(push=PUSHED)
    bench.pubsub.publish(TOPIC, [Message(data=b"x")])
    bench.pubsub.pump()
    assert "no such account: pusher@p.iam" in bench.lines[0]
    assert bench.pubsub.waiting(JOBS) == 1


def test_a_message_older_than_the_retention_is_dropped(bench: Bench) -> None:
    bench.subscribe(retention_seconds=600)
    bench.pubsub.publish(TOPIC, [Message(data=b"old")])
    bench.now += 599
    bench.pubsub.publish(TOPIC, [Message(data=b"new")])
    bench.now += 1
    assert [delivery.message.data for delivery in bench.pubsub.pull(JOBS, 10)] == [b"new"]


def test_a_filter_keeps_other_messages_out(bench: Bench) -> None:
    bench.subscribe(filter='attributes.kind = "a"')
    bench.pubsub.publish(TOPIC, [Message(attributes={"kind": "b"}), Message(attributes={"kind": "a"})])
    assert [delivery.message.id for delivery in bench.pubsub.pull(JOBS, 10)] == ["2"]


def test_every_subscription_gets_every_message(bench: Bench) -> None:
    bench.subscribe()
    bench.pubsub.create_subscription(SubscriptionArgs(name=DEAD, topic=TOPIC))
    bench.pubsub.publish(TOPIC, [Message(data=b"x")])
    bench.pubsub.acknowledge(JOBS, [bench.pubsub.pull(JOBS, 1)[0].ack_id])
    assert (bench.pubsub.waiting(JOBS), bench.pubsub.waiting(DEAD)) == (0, 1)


def test_an_update_keeps_the_messages_and_changes_how_they_are_delivered(bench: Bench) -> None:
    args = bench.subscribe(push=PUSHED)
    bench.answer = failing
    bench.pubsub.publish(TOPIC, [Message(data=b"x")])
    bench.pubsub.pump()
    bench.pubsub.update_subscription(replace(args, push=replace(PUSHED, endpoint="http://127.0.0.1:2/")))
    bench.fail(2)
    assert [url for url, _, _ in bench.sent] == [PUSHED.endpoint, "http://127.0.0.1:2/"]
    with pytest.raises(ValueError, match="filter cannot change"):
        bench.pubsub.update_subscription(replace(args, filter="attributes:x"))


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"ack_deadline_seconds": 9}, "ack_deadline_seconds is 9; accepted: 10 to 600"),
        ({"retention_seconds": 1}, "retention_seconds"),
        ({"retry": Retry(minimum=10, maximum=601)}, "retry.maximum"),
        ({"retry": Retry(minimum=10, maximum=5)}, "retry.maximum is 5; accepted: 10 to 600"),
        ({"dead_letters": DeadLetterPolicy(topic=GRAVE, max_delivery_attempts=4)}, "accepted: 5 to 100"),
        ({"concurrency": 0}, "concurrency"),
        ({"filter": "nonsense"}, "filter"),
    ],
)
def test_a_subscription_that_the_cloud_would_refuse_is_refused(wrong: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValueError, match="accepted") as refused:
        SubscriptionArgs(name=JOBS, topic=TOPIC, **wrong)
    assert expected in str(refused.value)


def test_a_topic_that_does_not_exist_is_missed_by_name(bench: Bench) -> None:
    with pytest.raises(NotFound, match="projects/p/topics/other"):
        bench.pubsub.publish("projects/p/topics/other", [Message(data=b"x")])
    with pytest.raises(NotFound, match="projects/p/topics/other"):
        bench.pubsub.create_subscription(SubscriptionArgs(name=JOBS, topic="projects/p/topics/other"))
    with pytest.raises(NotFound, match="projects/p/topics/other"):
        bench.subscribe(dead_letters=DeadLetterPolicy(topic="projects/p/topics/other"))
    with pytest.raises(NotFound, match=JOBS):
        bench.pubsub.pull(JOBS, 1)


def test_a_name_is_given_once(bench: Bench) -> None:
    bench.subscribe()
    with pytest.raises(ValueError, match="exists already"):
        bench.subscribe()


def test_rest_publishes_pulls_keeps_and_acknowledges(bench: Bench) -> None:
    bench.subscribe(dead_letters=DeadLetterPolicy(topic=GRAVE))
    data = base64.b64encode(b"hello").decode()
    published = {"messages": [{"data": data, "attributes": {"a": "b"}, "orderingKey": "k"}, {"data": data}]}
    assert bench.api(f"{TOPIC}:publish", published) == (200, {"messageIds": ["1", "2"]})
    status, pulled = bench.api(f"{JOBS}:pull?alt=json", {"maxMessages": 1, "returnImmediately": True})
    received = pulled["receivedMessages"][0]
    ids = {"ackIds": [received.pop("ackId")]}
    assert (status, received["deliveryAttempt"]) == (200, 1)
    assert received["message"] == {
        "data": data,
        "attributes": {"a": "b"},
        "messageId": "1",
        "publishTime": "2023-11-14T22:13:20.250Z",
        "orderingKey": "k",
    }
    assert bench.api(f"{JOBS}:modifyAckDeadline", {**ids, "ackDeadlineSeconds": 600}) == (200, {})
    bench.now += 599
    assert bench.api(f"{JOBS}:acknowledge", ids) == (200, {})
    assert bench.pubsub.waiting(JOBS) == 1
    assert "attributes" not in bench.api(f"{JOBS}:pull", {"maxMessages": 5})[1]["receivedMessages"][0]["message"]
    assert bench.api(f"{JOBS}:pull", {"maxMessages": 5}) == (200, {})


@pytest.mark.parametrize(
    ("path", "body", "status", "expected"),
    [
        (f"{TOPIC}:publish", {}, 400, "messages"),
        (f"{TOPIC}:publish", {"messages": [{}]}, 400, "needs data"),
        (f"{TOPIC}:publish", {"messages": [{"data": "%"}]}, 400, ""),
        (f"{TOPIC}:publish", {"messages": ["x"]}, 400, "JSON object"),
        (f"{TOPIC}:publish", {"messages": [{"attributes": {"goog-x": "1"}}]}, 400, "goog"),
        (f"{TOPIC}:publish", {"messages": [{"attributes": {"x": 1}}]}, 400, "strings by name"),
        (f"{TOPIC}:publish", b"{", 400, "not JSON"),
        (f"{TOPIC}:publish", b"[]", 400, "JSON object"),
        ("projects/p/topics/none:publish", {"messages": [{"data": "aGk="}]}, 404, "does not exist"),
        (f"{JOBS}:pull", {}, 400, "maxMessages"),
        (f"{JOBS}:pull", {"maxMessages": 1}, 400, "it pushes"),
        (f"{JOBS}:acknowledge", {"ackIds": []}, 400, "ackIds"),
        (f"{JOBS}:modifyAckDeadline", {"ackIds": ["x"], "ackDeadlineSeconds": 601}, 400, "0 to 600"),
        (f"{JOBS}:seek", {}, 404, "accepted: POST to publish"),
        (f"{JOBS}", {}, 404, "accepted"),
    ],
)
def test_rest_refuses_with_the_error_of_a_google_api(
    bench: Bench, path: str, body: object, status: int, expected: str
) -> None:
    bench.subscribe(push=PUSHED)
    code, answer = bench.api(path, body)
    assert (code, answer["error"]["code"]) == (status, status)
    assert answer["error"]["status"] in ("INVALID_ARGUMENT", "NOT_FOUND")
    assert expected in answer["error"]["message"]


def test_rest_refuses_callers_without_permission(bench: Bench) -> None:
    status, answer = bench.api(f"{TOPIC}:publish", {"messages": [{"data": "aGk="}]}, sender="stranger")
    assert (status, answer["error"]["status"]) == (403, "PERMISSION_DENIED")
    assert answer["error"]["message"] == f"Permission 'pubsub.topics.publish' denied on resource '{TOPIC}'"


def test_nothing_is_published_when_one_message_cannot_be(bench: Bench) -> None:
    bench.subscribe()
    with pytest.raises(ValueError, match="needs data"):
        bench.pubsub.publish(TOPIC, [Message(data=b"x"), Message()])
    assert bench.pubsub.waiting(JOBS) == 0


class Receiver(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Receiving)
        self.bodies: list[dict[str, Any]] = []
        self.statuses: list[int] = []
        self.enough = threading.Event()
        self.wanted = 1


class Receiving(BaseHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None: ...

    def do_POST(self) -> None:
        server = cast("Receiver", self.server)
        server.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(server.statuses.pop(0) if server.statuses else 204)
        self.end_headers()
        if len(server.bodies) >= server.wanted:
            server.enough.set()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_the_thread_pushes_over_http_until_it_is_acknowledged(receiver: Receiver) -> None:
    receiver.statuses, receiver.wanted = [500, 503], 3
    pubsub = PubSub(token=lambda *_: "t", agent_may=lambda *_: True, log=lambda _: None)
    pubsub.create_topic(TOPIC)
    endpoint = f"http://127.0.0.1:{receiver.server_address[1]}/push?x=1"
    pubsub.create_subscription(
        SubscriptionArgs(name=JOBS, topic=TOPIC, push=Push(endpoint=endpoint), retry=Retry(minimum=0, maximum=0))
    )
    pubsub.start()
    try:
        pubsub.publish(TOPIC, [Message(data=b"x")])
        assert receiver.enough.wait(timeout=30)
        assert [body["message"]["messageId"] for body in receiver.bodies] == ["1", "1", "1"]
    finally:
        pubsub.stop()
        pubsub.stop()


def test_a_stopped_pubsub_pushes_no_more(receiver: Receiver) -> None:
    pubsub = PubSub(token=lambda *_: "t", agent_may=lambda *_: True, log=lambda _: None)
    pubsub.create_topic(TOPIC)
    endpoint = f"http://127.0.0.1:{receiver.server_address[1]}/"
    pubsub.create_subscription(SubscriptionArgs(name=JOBS, topic=TOPIC, push=Push(endpoint=endpoint)))
    pubsub.start()
    pubsub.stop()
    pubsub.publish(TOPIC, [Message(data=b"x")])
    assert (receiver.bodies, pubsub.waiting(JOBS)) == ([], 1)


@pytest.mark.parametrize("url", ["https://example.com/", "http://example.com/", "http://169.254.169.254/"])
def test_nothing_is_sent_beyond_this_machine(url: str) -> None:
    with pytest.raises(OSError, match="not on this machine"):
        post(url, {}, b"", 1)
