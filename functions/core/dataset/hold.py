"""Hold a scheduled training until its slot: when it begins, why then, and how long to pause until it is asked again."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from functions.core.dataset import forecast_source
from functions.core.dataset.forecast import NoForecast
from functions.core.dataset.slot import choose

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from functions.core.dataset.forecast import Forecast
    from functions.core.dataset.slot import Slot
    from functions.core.storage.objects import Objects
    from interface.window import Window

LONGEST_PAUSE = 3600
"""Seconds. A forecast changes, and newer data may come: after so long the slot is chosen anew."""


@dataclass(frozen=True, kw_only=True)
class Decision:
    """When a training begins, as notes and records have it."""

    document: dict[str, Any]
    """`since`, `deadline` and `slot`, as text; `grams_per_kwh` and `at_once`, the mean intensities over a run that
    begins in the slot and over one at the first look, None where not known; `saving`, a share; `forecast`, whose
    it is, and `read`, when; `reason`, a sentence."""
    pause_seconds: int
    """Until it is to be asked again; 0 where the training begins now."""
    wakes: str = ""
    """When that is."""


@dataclass(frozen=True, kw_only=True)
class Hold:
    """Decides when the trainings of a stack begin that its schedule starts."""

    window: Window
    data: Objects
    clock: Callable[[], float] = time.time

    def decided(self, note: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return what the note of an execution says of its slot; None where it says nothing, or nothing whole."""
        document: Any = note.get("schedule")
        try:
            _seconds(document["since"]), _seconds(document["slot"])
            return document if isinstance(document["at_once"], float | None) else None
        except (LookupError, TypeError, ValueError):
            return None

    def decide(self, model: str, before: Mapping[str, Any] | None) -> Decision:
        """Return when the training of a model begins; `before`, a decision, was made last in the same execution.

        Once the slot that was chosen last has come, it begins. Until then every look chooses anew.
        """
        clock = self.clock()
        now = float(math.floor(clock))
        if before is not None and _seconds(before["slot"]) <= clock:
            return Decision(document=dict(before), pause_seconds=0)
        since = now if before is None else _seconds(before["since"])
        forecast, problem = self._forecast(model, now)
        slot = choose(self.window, since, now, forecast)
        at_once = None if before is None else before.get("at_once")
        if at_once is None and forecast is not None:
            at_once = _rounded(forecast.mean(now, self.window.run_seconds))
        facts = self._facts(slot, since, at_once, forecast, now)
        end = None if forecast is None else forecast.end
        is_short = end is not None and end < since + self.window.deadline_seconds + self.window.run_seconds
        ends = f", which ends at {_text(end)}" if is_short and end is not None else ""
        document = {**facts, "reason": self._reason(slot, at_once, facts["forecast"], problem, ends)}
        left = slot.at - clock
        pause = min(max(1, math.ceil(left)), LONGEST_PAUSE) if left > 0 else 0
        return Decision(document=document, pause_seconds=pause, wakes=_text(clock + pause))

    def _forecast(self, model: str, now: float) -> tuple[Forecast | None, str]:
        """Return the forecast, or None and why there is none; both empty where the window names none."""
        source = self.window.forecast
        if source is None:
            return None, ""
        try:
            found = forecast_source.read(source, self.data, model, now)
        except NoForecast as problem:
            return None, str(problem)
        if found.end <= now:
            return None, f"the forecast of {forecast_source.shown(source)} is too old: it ends at {_text(found.end)}"
        return found, ""

    def _facts(
        self, slot: Slot, since: float, at_once: float | None, forecast: Forecast | None, now: float
    ) -> dict[str, Any]:
        grams, source = _rounded(slot.grams), self.window.forecast
        is_used = source is not None and forecast is not None and grams is not None
        return {
            "since": _text(since),
            "deadline": _text(since + self.window.deadline_seconds),
            "slot": _text(slot.at),
            "grams_per_kwh": grams,
            "at_once": at_once,
            "saving": round(1 - grams / at_once, 3) if grams is not None and at_once else None,
            "forecast": forecast_source.shown(source) if is_used and source is not None else None,
            "read": _text(now) if is_used else None,
        }

    def _reason(self, slot: Slot, at_once: float | None, source: str | None, problem: str, ends: str) -> str:
        if slot.outside:
            return f"no time within {self.window.between} UTC is left before the deadline"
        if slot.grams is not None and source is not None:
            against = "" if at_once is None else f" against {at_once:g} at once"
            return f"{_rounded(slot.grams):g} gCO2e/kWh{against}, by the forecast of {source}{ends}"
        first = "at once" if self.window.between is None else f"the first time within {self.window.between} UTC"
        if self.window.forecast is None:
            return first
        return f"{first}, without a forecast: {problem or 'it says nothing of any time that is left'}"


def _rounded(grams: float | None) -> float | None:
    return None if grams is None else round(grams, 1)


def _text(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
