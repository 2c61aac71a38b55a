"""Dead letters, and their way back to the queue that they came from."""

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
    """A message that was given up."""

    identity: str
    """The same however often it is taken."""
    receipt: str
    """What drops it, from this taking on."""
    content: Any


class DeadLetters(Protocol):
    """The dead letters of one queue."""

    def count(self) -> int:
        """How many there are, those included that somebody has just taken."""
        ...

    def take(self) -> Sequence[DeadLetter]:
        """Some of them, hidden from others for a while; none when there are none to take."""
        ...

    def send(self, letter: DeadLetter) -> None:
        """Put its content into the queue that it came from, as a new message with all its attempts."""
        ...

    def drop(self, letter: DeadLetter) -> None: ...


def redrive(dead_letters: DeadLetters, *, pause: Callable[[float], None] = time.sleep) -> int:
    """Bring back what lies there now, and return how many that were.

    Each is sent first and dropped then, so that none is lost, whenever this ends. One that is
    handed out twice is sent once. An operation that fails is tried again; if it keeps
    failing, it raises, and what was not moved stays where it was: a letter that was sent and
    could not be dropped comes again with the next redrive, and its job, done by then, is not
    done a second time.
    """
    there, sent = _patiently(dead_letters.count, pause), set[str]()
    while len(sent) < there and (some := _patiently(dead_letters.take, pause)):
        for letter in some:
            if letter.identity not in sent:
                _patiently(lambda letter=letter: dead_letters.send(letter), pause)
                sent.add(letter.identity)
            _patiently(lambda letter=letter: dead_letters.drop(letter), pause)
    return len(sent)


def _patiently(operation: Callable[[], T], pause: Callable[[float], None]) -> T:
    for attempt in range(1, TRIES):
        try:
            return operation()
        except Exception:  # whatever a cloud's client raises: the last try lets it through
            pause(PAUSE_SECONDS * attempt)
    return operation()
