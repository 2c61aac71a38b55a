"""The labelled rows of a day: what was captured on it, and the truths that came within the horizon.

A day is joined once, when its horizon is over: what comes later changes nothing, so that no quality is too good
because the bad news is slow.
"""

from __future__ import annotations

import csv
import io
import math
from collections import Counter
from dataclasses import asdict, dataclass, field, fields
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np
import orjson

from functions.core.registry.truths import EARLY_SECONDS, KEY, REQUEST, Row, Told, Truth, Truths
from functions.core.watching.captured_day import CapturedDay, again
from interface import layout
from models.feature import UnacceptableValue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from functions.core.storage.objects import Objects
    from functions.core.watching.answered import Answered, Card
    from functions.core.watching.captured_columns import CapturedColumns
    from functions.core.watching.captured_rows import CapturedRows

MOST = 30_000
"""Rows of a day whose truths are held at once, the first that are read: labelled, with 30 columns, they take 100 MB."""
KEPT = 10_000
"""Of each version, the newest rows that a quality can be measured on."""


@dataclass(kw_only=True)
class Joined:
    """What became of the rows and the truths of a day."""

    day: str
    captured: dict[str, int] = field(default_factory=dict)
    """Rows by the version that answered them."""
    labelled: dict[str, int] = field(default_factory=dict)
    came: dict[str, int] = field(default_factory=dict)
    """Labelled rows by the days on which truths of them came."""
    unknown: int = 0
    """Rows of which a truth came on this day, and that were captured neither on it nor within the horizon before."""
    early: int = 0
    """Truths that came before the rows that they name: a clock is off, or a key is in use again."""
    unfit: int = 0
    """Truths that the contract does not accept: a class that is gone, a number beyond its range."""
    gone: int = 0
    """Captured rows of versions that are gone, or of another shape."""
    left_out: int = 0
    """Truths of further rows of this day, beyond those that are held at once."""
    lacks: tuple[str, ...] = ()
    """The columns of a dataset that the table lacks, since no request has them, or captures do not keep them."""

    def document(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, document: dict[str, Any]) -> Self:
        """Read what `document` returned, also that of a release with further counts."""
        return cls(**{one.name: document[one.name] for one in fields(cls) if one.name in document})


class Labelled(NamedTuple):
    """One row with its truth."""

    time: float
    version: str
    inputs: Sequence[float]
    outputs: Sequence[float]
    truth: Truth

    def document(self) -> dict[str, Any]:
        """Return it as JSON values, null for a missing number."""
        inputs = [None if math.isnan(value) else value for value in self.inputs]
        return {**self._asdict(), "inputs": inputs, "outputs": list(self.outputs)}

    @classmethod
    def of(cls, document: dict[str, Any]) -> Self:
        """Read what `document` returned."""
        values: dict[str, Any] = {name: document[name] for name in cls._fields}
        values["inputs"] = [math.nan if value is None else value for value in document["inputs"]]
        return cls(**values)


class _Told(NamedTuple):
    """A labelled row, by which name its truth was told, and when and in which request it was asked."""

    row: Labelled
    told: Row
    asked: tuple[float, str]


class Matched:
    """The truths of rows with some names."""

    def __init__(self, names: Iterable[tuple[str, str]]) -> None:
        # Of many names their hashes take a third of the memory; that two are alike does no harm.
        self._names = set(map(hash, names))
        self.last: dict[Row, Told] = {}
        """The last truth of each row."""
        self.days: dict[Row, tuple[str, ...]] = {}
        """The days on which a truth of it came."""
        self.left_out = 0
        """Truths of further rows, beyond `MOST`."""

    def read(self, truths: Iterable[tuple[Row, Told]], day: str) -> int:
        """Hold those truths that are of these rows, and return of how many rows at all one came on a day."""
        on_day: set[int] = set()
        for row, told in truths:
            came = told.day
            if came == day:
                on_day.add(hash(row))
            if hash((row.by, row.name)) not in self._names:
                continue
            if row not in self.last and len(self.last) >= MOST:
                self.left_out += 1
                continue
            if row not in self.last or self.last[row].at < told.at:
                self.last[row] = told
            if came not in self.days.get(row, ()):
                self.days[row] = (*self.days.get(row, ()), came)
        return len(on_day)

    def latest(self, names: Iterable[Row]) -> Row | None:
        """Return by which of its names the last truth of a row came; None where none did."""
        return max((name for name in names if name in self.last), key=lambda one: self.last[one].at, default=None)


class LabelledDays:
    """The labelled rows of one model, in the store of captures: `labelled/<day>/`."""

    def __init__(self, captures: Objects, answered: Answered, model: str, card: Callable[[str], Card | None]) -> None:
        """`card` returns that of a version; None where it is gone."""
        self._captures = captures
        self._answered = answered
        self._model = model
        self._card = card
        self._truths = Truths(captures, model)
        self._columns: dict[str, CapturedColumns | None] = {}

    def days(self) -> list[str]:
        """Return the days of which anything is stored, sorted."""
        return sorted(self._captures.folders(f"{self._model}/{layout.LABELLED}"))

    def joined(self, day: str) -> Joined | None:
        """Return what became of a day; None where it was not joined. Raise `Unreadable`."""
        document = self._captures.find_json(self._key(day, "joined.json"))
        return None if document is None else Joined.of(document)

    def rows(self, day: str, version: str, most: int) -> list[Labelled]:
        """Return the newest labelled rows of a version on a day, at most so many, the oldest first."""
        lines = (self._captures.find(self._key(day, "rows.jsonl")) or b"").splitlines()
        found = (orjson.loads(line) for line in reversed(lines) if f'"{version}"'.encode() in line)
        newest = [Labelled.of(one) for one, _ in zip(found, range(most), strict=False)]
        return newest[::-1]

    def is_asked_for(self, days: Sequence[str]) -> bool:
        """Return whether anybody tells truths: on one of these days, or before."""
        return bool(self.days()) or self._truths.any(days)

    def join(self, day: str, until: str) -> tuple[Joined, list[Labelled]]:
        """Join the rows of a day with the truths that came until the end of another; nothing is stored.

        The captures are read twice: first for the names alone, so that of all truths those are held that are of them.
        """
        first = date.fromisoformat(day) - timedelta(days=1)
        span = (date.fromisoformat(until) - first).days
        truths = again(lambda: Matched(self._names(day)))
        on_day = truths.read(self._truths.of([f"{first + timedelta(days=one)}" for one in range(span + 1)]), day)
        joined, kept = again(lambda: self._read(day, truths))
        joined.labelled = dict(Counter(one.row.version for one in kept))
        joined.came = dict(Counter(came for one in kept for came in truths.days[one.told]))
        matched = [before.came.get(day, 0) for before in self._before(day, span - 1)]
        joined.unknown = max(0, on_day - sum(matched) - joined.came.get(day, 0))
        return joined, [one.row for one in kept]

    def _captured(self, day: str) -> CapturedDay:
        return CapturedDay(self._captures, self._model, day, self._columns_of, answers=True)

    def _columns_of(self, version: str) -> CapturedColumns | None:
        """Return the columns of a version; None where it is gone, or of another kind of model."""
        if version not in self._columns:
            card = self._card(version)
            try:
                self._columns[version] = None if card is None else self._answered.captured(card)
            except (ValueError, LookupError, TypeError):
                self._columns[version] = None
        return self._columns[version]

    def _names(self, day: str) -> Iterator[tuple[str, str]]:
        for request, key in self._captured(day).names():
            yield REQUEST, request
            if key:
                yield KEY, key

    def _read(self, day: str, truths: Matched) -> tuple[Joined, list[_Told]]:
        """Return what was captured on a day, and its labelled rows in the order in which they were asked."""
        captured = self._captured(day)
        joined = Joined(day=day, left_out=truths.left_out)
        labelled: dict[Row, _Told] = {}
        redacted = set[str]()
        for version, rows in captured.rows():
            joined.captured[version] = joined.captured.get(version, 0) + rows.rows
            redacted |= rows.redacted
            self._label(version, rows, truths, joined, labelled)
        joined.gone = captured.unread_rows
        lost = (one.name for one in self._answered.columns if one.name in redacted)
        joined.lacks = tuple(dict.fromkeys([*self._answered.lacks, *lost]))
        return joined, [one for _, one in sorted(labelled.items(), key=lambda each: (each[1].row.time, each[0]))]

    def write(self, joined: Joined, rows: Sequence[Labelled]) -> None:
        """Store what a join came to: the rows as a table that a dataset can be read from, and with their answers."""
        if rows and self._answered.columns:
            self._captures.put(self._key(joined.day, "table.csv"), self._table(rows))
        if rows:
            lines = b"\n".join(orjson.dumps(row.document()) for row in _newest(rows, KEPT))
            self._captures.put(self._key(joined.day, "rows.jsonl"), lines)
        self._captures.put_json(self._key(joined.day, "joined.json"), joined.document())

    def _before(self, day: str, span: int) -> Iterator[Joined]:
        for back in range(1, span + 1):
            found = self.joined(f"{date.fromisoformat(day) - timedelta(days=back)}")
            if found is not None:
                yield found

    def _label(
        self, version: str, rows: CapturedRows, truths: Matched, joined: Joined, labelled: dict[Row, _Told]
    ) -> None:
        """Add those rows that have a truth which counts. Of two truths of a row the later does."""
        row_at = self._answered.rows(rows, self._card(version) or {})
        begins = (np.cumsum(rows.lengths) - rows.lengths).tolist()
        requests = zip(rows.requests, rows.keys, np.nan_to_num(rows.times).tolist(), rows.lengths.tolist(), strict=True)
        for begin, (request, key, time, length) in zip(begins, requests, strict=True):
            for at in range(length):
                names = [Row(REQUEST, request, at), *([Row(KEY, key, at)] if key else [])]
                told = truths.latest(names)
                if told is None or not self._counts(truths.last[told], time, joined):
                    continue
                # A caller that asks again with the same key asks about the same thing: the last answer counts.
                name, last = names[-1], (time, request)
                if name not in labelled or labelled[name].asked <= last:
                    inputs, outputs = row_at(begin + at)
                    truth = truths.last[told].truth
                    row = Labelled(time=time, version=version, inputs=inputs, outputs=outputs, truth=truth)
                    labelled[name] = _Told(row=row, told=told, asked=last)

    def _counts(self, truth: Told, time: float, joined: Joined) -> bool:
        """Return whether a truth counts of a row that was answered at a time, and count it where it does not."""
        if truth.at < time - EARLY_SECONDS:
            joined.early += 1
            return False
        try:
            self._answered.truth.encode(truth.truth)
        except UnacceptableValue:
            joined.unfit += 1
            return False
        return True

    def _table(self, rows: Sequence[Labelled]) -> bytes:
        written = {
            version: self._answered.cells(self._card(version) or {}) for version in {row.version for row in rows}
        }
        content = io.BytesIO()
        file = io.TextIOWrapper(content, encoding="utf-8", newline="")
        table = csv.writer(file, lineterminator="\n")
        table.writerow([*(one.name for one in self._answered.columns), self._answered.truth.name])
        table.writerows([*written[row.version](row.inputs), row.truth] for row in rows)
        file.flush()
        return content.getvalue()

    def _key(self, day: str, name: str) -> str:
        return f"{self._model}/{layout.LABELLED}{day}/{name}"


def _newest(rows: Sequence[Labelled], most: int) -> list[Labelled]:
    """Return the newest rows of each version, at most so many of one."""
    newest: list[Labelled] = []
    count = Counter[str]()
    for row in reversed(rows):
        count[row.version] += 1
        newest += [row] if count[row.version] <= most else []
    return newest[::-1]
