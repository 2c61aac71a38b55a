"""The quality of a model day by day: days are joined with their truths when they are due, then measured."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from functions.core.watching.bring_your_own import BringYourOwnAnswers
from functions.core.watching.labelled import LabelledDays
from functions.core.watching.quality import NOBODY, Day, Quality
from functions.core.watching.trained import TrainedAnswers
from interface import layout
from models.catalogue import by_kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from functions.core.storage.objects import Objects
    from functions.core.watching.answered import Answered
    from functions.core.watching.quality import Document
    from models.bring_your_own import BringYourOwn
    from models.contract import Contract

LOOKED_BACK = 7
"""Days before the one that is due of which those are joined that were not, as after calls that failed."""
LONGEST = 90
"""Days of a window, at most."""


def answered_of(contract: Contract | BringYourOwn) -> Answered | None:
    """Return what the answers of a model are; None for a finished one without classes, of which there is no truth."""
    return by_kind(contract, trained=lambda one: TrainedAnswers(contract=one), bring_your_own=_finished)


def _finished(contract: BringYourOwn) -> Answered | None:
    return None if contract.scores is None else BringYourOwnAnswers(contract=contract, scores=contract.scores)


class Qualities:
    """The labelled rows of one model, and the quality of its versions."""

    def __init__(self, models: Objects, captures: Objects, model: str, answered: Answered) -> None:
        self._models = models
        self._model = model
        self._answered = answered
        self._cards: dict[str, dict[str, Any] | None] = {}
        self._days = LabelledDays(captures, answered, model, self._card)

    def settle(self, day: str) -> None:
        """Join what is due at the end of a day, the days before included that were not, and store it."""
        due, horizon = _before(day, self._answered.labels.horizon_days), self._answered.labels.horizon_days
        wanted = [_before(due, back) for back in reversed(range(LOOKED_BACK))]
        missing = [one for one in wanted if self._days.joined(one) is None]
        if missing and self._days.is_asked_for([_before(day, back) for back in range(horizon + LOOKED_BACK)]):
            for one in missing:
                self._days.write(*self._days.join(one, day))

    def check(self, day: str, version: str) -> Document:
        """Return the quality of a version as it is known at the end of a day."""
        due = _before(day, self._answered.labels.horizon_days)
        return self._quality(version, list(self._settled(due, version)))

    def now(self, today: str, version: str) -> Document:
        """Return the quality with the rows, too, whose horizon is not over; nothing is stored."""
        days = list(self._settled(today, version))
        horizon = self._answered.labels.horizon_days
        open_days = [_before(today, back) for back in reversed(range(horizon + 1))]
        for day in open_days:
            if self._days.joined(day) is None:
                joined, rows = self._days.join(day, today)
                days.append(Day(joined, [row for row in rows if row.version == version]))
        return self._quality(version, days)

    def _quality(self, version: str, days: list[Day]) -> Document:
        card = self._card(version)
        if card is None:
            return {"version": version, "state": "undefined", "metrics": {}, "said": f"version {version} is gone"}
        return Quality(answered=self._answered, version=version, card=card).document(days)

    def _settled(self, until: str, version: str) -> Iterator[Day]:
        """Yield the days that were joined, the oldest first, as many as it takes for a window that ends with a day."""
        found: list[Day] = []
        left = self._answered.labels.window
        for day in reversed([one for one in self._days.days() if _before(until, LONGEST) < one <= until]):
            joined = self._days.joined(day)
            if joined is None:
                continue
            rows = self._days.rows(day, version, left) if joined.labelled.get(version) else []
            found.append(Day(joined, rows))
            left -= len(rows)
            if left <= 0:
                break
        yield from reversed(found)

    def _card(self, version: str) -> dict[str, Any] | None:
        if version not in self._cards:
            self._cards[version] = self._models.find_json(f"{self._model}/{layout.VERSIONS}{version}/card.json")
        return self._cards[version]


def no_version() -> Document:
    """Return what is said where no version is live."""
    return {"version": None, "state": "few", "metrics": {}, "said": f"no version is live; {NOBODY}"}


def _before(day: str, days: int) -> str:
    return f"{date.fromisoformat(day) - timedelta(days=days)}"
