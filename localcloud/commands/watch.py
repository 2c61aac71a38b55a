"""Following a run through what it writes: nothing here knows which cloud runs it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from interface import layout
from localcloud.engine.cloud import Objects

T = TypeVar("T")

LOOK_SECONDS = 0.2
OVER = ("rejected", "refused", "promoted", "rolled_back", "failed")
"""States of a run that nothing follows."""


class NothingCame(TimeoutError):
    """What was waited for did not come in time. The message says what."""


class Watch:
    """Reads the registry of one model while the workflow is at work."""

    def __init__(self, models: Objects, model: str) -> None:
        self._models = models
        self.model = model
        self._known = set(self.executions())

    def executions(self) -> list[str]:
        return self._models.keys(f"{self.model}/{layout.EXECUTIONS}")

    def new_run(self, seconds: float) -> str:
        """The run that the next execution belongs to, once it has said so."""
        key = self.wait_for(
            lambda: next((key for key in self.executions() if key not in self._known), None), seconds, "an execution"
        )
        self._known.add(key)
        return str(self._json(key)["run"])

    def runs(self) -> list[str]:
        """Every run that has a record."""
        keys = self._models.keys(f"{self.model}/{layout.RUNS}")
        return [key.split("/")[2] for key in keys if key.endswith("/run.json")]

    def record(self, run: str) -> dict[str, Any]:
        """The run's own record; empty before there is one."""
        return self._json(f"{self.model}/{layout.RUNS}{run}/run.json")

    def reached(self, run: str, *states: str, seconds: float) -> dict[str, Any]:
        """The run's record once it is in one of `states`, or over."""
        wanted = {*states, *OVER}

        def look() -> dict[str, Any] | None:
            record = self.record(run)
            return record if record.get("status") in wanted else None

        return self.wait_for(look, seconds, f"run {run} to become {' or '.join(states or OVER)}")

    def experiments(self, run: str, seconds: float) -> Iterator[tuple[int, int]]:
        """How many experiments are done, and of how many, whenever that changes, until all are."""
        planned = len(self._json(f"{self.model}/{layout.RUNS}{run}/plan.json")["experiments"])
        done = -1
        while done < planned:
            done = self.wait_for(lambda seen=done: self._more_than(run, seen), seconds, "the next experiment")
            yield done, planned

    def tried(self, run: str, metric: str) -> list[dict[str, Any]]:
        """The records of the experiments that succeeded, the highest mean of `metric` first."""
        keys = self._models.keys(f"{self.model}/{layout.RUNS}{run}/experiments/")
        found = [self._json(key) for key in keys if key.endswith(".json")]
        succeeded = [record for record in found if record["status"] == "succeeded"]
        return sorted(succeeded, key=lambda record: record["metrics"][metric]["mean"], reverse=True)

    def live(self) -> dict[str, Any]:
        """Who answers: champion, challenger, weight. Empty before the first version."""
        return self._json(f"{self.model}/{layout.LIVE}")

    def wait_for(self, look: Callable[[], T | None], seconds: float, what: str) -> T:
        """What `look` finds, as soon as it finds something. Raises `NothingCame`."""
        end = time.monotonic() + seconds
        while (found := look()) is None:
            if time.monotonic() > end:
                raise NothingCame(f"waited {seconds:.0f} s for {what}")
            time.sleep(LOOK_SECONDS)
        return found

    def _more_than(self, run: str, seen: int) -> int | None:
        keys = self._models.keys(f"{self.model}/{layout.RUNS}{run}/experiments/")
        done = sum(key.endswith(".json") for key in keys)
        over = self.record(run).get("status") in OVER
        if over and done <= seen:
            raise NothingCame(f"run {run} ended as {self.record(run)['status']} after {done} experiments")
        return done if done > seen else None

    def _json(self, key: str) -> dict[str, Any]:
        try:
            return json.loads(self._models.get(key))
        except FileNotFoundError:
            return {}
