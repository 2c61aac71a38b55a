"""The function that sums what each model used on a day, once the day is over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from functions.core.registry.daily_usage import DailyUsage, days
from functions.core.runtime.step import Step
from interface import variables

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from functions.core.runtime.environment import Environment

AGAIN = 2
"""Days that are summed at every call: a record may be written under a clock that is late."""
LOOKED_BACK = 7
"""Days before today of which those are summed that have no sum, as after calls that failed."""


def tally(environment: Environment, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Step:
    """Compose the step that sums the days before today, for every model. Its payload does not matter."""
    models, log = environment.store(variables.MODELS_URL), environment.log()
    captures, jobs = environment.store(variables.CAPTURES_URL), environment.store(variables.JOBS_URL)

    def act(_: Mapping[str, Any]) -> Mapping[str, Any]:
        before = days(now().date() - timedelta(days=1), LOOKED_BACK)
        written = {}
        for name in environment.names(variables.MODELS):
            usage = DailyUsage(model=name, models=models, captures=captures, jobs=jobs)
            known = usage.summed()
            sums = usage.sums([day for day in before if day not in known or day in before[-AGAIN:]])
            used = {day: one for day, one in sums.items() if one.total.calls}
            for day, one in used.items():
                usage.write(day, one)
            written[name] = sorted(used)
        return {"summed": written}

    return Step(name="tally", act=act, log=log, metering=environment.metering)
