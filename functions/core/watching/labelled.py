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

import orjson

from functions.core.registry.truths import KEY, REQUEST, Row, Told, Truth, Truths
from functions.core.watching.captured_day import requests_of
from interface import layout
from models.feature import UnacceptableValue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from functions.core.storage.objects import Objects
    from functions.core.watching.answered import Answered, Captured, Card, Record

EARLY_SECONDS = 3600
"""A truth that came so long before its row was answered is another row's, or a clock is off."""
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
    """The columns of a dataset that the table lacks, since no request has them."""

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


class LabelledDays:
    """The labelled rows of one model, in the store of captures: `labelled/<day>/`."""

    def __init__(self, captures: Objects, answered: Answered, model: str, card: Callable[[str], Card | None]) -> None:
        """`card` returns that of a version; None where it is gone."""
        self._captures = captures
        self._answered = answered
        self._model = model
        self._card = card
        self._truths = Truths(captures, model)

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
        truths = Matched(self._names(day))
        on_day = truths.read(self._truths.of([f"{first + timedelta(days=one)}" for one in range(span + 1)]), day)
        joined = Joined(day=day, lacks=self._answered.lacks, left_out=truths.left_out)
        captured, labelled = Counter[str](), dict[Row, tuple[Labelled, Row]]()
        for record in requests_of(self._captures, self._model, day):
            version, rows = self._read(record)
            if version is None:
                joined.gone += record.get("rows", 1)
                continue
            captured[version] += len(rows)
            for at, row in enumerate(rows):
                self._label(record, at, (version, row), truths, joined, labelled)
        kept = sorted(labelled.values(), key=lambda one: one[0].time)
        joined.captured = dict(captured)
        joined.labelled = dict(Counter(one.version for one, _ in kept))
        joined.came = dict(Counter(came for _, name in kept for came in truths.days[name]))
        matched = [before.came.get(day, 0) for before in self._before(day, span - 1)]
        joined.unknown = max(0, on_day - sum(matched) - joined.came.get(day, 0))
        return joined, [one for one, _ in kept]

    def _names(self, day: str) -> Iterator[tuple[str, str]]:
        for record in requests_of(self._captures, self._model, day):
            yield REQUEST, record.get("request", "")
            if "key" in record:
                yield KEY, record["key"]

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

    def _read(self, record: Record) -> tuple[str | None, list[Captured]]:
        """Return the version whose answer a record holds, and its rows; None where nobody can tell any more."""
        # What a challenger failed on holds the champion's answer, under the challenger's name.
        version = record.get("answered_by" if record.get("error") else "version")
        card = self._card(version) if isinstance(version, str) else None
        if card is None:
            return None, []
        try:
            return version, self._answered.rows(record, card)
        except (ValueError, LookupError, TypeError):
            return None, []

    def _label(
        self,
        record: Record,
        at: int,
        answer: tuple[str, Captured],
        truths: Matched,
        joined: Joined,
        labelled: dict[Row, tuple[Labelled, Row]],
    ) -> None:
        """Add the truth of a row of a request, if there is one that counts. Of two truths of it the later does."""
        names = [Row(REQUEST, record.get("request", ""), at)]
        names += [Row(KEY, record["key"], at)] if "key" in record else []
        told = max((name for name in names if name in truths.last), key=lambda one: truths.last[one].at, default=None)
        if told is None:
            return
        (version, row), truth, time = answer, truths.last[told], float(record.get("time", 0.0))
        if truth.at < time - EARLY_SECONDS:
            joined.early += 1
            return
        try:
            self._answered.truth.encode(truth.truth)
        except UnacceptableValue:
            joined.unfit += 1
            return
        # A caller that asks again with the same key asks about the same thing: the last answer is the one that counts.
        name = names[-1]
        if name not in labelled or labelled[name][0].time <= time:
            one = Labelled(time=time, version=version, inputs=row.inputs, outputs=row.outputs, truth=truth.truth)
            labelled[name] = (one, told)

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
