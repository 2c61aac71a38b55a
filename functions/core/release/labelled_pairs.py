"""Labelled pairs: requests that a challenger and the champion both answered, and of which a truth came in time."""

from __future__ import annotations

from dataclasses import dataclass
from math import fsum
from statistics import fmean
from typing import TYPE_CHECKING, Any

from functions.core.registry.truths import EARLY_SECONDS, KEY, REQUEST, Row
from functions.core.release.units import is_compared, units_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from functions.core.registry.truths import Told, Truth
    from functions.core.release.units import Written
    from models.section import RolloutThresholds

SAID = "said"
"""In a captured record, and in its `champion`: what was said of each row, as a truth of it would be told."""
MOST_ROWS = 30_000
"""The most rows whose truths are looked for at one look, the first ones."""


@dataclass(frozen=True, kw_only=True)
class LabelledPairs:
    """Sums over labelled pairs, each from 0 to 1 and the mean of its rows; or over minutes of callers."""

    count: int = 0
    worse: float = 0.0
    """By how much the challenger was farther from the truth, where it was."""
    better: float = 0.0
    """By how much it was nearer, where it was."""
    early: int = 0
    """Truths that came before their requests, and do not count."""
    one_class: str = ""
    """The one class that all of the truths are of; "" where there are several, or none, or numbers."""


def loss(ours: Truth, theirs: Truth, truth: Truth, usual_error: float) -> float | None:
    """Return by how much the first of two answers is farther from a truth than the second: from -1 to 1.

    Of classes each wrong answer is 1. Of numbers the difference of the distances counts in usual errors, 1 at most;
    without a usual error it is whole. Return None where they cannot be compared.
    """
    if isinstance(truth, str):
        return float(ours != truth) - float(theirs != truth)
    if isinstance(ours, str) or isinstance(theirs, str):
        return None
    farther = abs(ours - truth) - abs(theirs - truth)
    if usual_error <= 0:
        return float((farther > 0) - (farther < 0))
    return max(-1.0, min(1.0, farther / usual_error))


class Pairs:
    """The rows that both versions answered, and the truths of them that count: the last that came in time."""

    def __init__(
        self, written: Iterable[Written], due_at: Callable[[float], float], *, most: int | None = MOST_ROWS
    ) -> None:
        """`due_at` returns until when a truth counts of a request that came at a time; `most` rows are looked at."""
        self._written = [(at, record) for at, record in written if is_compared(record) and _said_of(record)]
        self._span: dict[Row, tuple[float, float]] = {}
        """From when and until when a truth of a row counts, by its name."""
        self._owner: dict[Row, int] = {}
        """Which record a name stands for: of several with one key the last."""
        for number, (_, record) in sorted(enumerate(self._written), key=lambda one: one[1][1]["time"]):
            if most is not None and len(self._span) >= most:
                break
            for place in range(len(record[SAID])):
                name, asked = _name(record, place), record["time"]
                self._span[name] = (asked - EARLY_SECONDS, due_at(asked))
                self._owner[name] = number
        self._number = {id(record): number for number, (_, record) in enumerate(self._written)}
        self._last: dict[Row, Told] = {}
        self._early: set[tuple[Row, float]] = set()

    def __bool__(self) -> bool:
        return bool(self._written)

    def read(self, truths: Iterable[tuple[Row, Told]]) -> int:
        """Hold those truths that are of these rows, and return how many are not."""
        aliases, others = {}, 0
        for number, (_, record) in enumerate(self._written):
            for place in range(len(record[SAID])):
                if self._owner.get(name := _name(record, place)) == number:
                    aliases[Row(REQUEST, str(record.get("request")), place)] = name
        for row, told in truths:
            name = aliases.get(row, row)
            if name not in self._span:
                others += 1
                continue
            earliest, due = self._span[name]
            if told.at < earliest:
                self._early.add((name, told.at))
            elif told.at <= due and (name not in self._last or self._last[name].at <= told.at):
                self._last[name] = told
        return others

    def told(self, record: Mapping[str, Any]) -> Iterator[tuple[int, Truth]]:
        """Yield those rows of a record of which a truth counts, by their places, with the truths."""
        number = self._number.get(id(record))
        for place in range(0 if number is None else len(record[SAID])):
            name = _name(record, place)
            if name in self._last and self._owner[name] == number:
                yield place, self._last[name].truth

    def labelled(self, rules: RolloutThresholds, usual_error: Callable[[str], float]) -> LabelledPairs:
        """Return what the truths say. `usual_error` returns the one of a champion, by its version."""
        units = units_of(self._written, rules)
        lost = [[one for record in unit for one in self._losses(record, usual_error)] for unit in units]
        known = [found for found in lost if found]
        kinds = {told.truth for told in self._last.values()}
        only = next(iter(kinds)) if len(kinds) == 1 else ""
        return LabelledPairs(
            count=len(known),
            worse=fsum(fmean(max(one, 0.0) for one in found) for found in known),
            better=fsum(fmean(max(-one, 0.0) for one in found) for found in known),
            early=len(self._early),
            one_class=only if isinstance(only, str) else "",
        )

    def _losses(self, record: Mapping[str, Any], usual_error: Callable[[str], float]) -> Iterator[float]:
        champion = record["champion"]
        for place, truth in self.told(record):
            usual = 0.0 if isinstance(truth, str) else usual_error(str(champion.get("version")))
            if (one := loss(record[SAID][place], champion[SAID][place], truth, usual)) is not None:
                yield one


def _said_of(record: Mapping[str, Any]) -> bool:
    """Return whether a record holds what both versions said of the same rows."""
    ours, theirs = record.get(SAID), record["champion"].get(SAID)
    return isinstance(ours, list) and isinstance(theirs, list) and 0 < len(ours) == len(theirs)


def _name(record: Mapping[str, Any], place: int) -> Row:
    """Return the name of a row: by its key, if it came with one, since whoever asks again means the same thing."""
    if key := record.get("key"):
        return Row(KEY, str(key), place)
    return Row(REQUEST, str(record.get("request")), place)
