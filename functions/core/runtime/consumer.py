"""What consumes the messages of a queue, each by itself."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from functions.core.runtime.log import Log

Body = TypeVar("Body")
Content = TypeVar("Content")


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """How a message came."""

    number: int = 1
    """How often it has been delivered, this time included."""
    seconds_left: Callable[[], float] = lambda: math.inf
    """How long whoever took it may still run."""


ONCE = Delivery()


@dataclass(frozen=True, kw_only=True)
class Consumer(Generic[Content]):
    """What to do with each message of a queue."""

    work: Callable[[Content, Delivery], None]
    """Does what a message asks; raises when that has to be tried again."""
    log: Log
    timeout_seconds: float = math.inf
    """How long a message may be worked on, for a cloud that does not tell."""

    def take(self, message: str, body: Body, parse: Callable[[Body], Content], delivery: Delivery = ONCE) -> bool:
        """Work on what `parse` reads in a message's body. False: the message must come again; the log says why.

        `parse` raises `ValueError` for a body that it cannot read. Such a message comes again, too,
        until the queue puts it where a person looks: nothing is dropped in silence.
        """
        try:
            self.work(parse(body), delivery)
        except Exception as problem:
            self.log.error(
                "message failed", problem=problem, message=message, delivery=delivery.number, metric="MessageFailed"
            )
            return False
        return True
