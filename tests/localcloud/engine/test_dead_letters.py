from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localcloud.engine.dead_letters import TRIES, DeadLetter, redrive

NO_PAUSE: Callable[[float], None] = lambda _: None  # noqa: E731


class Grave:
    """The dead letters of a queue that delivers in any order: some at a time, and occasionally one twice.

    Whether an operation fails, `fails` says; one that fails has done nothing.
    """

    def __init__(self, contents: Sequence[str], *, fails: Callable[[str], bool] = lambda _: False) -> None:
        self.dead = {f"m{number}": content for number, content in enumerate(contents)}
        self.queue: list[str] = []
        self.handed_out: Iterator[int] = iter(())
        self.fails = fails

    def count(self) -> int:
        self._may("count")
        return len(self.dead)

    def take(self) -> list[DeadLetter]:
        self._may("take")
        some = list(self.dead.items())[: next(self.handed_out, 10) or 1]
        twice = [*some, *some[:1]]  # delivery is at least once
        return [DeadLetter(identity=name, receipt=f"r-{name}", content=content) for name, content in twice]

    def send(self, letter: DeadLetter) -> None:
        self._may("send")
        self.queue.append(letter.content)

    def drop(self, letter: DeadLetter) -> None:
        self._may("drop")
        self.dead.pop(letter.receipt.removeprefix("r-"), None)

    def _may(self, operation: str) -> None:
        if self.fails(operation):
            raise OSError(f"{operation}: away")


@given(
    st.lists(st.text(max_size=3), max_size=30),
    st.lists(st.integers(0, 10), max_size=10),
    st.lists(st.integers(0, TRIES - 1), max_size=200),
)
def test_whatever_is_pulled_and_whatever_fails_for_a_while_no_dead_letter_is_lost_or_doubled(
    contents: list[str], sizes: list[int], failures: list[int]
) -> None:
    left, runs = 0, iter(failures)

    def fails(_: str) -> bool:
        nonlocal left
        left = left - 1 if left else next(runs, 0)
        return left > 0

    grave = Grave(contents, fails=fails)
    grave.handed_out = iter(sizes)
    assert redrive(grave, pause=NO_PAUSE) == len(contents)
    assert Counter(grave.queue) == Counter(contents)
    assert grave.dead == {}


@given(st.integers(0, 60), st.integers(1, 20))
def test_an_interrupted_redrive_loses_nothing_and_doubles_at_most_the_message_under_way(
    at: int, dead_letters: int
) -> None:
    contents, steps = [f"{n}" for n in range(dead_letters)], iter(range(10_000))
    grave = Grave(contents, fails=lambda _: next(steps) >= at)
    try:
        redrive(grave, pause=NO_PAUSE)
    except OSError as problem:
        assert "away" in str(problem)  # noqa: PT017 - it may as well have been through
    assert set(grave.queue) | set(grave.dead.values()) == set(contents)
    grave.fails = lambda _: False
    redrive(grave, pause=NO_PAUSE)
    assert set(grave.queue) == set(contents)
    assert len(grave.queue) <= dead_letters + 1


def test_dead_letters_that_die_again_meanwhile_are_left_for_the_next_time() -> None:
    grave = Grave(["a", "b"])
    taken = grave.take

    def dying() -> list[DeadLetter]:
        grave.dead[f"again-{len(grave.queue)}"] = "dead again"
        return [letter for letter in taken() if letter.content != "dead again"] or taken()

    grave.take = dying
    assert redrive(grave, pause=NO_PAUSE) == 2
    assert grave.queue == ["a", "b"]
    assert set(grave.dead.values()) == {"dead again"}


def test_an_error_that_does_not_pass_is_reported() -> None:
    waits: list[float] = []
    with pytest.raises(OSError, match="take: away"):
        redrive(Grave(["a"], fails=lambda operation: operation == "take"), pause=waits.append)
    assert waits == sorted(waits)
    assert len(waits) == TRIES - 1


class Sqs:
    """What the adapter asks of SQS, for queues in memory."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []

    def get_paginator(self, _: str) -> Any:
        return self

    def paginate(self) -> list[dict[str, Any]]:
        return [{}, {"QueueUrls": ["https://sqs/dead", "https://sqs/other", "https://sqs/jobs"]}]

    def get_queue_attributes(self, *, QueueUrl: str, AttributeNames: list[str]) -> dict[str, Any]:
        name = QueueUrl.rpartition("/")[2]
        known = {"QueueArn": f"arn:{name}", "ApproximateNumberOfMessages": "3"}
        known |= {"ApproximateNumberOfMessagesNotVisible": "2"}
        if name == "jobs":
            known["RedrivePolicy"] = '{"deadLetterTargetArn": "arn:dead", "maxReceiveCount": 5}'
        return {"Attributes": {key: known[key] for key in AttributeNames if key in known}}

    def send_message(self, **message: Any) -> None:
        self.sent.append(message)


def test_a_dead_letter_returns_with_its_attributes_to_the_queue_that_it_came_from() -> None:
    from localcloud.aws.dead_letters import DeadLetters

    sqs = Sqs()
    dead_letters = DeadLetters(sqs, "https://sqs/dead")
    attribute = {"StringValue": "x", "DataType": "String", "StringListValues": []}
    dead_letters.send(
        DeadLetter(identity="m", receipt="r", content={"Body": "b", "MessageAttributes": {"a": attribute}})
    )
    attributes = {"a": {"StringValue": "x", "DataType": "String"}}
    assert sqs.sent == [{"QueueUrl": "https://sqs/jobs", "MessageBody": "b", "MessageAttributes": attributes}]
    assert dead_letters.count() == 5
    with pytest.raises(LookupError, match="dead letters of no queue"):
        DeadLetters(sqs, "https://sqs/other")
