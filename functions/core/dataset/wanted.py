"""What is to be read of a table, and what was found: the words between whoever reads one and whoever asks for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Protocol, Self

from functions.core.dataset.number_style import NumberStyle
from models.feature import Feature

if TYPE_CHECKING:
    from types import TracebackType

    from functions.core.dataset.encoded_rows import EncodedRows

MOST_EXPANDED = 2_000_000_000
"""Bytes to which a compressed file may expand."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """A table's form, as its beginning shows it: enough to go on reading somewhere else in the file."""

    format: str
    """CSV, JSON Lines or Parquet."""
    unit: str
    """What a location counts: "line" or "row"."""
    columns: tuple[str, ...]
    delimiter: str = ""
    decimal: str = "."
    thousands: str = ""

    @property
    def style(self) -> NumberStyle:
        return NumberStyle(self.decimal, self.thousands)

    def document(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def parse(cls, document: dict[str, Any]) -> Self:
        """Read what `document` returns."""
        fields: dict[str, Any] = {**document, "columns": tuple(document["columns"])}
        return cls(**fields)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """The columns to be read, and how."""

    features: tuple[Feature, ...]
    """Columns that become numbers, in this order; one that is to learn its categories becomes their positions in the
    order in which they are found."""
    others: tuple[str, ...] = ()
    """Columns that are read as text."""
    group: str | None = None
    """The column that says of which group a row is, where rows are split by it."""
    time: str | None = None
    """The column that says when a row was, where rows are split by it."""
    latest: float | None = None
    """Seconds since 1970: a row that is dated later is from the future, and refused."""
    weight: str | None = None
    """The column that says what a row weighs."""
    dtype: str = "float32"
    """The numbers that a model gets: float32, or float64."""
    most_cells: int = 0
    """Of so many rows that are refused, the cells are wanted."""
    most_bytes: int = MOST_EXPANDED
    lists: bool = False
    """Whether a line of JSON may be a list of values in the order of the features."""
    resumed: Facts | None = None
    """The form of the whole table, where the blocks begin with one of its later rows."""
    skip: int = 0
    """Rows that are passed over, as far as they come together."""

    def document(self) -> dict[str, Any]:
        return {**asdict(self), "features": [feature.document() for feature in self.features]}

    @classmethod
    def parse(cls, document: dict[str, Any]) -> Self:
        """Read what `document` returns, also after it has been JSON."""
        resumed = document["resumed"]
        fields: dict[str, Any] = {
            **document,
            "features": tuple(map(Feature.parse, document["features"])),
            "others": tuple(document["others"]),
            "resumed": None if resumed is None else Facts.parse(resumed),
        }
        return cls(**fields)


class Rows(Protocol):
    """A table that is open: its facts, then its rows. Its reader ends when the context is left."""

    facts: Facts

    def __iter__(self) -> Iterator[EncodedRows]:
        """Yield the rows. Raise `UnreadableTable`."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Reader(Protocol):
    """Opens a table. `read_here.open_rows` does it in this process, `read_apart.open_rows` in one with bounds."""

    def __call__(self, blocks: Iterator[bytes], wanted: Wanted) -> Rows:
        """Open the table in the blocks of a file. Raise `UnreadableTable`."""
        ...
