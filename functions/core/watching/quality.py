"""The quality of a version with real callers: its metrics on the newest labelled rows, beside what it promised."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from functions.core.selection.intervals import intervals
from functions.core.training.metrics import UndefinedMetric
from models.task import lower_is_better

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from functions.core.watching.answered import Answered, Card
    from functions.core.watching.labelled import Joined, Labelled

Document = dict[str, Any]
State = Literal["few", "undefined", "measured", "held", "doubtful", "below"]
LEAST = 50
"""Labelled rows below which nothing is said."""
NOBODY = "no truth has come of a row that was captured"
OF_OTHERS = "no truth has come yet of a row that this version answered"


class Day(NamedTuple):
    """A day that was joined: what became of it, and the labelled rows of the version."""

    joined: Joined
    rows: Sequence[Labelled]


@dataclass(frozen=True, kw_only=True)
class Quality:
    """How the answers of one version are measured."""

    answered: Answered
    version: str
    card: Card

    def document(self, days: Sequence[Day]) -> Document:
        """Return the quality of some days, the oldest first, of whose labelled rows the newest are looked at."""
        rows = [row for day in days for row in day.rows][-self.answered.labels.window :]
        about = {
            "version": self.version,
            "metric": self.answered.measure,
            "floor": self.answered.labels.floor,
            "window": self._window(days, rows),
            "aside": _aside(days, self.version),
        }
        wrong = self.answered.why_not_comparable(self.card)
        if wrong:
            return {**about, "state": "undefined", "metrics": {}, "said": f"truths of now are not of its kind: {wrong}"}
        if not rows:
            said = OF_OTHERS if about["aside"]["others"] else NOBODY
            return {**about, "state": "few", "metrics": {}, "said": _with_aside(said, about)}
        metrics, why = self.metrics(rows)
        state, said = self._state(metrics.get(self.answered.measure), len(rows), why)
        said = f"{said}; {remark}" if (remark := self.answered.remark) else said
        return {**about, "state": state, "metrics": metrics, "said": _with_aside(said, about)}

    def _window(self, days: Sequence[Day], rows: Sequence[Labelled]) -> Document:
        captured = sum(day.joined.captured.get(self.version, 0) for day in days)
        labelled = sum(day.joined.labelled.get(self.version, 0) for day in days)
        share = round(labelled / captured, 6) if captured else None
        known = [day.joined.day for day in days if self.version in day.joined.captured or day.rows]
        span = {"from": known[0] if known else None, "to": days[-1].joined.day if days else None}
        return {**span, "rows": len(rows), "captured": captured, "labelled_share": share}

    def metrics(self, rows: Sequence[Labelled]) -> tuple[Document, str]:
        """Return each metric that is defined on labelled rows, with its interval and what the holdout promised.

        Beside it why the first is not that is not.
        """
        y = self.answered.y([row.truth for row in rows])
        inputs = np.array([row.inputs for row in rows], dtype=np.float64)
        answers = self.answered.answers(inputs, np.array([row.outputs for row in rows], dtype=np.float64), self.card)
        task, wanted = self.answered.task, list(dict.fromkeys([self.answered.measure, *self.answered.metrics]))
        ends = intervals(task, y, answers, wanted)
        promised: Mapping[str, Any] = self.card.get("metrics") or {}
        found, why = {}, ""
        for name in wanted:
            try:
                value = task.score(name, y, answers)
            except UndefinedMetric as problem:
                why = why or str(problem)
                continue
            found[name] = {
                "value": value,
                "interval": ends.get(name),
                "promised": promised.get("holdout", {}).get(name),
                "promised_interval": promised.get("holdout_intervals", {}).get(name),
            }
        return found, why

    def _state(self, measured: Mapping[str, Any] | None, rows: int, why: str) -> tuple[State, str]:
        measure, floor = self.answered.measure, self.answered.labels.floor
        if rows < LEAST:
            shown = "" if measured is None else f": {measure} {_figure(measured['value'], measured['interval'])}"
            return "few", f"{_count(rows)}{shown}; too few to tell, {LEAST} are the least"
        if measured is None:
            return "undefined", f"{_count(rows)}: {measure} has no value: {why}"
        said = f"{measure} {_figure(measured['value'], measured['interval'])} of {_count(rows)}"
        if measured["promised"] is not None:
            said += f"; the holdout promised {_figure(measured['promised'], measured['promised_interval'])}"
        if floor is None:
            return "measured", said
        less, value = lower_is_better(measure), measured["value"]
        bound = f"its {'ceiling' if less else 'floor'} of {floor:.4g}"
        if value <= floor if less else value >= floor:
            return "held", f"{said}; it keeps to {bound}"
        if _reaches(measured["interval"], floor, less=less):
            return "doubtful", f"{said}; beyond {bound}, as chance may have it"
        return "below", f"{said}; beyond {bound}, and by more than chance"


def _reaches(interval: Sequence[float] | None, floor: float, *, less: bool) -> bool:
    """Return whether the better end of an interval keeps to a floor; where there is no interval, nobody knows."""
    if interval is None:
        return True
    return min(interval) <= floor if less else max(interval) >= floor


def _count(rows: int) -> str:
    return "1 labelled row" if rows == 1 else f"{rows:,} labelled rows"


def _figure(value: float, interval: Sequence[float] | None) -> str:
    return f"{value:.4g}" if interval is None else f"{value:.4g} ({interval[0]:.4g} to {interval[1]:.4g})"


def _aside(days: Sequence[Day], version: str) -> Document:
    """Return what is not part of the window, in numbers: of the last day, and labelled rows of other versions."""
    last = days[-1].joined if days else None
    others = sum(sum(day.joined.labelled.values()) - day.joined.labelled.get(version, 0) for day in days)
    counts = {} if last is None else {name: getattr(last, name) for name in _ASIDE if name != "others"}
    return {"day": None if last is None else last.day, "others": others, **counts}


_ASIDE = {
    "others": ("labelled row", "of other versions"),
    "unknown": (
        "truth",
        "of {day} of rows that were not captured within the horizon before: too late, beyond capture.inputs, or of"
        " another name",
    ),
    "early": ("truth", "of {day} from before the row was answered: a clock is off, or a key is in use again"),
    "unfit": ("truth", "of {day} that the contract does not accept"),
    "gone": ("captured row", "of {day} of versions that are gone"),
    "left_out": ("truth", "of rows of {day} beyond those that are held at once"),
}
"""What is counted, one of it, and which."""


def _with_aside(said: str, about: Document) -> str:
    window, aside = about["window"], about["aside"]
    if window["labelled_share"] is not None:
        said += f"; {window['labelled_share']:.1%} of the captured rows have a truth"
    told = [
        f"{aside[name]:,} {one}{'' if aside[name] == 1 else 's'} {which.format(day=aside['day'])}"
        for name, (one, which) in _ASIDE.items()
        if aside.get(name)
    ]
    return f"{said}; not counted: {', '.join(told)}" if told else said
