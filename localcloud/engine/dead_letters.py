"""Dead letters, and how they are moved back to the queue they came from."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

T = TypeVar("T")

TRIES = 5
PAUSE_SECONDS = 0.2


@dataclass(frozen=True, kw_only=True)
class DeadLetter:
    """A message that used up its delivery attempts."""

    identity: str
    """The message's id, the same each time it is received."""
    receipt: str
    """The handle that deletes it, valid for this receipt alone."""
    content: Any


class DeadLetters(Protocol):
    """The dead letters of one queue."""

    def count(self) -> int:
        """Return their number, including those that are received and not yet deleted."""
        ...

    def take(self) -> Sequence[DeadLetter]:
        """Receive a batch of them, hidden from others for a while. Empty when there are none to receive."""
        ...

    def send(self, letter: DeadLetter) -> None:
        """Send its content to the queue it came from, as a new message with all its delivery attempts."""
        ...

    def drop(self, letter: DeadLetter) -> None:
        """Delete it from the dead letters."""
        ...


def redrive(dead_letters: DeadLetters, *, pause: Callable[[float], None] = time.sleep) -> int:
    """Send the dead letters that are there now back to their queue, and return their number.

    Each is sent first and then dropped, so none is lost whenever this ends. One that is
    received twice is sent once. A failed operation is retried up to `TRIES` times, `pause`
    seconds apart, and then raises the client's error; what was not moved stays a dead letter.
    A letter that was sent and not dropped is moved again by the next redrive; its job is done
    by then, and not done twice.
    """
    count, sent = _retry(dead_letters.count, pause), set[str]()
    while len(sent) < count and (batch := _retry(dead_letters.take, pause)):
        for letter in batch:
            if letter.identity not in sent:
                _retry(lambda letter=letter: dead_letters.send(letter), pause)
                sent.add(letter.identity)
            _retry(lambda letter=letter: dead_letters.drop(letter), pause)
    return len(sent)


def _retry(operation: Callable[[], T], pause: Callable[[float], None]) -> T:
    for attempt in range(1, TRIES):
        try:
            return operation()
        except Exception:  # each cloud's client raises errors of its own; the last attempt lets them through
            pause(PAUSE_SECONDS * attempt)
    return operation()
