"""What a model has used, as its functions measured it, beside what the stack was estimated at."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from functions.core.registry.daily_usage import DailyUsage, Day, days
from functions.core.runtime.usage import Usage
from sml.mistake import Mistake

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sml.stack import Stack

MOST_DAYS = 400
ACCEPTED = f"accepted: days as 7d, at most {MOST_DAYS}d, or the first day, as 2026-11-24"


@dataclass(frozen=True, kw_only=True)
class Measured:
    """The usage of one model over some days, the last of which is today."""

    model: str
    days: Mapping[str, Day]
    """By day, in order; those on which nothing was used among them."""

    @property
    def whole(self) -> Day:
        """All of them together."""
        whole = Day()
        for day in self.days.values():
            whole.add(day)
        return whole

    def rows(self) -> list[dict[str, Any]]:
        """Return a row for each version that answered, and for each step of all runs together."""
        whole = self.whole
        steps = Day()
        for used in whole.runs.values():
            steps.add(Day(runs={"": used}))
        parts = (("predictions", whole.predictions), ("jobs", whole.jobs), ("training", steps.runs.get("", {})))
        return [_row(what, name, used) for what, parts in parts for name, used in sorted(parts.items())]

    def document(self, estimate: Mapping[str, Any] | None) -> dict[str, Any]:
        """Return everything, for scripts."""
        return {
            "model": self.model,
            "since": min(self.days),
            "until": max(self.days),
            "total": self.whole.total.document(),
            **{key: value for key, value in self.whole.document().items() if key != "total"},
            "days": {day: used.total.document() for day, used in self.days.items()},
            "estimate": None if estimate is None else dict(estimate),
            "compared": compared(self.whole, estimate),
        }


def since(text: str, today: date) -> list[str]:
    """Return the days from the one that the text names until today, in order. Raise `Mistake`."""
    if (counted := re.fullmatch(r"(\d{1,4})d", text)) and 1 <= int(counted[1]) <= MOST_DAYS:
        return days(today, int(counted[1]))
    try:
        first = date.fromisoformat(text)
    except ValueError:
        first = None
    if first is None or not timedelta() <= today - first < timedelta(days=MOST_DAYS):
        raise Mistake(f"--since: {text!r} is not understood, or no such days; {ACCEPTED}")
    return days(today, (today - first).days + 1)


def measure(stack: Stack, model: str, wanted: list[str]) -> Measured:
    """Read what a model used on each of some days: the sums that the stack has stored, and of the others the records.

    Raise `Mistake` where a sum is damaged.
    """
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    usage = DailyUsage(model=stack.model(model), models=stack.registry, captures=stack.captures, jobs=stack.jobs)
    stored = {day for day in usage.summed() if day in wanted and day < today}
    found = usage.sums([day for day in wanted if day not in stored])
    for day in stored:
        try:
            found[day] = usage.read(day) or Day()
        except (ValueError, LookupError, TypeError):
            raise Mistake(
                f"{usage.key(day)} is damaged: delete it, and the next sum of the stack writes it anew"
            ) from None
    return Measured(model=model, days={day: found[day] for day in wanted})


def compared(used: Day, estimate: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """Return what was measured beside what was estimated, and their ratio, as far as there is both."""
    if not estimate:
        return []
    traffic = estimate.get("traffic") or {}
    return [
        {"what": what, "unit": unit, **_beside(measured, estimate, unit, times), "because": because}
        for what, unit, measured, times, because in _pairs(used, traffic)
        if measured is not None
    ]


def _pairs(
    used: Day, traffic: Mapping[str, Any]
) -> Iterator[tuple[str, str, tuple[float, float] | None, float, list[dict[str, Any]]]]:
    """Yield what is compared: name, unit of the estimate, USD and grams of one, units in one, what they follow from."""
    requests = Usage.total(used.predictions.values())
    per = None if not requests.calls else _each(requests, requests.calls / 1000)
    seconds = [] if per is None else [_assumed("ms a request", requests, traffic, "milliseconds_a_request", 1000)]
    yield "1,000 requests", "thousand_predictions", per, float(traffic.get("rows_a_request", 1)), seconds
    runs = [Usage.total(steps.values()) for steps in used.runs.values() if "train" in steps]
    train = Usage.total(steps["train"] for steps in used.runs.values() if "train" in steps)
    per = None if not runs else _each(Usage.total(runs), len(runs))
    seconds = [] if not runs else [_assumed("s an experiment", train, traffic, "seconds_an_experiment", 1)]
    yield "a training run", "training_run", per, 1.0, seconds


def _each(used: Usage, number: float) -> tuple[float, float]:
    return used.usd / number, (used.grams_operational + used.grams_embodied) / number


def _assumed(what: str, used: Usage, traffic: Mapping[str, Any], name: str, scale: float) -> dict[str, Any]:
    return {"what": what, "measured": used.seconds / used.calls * scale, "assumed": traffic.get(name)}


def _beside(
    measured: tuple[float, float], estimate: Mapping[str, Any], unit: str, times: float
) -> dict[str, dict[str, float | None]]:
    usd, grams = ((estimate.get(kind) or {}).get(unit) for kind in ("usd", "grams"))
    estimated = {"usd": _times(usd, times), "grams": _times(grams, times)}
    found = dict(zip(("usd", "grams"), measured, strict=True))
    ratio = {kind: found[kind] / other if (other := estimated[kind]) else None for kind in found}
    return {"measured": {**found}, "estimated": estimated, "ratio": ratio}


def _times(value: float | None, times: float) -> float | None:
    return None if value is None else value * times


def _row(what: str, name: str, used: Usage) -> dict[str, Any]:
    grams = used.grams_operational + used.grams_embodied
    thousand = used.calls / 1000
    return {
        "what": what,
        "name": name,
        "calls": int(used.calls),
        "ms": used.seconds / used.calls * 1000 if used.calls else None,
        "gb_seconds": used.gb_seconds,
        "usd": used.usd,
        "wh": used.kwh * 1000,
        "grams": grams,
        "usd_per_1000": used.usd / thousand if thousand else None,
        "grams_per_1000": grams / thousand if thousand else None,
    }
