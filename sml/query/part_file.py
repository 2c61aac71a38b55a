"""A Parquet file of a store, copied without the columns that a question has no use for: a file with holes.

The end of a Parquet file says where each column lies. So the end is read first, and then those columns.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from functions.core.storage.objects import Unreadable

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from functions.core.storage.objects import Objects

END_BYTES = 65_536
"""What is read of the end at first: mostly all that is needed of it, and of a small file everything."""
GAP_BYTES = 65_536
"""What is read along with two columns in place of asking twice."""
MAGIC = b"PAR1"


class Span(NamedTuple):
    """Some consecutive bytes of a file."""

    start: int
    stop: int


@dataclass(kw_only=True)
class PartFile:
    """One file, and what of it is read."""

    objects: Objects
    key: str
    size: int
    path: Path
    """Where its copy is."""
    end: int = 0
    """From where on it is there already."""
    spans: list[Span] = field(default_factory=list)
    """What is to be read besides, in order."""

    @property
    def read(self) -> int:
        """How many bytes of it are read."""
        return self.size - self.end + sum(span.stop - span.start for span in self.spans)

    def begin(self) -> None:
        """Read the end, and make the copy with it. Raise `Missing`, and `Unreadable` for what is no Parquet."""
        end = self._block(max(0, self.size - END_BYTES), self.size) if self.size else b""
        footer = int.from_bytes(end[-8:-4], "little") + 8
        if not end.endswith(MAGIC) or footer + len(MAGIC) > self.size:
            raise Unreadable(f"{self.key} is damaged: its {self.size} bytes are no Parquet")
        if footer > len(end):
            end = self._block(self.size - footer, self.size - len(end)) + end
        self.end = self.size - len(end)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("wb") as file:
            file.seek(self.end)
            file.write(end)

    def take(self, columns: Iterable[Span]) -> None:
        """Have columns read that lie there, whatever is between two that are close included."""
        for span in sorted(span for span in columns if span.start < self.end):
            last = self.spans[-1] if self.spans else None
            stop = min(span.stop, self.end)
            if last is not None and span.start <= last.stop + GAP_BYTES:
                self.spans[-1] = Span(last.start, max(last.stop, stop))
            else:
                self.spans.append(Span(span.start, stop))

    def finish(self) -> None:
        """Read what is to be read. Raise `Missing`."""
        with self.path.open("r+b") as file:
            for span in self.spans:
                file.seek(span.start)
                file.write(self._block(*span))

    def _block(self, start: int, stop: int) -> bytes:
        return self.objects.block(self.key, start, stop - start)[0]
