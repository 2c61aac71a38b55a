from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.adapters.aws.queue import in_part, new_object
from functions.core.consumer import Consumer
from functions.core.log import Log
from tests.functions.serving import event

EVENT = event("sqs_object_created")


def consumer(work: Callable[[str], None], lines: io.StringIO | None = None) -> Consumer:
    return Consumer(work=work, log=Log(stream=lines or io.StringIO()))


def about(key: str) -> str:
    return json.dumps({"detail-type": "Object Created", "detail": {"object": {"key": key}}})


def batch(*bodies: str) -> dict[str, Any]:
    return {"Records": [{"messageId": f"m{number}", "body": body} for number, body in enumerate(bodies)]}


@given(st.lists(st.sampled_from(["good", "poison", "", "odd"]), max_size=12))
def test_every_message_is_tried_once_and_exactly_the_failures_are_named(keys: list[str]) -> None:
    tried: list[str] = []

    def work(key: str) -> None:
        tried.append(key)
        if key in ("poison", ""):
            raise ValueError("poison")

    answer = in_part(batch(*map(about, keys), "no event"), consumer(work))
    assert tried == keys
    failed = [f"m{number}" for number, key in enumerate([*keys, ""]) if key in ("poison", "")]
    assert answer == {"batchItemFailures": [{"itemIdentifier": identity} for identity in failed]}


@pytest.mark.parametrize(
    "broken", [{}, {"Records": None}, {"Records": [{"body": "x"}]}, {"Records": [{"messageId": "m"}]}]
)
def test_what_is_no_batch_fails_whole(broken: dict[str, Any]) -> None:
    with pytest.raises((KeyError, TypeError)):
        in_part(broken, consumer(lambda _: None))


def test_a_failure_is_logged_under_its_message() -> None:
    lines = io.StringIO()

    def work(key: str) -> None:
        raise OSError("the store is away")

    in_part(batch(about("x")), consumer(work, lines))
    line = json.loads(lines.getvalue())
    assert (line["message"], line["metric"], line["error"]) == ("m0", "MessageFailed", "OSError")
    assert "the store is away" in line["trace"]


def test_the_key_is_taken_from_the_event_as_it_is_spelt_there() -> None:
    body = EVENT["Records"][0]["body"]
    assert new_object(body) == "tumour/in/job-1"
    assert new_object(body.replace("job-1", "a+b%20c d")) == "tumour/in/a+b%20c d"


@pytest.mark.parametrize(
    "body",
    ["", "text", "null", "[]", "{}", '{"Event": "s3:TestEvent"}', '{"detail-type": "Object Created"}',
     '{"detail-type": "Object Created", "detail": {"object": {"key": 7}}}',
     '{"detail-type": "Object Deleted", "detail": {"object": {"key": "tumour/in/j"}}}'],
)  # fmt: skip
def test_a_message_that_is_no_event_of_a_new_object_is_refused(body: str) -> None:
    with pytest.raises(ValueError, match="the message is"):
        new_object(body)
