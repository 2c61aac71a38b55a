"""The answers to a job's rows, a batch at a time, whatever file the rows came in."""

from __future__ import annotations

from abc import ABC, abstractmethod
from operator import methodcaller
from typing import TYPE_CHECKING, Any

from models.light import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


@dataclass(frozen=True, kw_only=True)
class Answered:
    """Some consecutive rows."""

    lines: Sequence[bytes]
    """A line of JSON for each row, without its line end."""
    refused: int
    """How many of them are errors."""
    seconds: float = 0.0
    """How long it took to answer them, without reading them."""
    size: float = 0.0
    """About how many bytes of the input they are."""


ERROR = b'{"error":'
"""How the line of a row begins that is refused."""


def errors_in(lines: Sequence[bytes]) -> int:
    """Return how many of these rows are refused."""
    return sum(map(methodcaller("startswith", ERROR), lines))


class Answers(ABC):
    """Reads the rows of one input, and has one version answer them.

    All methods raise `Problem` for an input that is at fault as a whole, also between rows.
    """

    facts: Mapping[str, Any] | None = None
    """The form of a table, for a plan."""
    splits: bool = False
    """Whether it can be read from the middle: `between` then does, and `bounds` tells where."""

    @property
    def about(self) -> dict[str, Any]:
        """What the result says of the input besides."""
        return {}

    @abstractmethod
    def all(self, skip: int, batch_rows: int) -> Iterator[Answered]:
        """Yield the answers to all rows but the first `skip`, which are not answered, a batch at a time.

        A batch ends at the latest where the number of rows from the beginning of the input is a multiple of
        `batch_rows`. So one that begins at such a number is the same whether or not rows were passed over.
        """

    def between(self, start: int, stop: int, batch_rows: int) -> Iterator[Answered]:
        """Yield the answers to the rows between two places in the file."""
        raise NotImplementedError

    def bounds(self, part_bytes: int) -> tuple[int, ...]:
        """Return where parts of about `part_bytes` begin, and where the last one ends."""
        raise NotImplementedError


def aligned(first: int, last: int, batch_rows: int) -> Iterator[tuple[int, int]]:
    """Yield where batches begin and end, of which all but the first begin at a multiple of `batch_rows`."""
    while first < last:
        end = min(last, first + batch_rows - first % batch_rows)
        yield first, end
        first = end
