"""The checks of a model: of each day what was captured, and what it came to beside the days before it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from functions.core.watching.captured_columns import columns_of
from functions.core.watching.captured_day import CapturedDay, again, captured_days
from functions.core.watching.captured_reference import ROWS, freeze
from functions.core.watching.captured_rows import joined
from functions.core.watching.counted import Counted, CountedDay
from functions.core.watching.drift import FEW, compare, words, worst
from functions.core.watching.qualities import Qualities, no_version
from functions.core.watching.reference import Reference
from interface import layout

if TYPE_CHECKING:
    from functions.core.storage.objects import Objects
    from functions.core.watching.answered import Answered
    from functions.core.watching.captured_columns import CapturedColumns
    from functions.core.watching.captured_rows import CapturedRows

Document = dict[str, Any]
LONGEST = 14
"""Days of a window, at most."""
TWICE = "a second time: the window before had drifted, too"


@dataclass(kw_only=True)
class Checks:
    """The checks of one model, by day."""

    model: str
    models: Objects
    captures: Objects
    answered: Answered | None = None
    """What its answers are; None where no truth is told of them, and no quality is measured."""

    def __post_init__(self) -> None:
        self._references: dict[str, Reference | None] = {}
        self.qualities = (
            None if self.answered is None else Qualities(self.models, self.captures, self.model, self.answered)
        )
        self._columns: dict[str, CapturedColumns | None] = {}

    def key(self, day: str) -> str:
        """Return where the check of a day lies, in the models store."""
        return f"{self.model}/{layout.WATCH}{day}.json"

    def days(self) -> list[str]:
        """Return the days that were checked, sorted."""
        keys = self.models.keys(f"{self.model}/{layout.WATCH}".rstrip("/"))
        return sorted(key.rpartition("/")[2].removesuffix(".json") for key in keys)

    def read(self, day: str) -> Document | None:
        """Return the check of a day; None where there is none. Raise `Unreadable`."""
        return self.models.find_json(self.key(day))

    def write(self, day: str, check: Document) -> None:
        """Store the check of a day, in place of any other."""
        self.models.put_json(self.key(day), check)

    def reference(self, version: str) -> Reference | None:
        """Return that of a version; None where it has none."""
        if version not in self._references:
            self._references[version] = Reference.find(self.models, self.model, version)
        return self._references[version]

    def columns(self, version: str) -> CapturedColumns | None:
        """Return those of the captures of a version; None where it is gone."""
        if version not in self._columns:
            card = self.models.find_json(f"{self.model}/{layout.VERSIONS}{version}/card.json")
            self._columns[version] = columns_of(card)
        return self._columns[version]

    def captured(self, day: str) -> CapturedDay:
        """Return what was captured on a day."""
        return CapturedDay(self.captures, self.model, day, self.columns)

    def check(self, day: str, version: str | None) -> Document:
        """Count what was captured on a day, and compare what `version`, the champion, was asked.

        The window begins so many days before as it takes for enough rows, at most `LONGEST`, and not before the last
        one that had enough. What has drifted in that one, too, is `confirmed`. Where truths are told of the model, the
        check has the `quality` of the version, too.
        """
        drift = self._drift(day, version)
        if self.qualities is None:
            return drift
        return {**drift, "quality": no_version() if version is None else self.qualities.check(day, version)}

    def _drift(self, day: str, version: str | None) -> Document:
        counted = CountedDay(self.captured(day), self.reference).read()
        versions = {name: one.document() for name, one in sorted(counted.versions.items())}
        document: Document = {"model": self.model, "day": day, "versions": versions, "unread": counted.unread}
        if version is None:
            return {**document, "version": None, "state": "few", "confirmed": [], "said": "no version is live"}
        reference = self.reference(version)
        captured = None if reference is None else reference.captured
        if reference is None or (captured is not None and day <= captured.last):
            told = self._so_far(version, day) if captured is None else f"this day is among {captured.said}"
            return {**document, "version": version, "state": "few", "confirmed": [], "said": told}
        window, before = self._window(day, version, counted.versions.get(version, Counted()))
        compared = compare(reference, window.counted)
        state = worst(compared)
        drifted = [one.name for one in compared if one.state == "drifted"]
        confirmed = [name for name in drifted if name in (before or {}).get("drifted", ())]
        others = sum(one.rows for name, one in counted.versions.items() if name != version)
        said = words(state, compared, window.counted, reference.called)
        if others and not window.counted.rows:
            said = f"no row was captured of this version yet, and {others:,} of others on this day"
        if captured is not None:
            said = f"{said}; compared with {captured.said}"
        return {
            **document,
            "version": version,
            "window": {"from": window.first, "to": day, **_size(window.counted)},
            "state": state,
            "drifted": drifted,
            "confirmed": confirmed,
            "said": f"{said}; {TWICE}" if confirmed else said,
            "columns": [one.document() for one in compared],
            "compared_with": reference.called,
            "redacted": sorted(window.counted.redacted),
        }

    def refer(self, version: str, until: str) -> bool:
        """Make the first captured rows of a version its reference, where nobody knows what it learnt from.

        They are of days before `until`. Return whether that was done now: it is, once, when there are enough.
        """
        if self.reference(version) is not None or self.columns(version) is None:
            return False
        rows, days = self._first_rows(version, until)
        if rows is None or rows.rows < ROWS:
            return False
        self._references.pop(version)
        return freeze(self.models, self.model, version, rows, days)

    def _first_rows(self, version: str, until: str) -> tuple[CapturedRows | None, tuple[str, str]]:
        """Return the first rows that are captured of a version, `ROWS` or more if there are, and their days."""
        parts: list[CapturedRows] = []
        found: list[str] = []
        for day in captured_days(self.captures, self.model):
            if day >= until or sum(part.rows for part in parts) >= ROWS:
                break
            captured = self.captured(day)
            own = again(lambda captured=captured: [rows for name, rows in captured.rows() if name == version])
            if own:
                found.append(day)
                parts += own
        return (joined(parts), (found[0], found[-1])) if parts else (None, ("", ""))

    def _so_far(self, version: str, day: str) -> str:
        """Return why a version has no reference yet."""
        if self.columns(version) is None:
            return "the live version is gone from the registry, and nothing can be compared with it"
        rows, _ = self._first_rows(version, day)
        so_far = f"{rows.rows:,} so far" if rows is not None else "none so far"
        return (
            "nobody knows which rows a finished model learnt from: its first"
            f" {ROWS:,} captured rows become what later ones are compared with; {so_far}"
        )

    def _window(self, day: str, version: str, counted: Counted) -> tuple[Window, Document | None]:
        """Return the window that ends with a day, and the check whose window ends before it, with enough rows."""
        window, longest = Window(first=day, counted=counted), date.fromisoformat(day) - timedelta(days=LONGEST)
        for earlier in reversed([one for one in self.days() if longest.isoformat() < one < day]):
            check = self.read(earlier) or {}
            if check.get("version") == version and check.get("state", "few") != "few":
                return window, check
            found = check.get("versions", {}).get(version)
            if found is not None and window.counted.rows < FEW:
                more = Counted.of(found)
                more.add(window.counted)
                window = Window(first=earlier, counted=more)
        return window, None


@dataclass(frozen=True, kw_only=True)
class Window:
    """The rows of some days, the first of which is `first`."""

    first: str
    counted: Counted


def _size(counted: Counted) -> Document:
    return {"rows": counted.rows, "requests": counted.requests}
