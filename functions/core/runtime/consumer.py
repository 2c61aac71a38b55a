"""What takes a queue's messages about new objects, each by itself."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from functions.core.runtime.log import Log

Body = TypeVar("Body")


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """How a message was delivered."""

    number: int = 1
    """1 for the first delivery of the message, one more for each that followed."""
    seconds_left: Callable[[], float] = lambda: math.inf
    """Returns the seconds that the function may still run."""


ONCE = Delivery()


@dataclass(frozen=True, kw_only=True)
class Consumer:
    work: Callable[[str, Delivery], None]
    """Does what the object at a key asks; raises when that has to be tried again."""
    log: Log
    timeout_seconds: float = math.inf
    """How long a message may be worked on, for a cloud that does not tell."""

    def take(self, message: str, body: Body, key_of: Callable[[Body], str], delivery: Delivery = ONCE) -> bool:
        """Work on the object that the body of a message is about. False: the message must come again; the log says why.

        `key_of` raises for a body that is about no object. Such a message comes again, too,
        until the queue puts it where a person looks: nothing is dropped in silence.
        """
        try:
            self.work(key_of(body), delivery)
        except Exception as problem:
            self.log.error(
                "message failed", problem=problem, message=message, delivery=delivery.number, metric="MessageFailed"
            )
            return False
        return True
