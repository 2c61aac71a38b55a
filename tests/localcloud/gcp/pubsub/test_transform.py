"""Single message transforms: https://cloud.google.com/pubsub/docs/smts/udfs-overview."""

from __future__ import annotations

from typing import Any

import pytest

from localcloud.gcp.eventarc.notifications import FINALIZE, Notification, Notifications
from localcloud.gcp.pubsub.message import Message
from localcloud.gcp.pubsub.pubsub import PubSub
from localcloud.gcp.pubsub.subscription import SubscriptionArgs
from localcloud.gcp.pubsub.transform import LARGEST_CODE, Transform
from localcloud.gcp.resources.queue import _transforms

TOPIC, SUBSCRIPTION = "projects/p/topics/t", "projects/p/subscriptions/s"
KEEPS_A = "function keep(message, metadata) { return /^a\\//.test(message.attributes.objectId) ? message : null; }"


def transform(body: str, name: str = "change") -> Transform:
    return Transform(function_name=name, code=f"function {name}(message, metadata) {{ {body} }}")


def pubsub(*transforms: Transform, log: list[str] | None = None) -> PubSub:
    lines = [] if log is None else log
    service = PubSub(token=lambda *_: "", agent_may=lambda *_: True, log=lines.append)
    service.create_topic(TOPIC, transforms)
    service.create_subscription(SubscriptionArgs(name=SUBSCRIPTION, topic=TOPIC))
    return service


def pulled(service: PubSub) -> list[Message]:
    return [delivery.message for delivery in service.pull(SUBSCRIPTION, 10)]


def test_what_a_transform_returns_is_what_subscribers_get() -> None:
    service = pubsub(transform("return {data: message.data + '!', attributes: {was: message.attributes.is}};"))
    (identity,) = service.publish(TOPIC, [Message(data="grüße".encode(), attributes={"is": "x"}, ordering_key="k")])
    (message,) = pulled(service)
    assert (message.data.decode(), message.attributes) == ("grüße!", {"was": "x"})
    assert (message.id, message.ordering_key) == (identity, "k")


def test_null_drops_a_message_that_has_an_id_all_the_same() -> None:
    service = pubsub(Transform(function_name="keep", code=KEEPS_A))
    messages = [Message(attributes={"objectId": key}) for key in ("a/1", "b/1", "a/2")]
    assert len(set(service.publish(TOPIC, messages))) == 3
    assert [message.attributes["objectId"] for message in pulled(service)] == ["a/1", "a/2"]


def test_transforms_are_applied_in_their_order_until_one_drops_the_message() -> None:
    service = pubsub(
        transform("return {data: message.data + '1'};"),
        transform("return message.data === 'x1' ? null : {data: message.data + '2'};", "second"),
    )
    service.publish(TOPIC, [Message(data=b"x"), Message(data=b"y")])
    assert [message.data for message in pulled(service)] == [b"y12"]


def test_a_transform_learns_the_metadata_and_cannot_change_it() -> None:
    body = "metadata.message_id = 'other'; return {data: JSON.stringify(metadata)};"
    service = pubsub(transform(body))
    (identity,) = service.publish(TOPIC, [Message(data=b"x", ordering_key="k")])
    (message,) = pulled(service)
    assert message.id == identity
    assert b'"ordering_key":"k"' in message.data


def test_nothing_is_kept_from_one_message_to_the_next() -> None:
    counting = Transform(function_name="count", code="let n = 0; function count(m) { n++; return {data: `${n}`}; }")
    assert [counting(Message(data=b"x")), counting(Message(data=b"x"))] == [Message(data=b"1"), Message(data=b"1")]


@pytest.mark.parametrize(
    ("body", "data", "sentence"),
    [
        ("throw new Error('no');", b"x", "transform change: Error: no"),
        ("return 7;", b"x", "transform change: it returned neither null nor a message"),
        ("return {attributes: {}};", b"x", "transform change: it returned neither null nor a message"),
        ("return message;", b"\xff", "transform change: the data of a message is not UTF-8"),
    ],
)
def test_a_transform_that_fails_publishes_nothing_of_the_batch(body: str, data: bytes, sentence: str) -> None:
    service = pubsub(transform(body))
    with pytest.raises(ValueError, match=sentence):
        service.publish(TOPIC, [Message(data=b"x"), Message(data=data)])
    assert pulled(service) == []


@pytest.mark.parametrize(
    ("name", "code", "sentence"),
    [
        ("keep", "function other(m) {}", "its code has no function of this name"),
        ("keep", "function keep(m) {", "SyntaxError"),
        ("keep", f"function keep(m) {{}} // {'x' * LARGEST_CODE}", "its code is too long; accepted: 20,480 bytes"),
    ],
)
def test_code_that_pubsub_would_refuse_is_refused(name: str, code: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=f"transform {name}: {sentence}"):
        Transform(function_name=name, code=code)


def test_a_topic_changes_its_transforms_for_what_is_published_from_then_on() -> None:
    service = pubsub()
    service.publish(TOPIC, [Message(attributes={"objectId": "b/1"})])
    service.create_topic(TOPIC, [Transform(function_name="keep", code=KEEPS_A)])
    service.publish(TOPIC, [Message(attributes={"objectId": "b/2"})])
    assert [message.attributes["objectId"] for message in pulled(service)] == ["b/1"]


def declared(**changes: Any) -> dict[str, Any]:
    return {"messageTransforms": [{"javascriptUdf": {"functionName": "keep", "code": KEEPS_A}, **changes}]}


def test_a_topic_gets_the_transforms_that_are_declared_for_it_and_not_disabled() -> None:
    assert _transforms(declared()) == [Transform(function_name="keep", code=KEEPS_A)]
    assert _transforms(declared(disabled=True)) == []
    assert _transforms({}) == []
    with pytest.raises(ValueError, match="messageTransforms: aiInference: not here; accepted: javascriptUdf"):
        _transforms(declared(aiInference={"endpoint": "x"}))


def test_an_announcement_that_a_transform_drops_reaches_nobody_and_one_that_fails_is_logged() -> None:
    log: list[str] = []
    service = pubsub(Transform(function_name="keep", code=KEEPS_A), log=log)
    notifications = Notifications(service, agent_may=lambda *_: True, log=log.append)
    notifications.create(Notification(bucket="data", topic=TOPIC, event_types=frozenset({FINALIZE})))
    for key in ("b/1", "a/1"):
        notifications.finalized("data", key, generation=1, size=1)
    assert [message.attributes["objectId"] for message in pulled(service)] == ["a/1"]
    service.create_topic(TOPIC, [transform("throw new Error('no');")])
    notifications.finalized("data", "a/2", generation=1, size=1)
    assert log == [f"bucket data: {TOPIC} has no notice of a/2: transform change: Error: no"]
