from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.adapters.aws.queue import consume_batch, key_of, object_of
from functions.core.runtime.consumer import Consumer, Delivery
from functions.core.runtime.log import Log
from tests.functions.serving import event

EVENT = event("sqs_object_created")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def consumer(work: Callable[[str], None], lines: io.StringIO | None = None) -> Consumer:
    return Consumer(work=lambda key, _: work(key), log=Log(stream=lines or io.StringIO()))


def answered(event: Any, work: Callable[[str], None], lines: io.StringIO | None = None) -> dict[str, Any]:
    return consume_batch(event, consumer(work, lines), key_of, lambda: 60.0)


def about(key: str) -> str:
    return json.dumps({"detail-type": "Object Created", "detail": {"object": {"key": key}}})


def batch(*bodies: Any) -> dict[str, Any]:
    return {"Records": [{"messageId": f"m{number}", "body": body} for number, body in enumerate(bodies)]}


@given(st.lists(st.tuples(st.uuids().map(str), st.text(max_size=20), st.booleans()), unique_by=lambda m: m[0]))
def test_of_any_batch_every_message_is_tried_once_and_exactly_those_that_fail_are_named(
    messages: list[tuple[str, str, bool]],
) -> None:
    tried: list[str] = []
    fate = iter([fails for _, _, fails in messages])

    def work(key: str) -> None:
        tried.append(key)
        if next(fate):
            raise ValueError("poison")

    records = [{"messageId": identity, "body": about(key)} for identity, key, _ in messages]
    answer = answered({"Records": records}, work)
    assert tried == [key for _, key, _ in messages]
    assert answer == {"batchItemFailures": [{"itemIdentifier": identity} for identity, _, fails in messages if fails]}


@given(st.lists(JSON, max_size=4), JSON)
def test_a_message_that_is_no_event_is_named_and_the_others_are_done(bodies: list[Any], last: Any) -> None:
    tried: list[str] = []
    event = batch(about("first"), *bodies, json.dumps(last), about("last"))
    answer = answered(event, tried.append)
    strange = [f"m{number}" for number in range(1, len(bodies) + 2)]
    assert tried == ["first", "last"]
    assert [failure["itemIdentifier"] for failure in answer["batchItemFailures"]] == strange


@given(JSON | st.fixed_dictionaries({"Records": JSON | st.lists(st.fixed_dictionaries({"messageId": JSON}))}))
def test_of_an_event_that_is_no_batch_no_message_is_ever_lost(event: Any) -> None:
    """Either the whole event comes again, or each of its messages is named: none was about an object."""
    done: list[str] = []
    try:
        answer = answered(event, done.append)
    except Exception:
        return
    named = [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]
    assert named == [record["messageId"] for record in event["Records"]]
    assert all(isinstance(identity, str) and identity for identity in named)
    assert done == []


def test_a_message_without_an_id_has_the_whole_batch_come_again_before_anything_is_done() -> None:
    done: list[str] = []
    for identity in (None, "", 7, ["m0"]):
        event = batch(about("x"), about("y"))
        event["Records"][1]["messageId"] = identity
        with pytest.raises(ValueError, match="has no id"):
            answered(event, done.append)
    assert done == []


def test_the_worker_gets_the_number_of_the_delivery_and_the_seconds_left() -> None:
    deliveries: list[Delivery] = []
    event = batch(about("a"), about("b"), about("c"))
    event["Records"][0]["attributes"] = {"ApproximateReceiveCount": "4"}
    event["Records"][1]["attributes"] = {"ApproximateReceiveCount": "often"}
    consume_batch(
        event,
        Consumer(work=lambda _, delivery: deliveries.append(delivery), log=Log(stream=io.StringIO())),
        key_of,
        lambda: 7.0,
    )
    assert [delivery.number for delivery in deliveries] == [4, 1, 1]
    assert [delivery.seconds_left() for delivery in deliveries] == [7.0] * 3


def test_a_failure_is_logged_under_its_message() -> None:
    lines = io.StringIO()

    def work(key: str) -> None:
        raise OSError("the store is away")

    answered(batch(about("x")), work, lines)
    line = json.loads(lines.getvalue().splitlines()[0])
    assert (line["message"], line["metric"], line["error"]) == ("m0", "MessageFailed", "OSError")
    assert "the store is away" in line["trace"]


def test_the_key_is_taken_from_the_event_as_it_is_spelt_there() -> None:
    body = EVENT["Records"][0]["body"]
    assert key_of(body) == "tumour/in/job-1"
    assert key_of(body.replace("job-1", "a+b%20c d")) == "tumour/in/a+b%20c d"


@pytest.mark.parametrize(
    "body",
    ["", "text", "null", "[]", "{}", '{"Event": "s3:TestEvent"}', '{"detail-type": "Object Created"}',
     '{"detail-type": "Object Created", "detail": {"object": {"key": 7}}}',
     '{"detail-type": "Object Deleted", "detail": {"object": {"key": "tumour/in/j"}}}'],
)  # fmt: skip
def test_a_message_that_is_no_event_of_a_new_object_is_refused(body: str) -> None:
    with pytest.raises(ValueError, match="the message is"):
        key_of(body)


def test_a_message_of_a_queue_without_a_store_is_the_object_that_it_holds() -> None:
    contents: list[Any] = []
    consumer = Consumer(work=lambda content, _: contents.append(content), log=Log(stream=io.StringIO()))
    answer = consume_batch(batch('{"a": [1]}', "[]", "no JSON", None, "7"), consumer, object_of, lambda: 60.0)
    assert contents == [{"a": [1]}]
    assert [failure["itemIdentifier"] for failure in answer["batchItemFailures"]] == ["m1", "m2", "m3", "m4"]
