"""Follows a training run through the records that it writes, the same on every cloud."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from interface import layout
from localcloud.engine.cloud import Objects
from sml import sentences

T = TypeVar("T")

LOOK_SECONDS = 0.2
FINAL_STATES = ("rejected", "refused", "superseded", "awaiting_approval", "promoted", "rolled_back", "failed")
"""The states in which a run ends."""


class WaitTimedOut(TimeoutError):
    """What was waited for did not happen in time. The message names it."""


class Watch:
    """Reads the records of one model's runs while the workflow is running."""

    def __init__(self, models: Objects, model: str) -> None:
        self._models = models
        self.model = model
        self._known = set(self.executions())

    def executions(self) -> list[str]:
        """Return the key of every execution's record."""
        return self._models.keys(layout.below(self.model, layout.EXECUTIONS))

    def new_run(self, seconds: float) -> str:
        """Wait up to `seconds` for an execution that is not known yet, and return the id of its run."""

        def look() -> tuple[str, str] | None:
            new = {key: self._json(key).get("run") for key in self.executions() if key not in self._known}
            return next(((key, str(run)) for key, run in new.items() if run), None)

        key, run = self.wait_for(look, seconds, "an execution")
        self._known.add(key)
        return run

    def runs(self) -> list[str]:
        """Return the id of every run that has a record."""
        keys = self._models.keys(f"{self.model}/{layout.RUNS}")
        return [key.split("/")[2] for key in keys if key.endswith("/run.json")]

    def record(self, run: str) -> dict[str, Any]:
        """Return the run's record; empty before there is one."""
        return self._json(f"{self.model}/{layout.RUNS}{run}/run.json")

    def reached(self, run: str, *states: str, seconds: float) -> dict[str, Any]:
        """Wait until a run is in one of `states` or has ended, and return its record. Raises `WaitTimedOut`."""
        wanted = {*states, *FINAL_STATES}

        def look() -> dict[str, Any] | None:
            record = self.record(run)
            return record if record.get("status") in wanted else None

        return self.wait_for(look, seconds, f"run {run} to become {' or '.join(states or FINAL_STATES)}")

    def experiments(self, run: str, seconds: float) -> Iterator[tuple[int, int]]:
        """Yield the numbers of finished and of planned experiments, whenever the first changes, until all are finished.

        Raises `WaitTimedOut` when none finishes for `seconds`, and when the run ends before.
        """
        planned = len(self._json(f"{self.model}/{layout.RUNS}{run}/plan.json")["experiments"])
        done = -1
        while done < planned:
            done = self.wait_for(lambda seen=done: self._more_than(run, seen), seconds, "the next experiment")
            yield done, planned

    def leaderboard(self, run: str, metric: str) -> list[Mapping[str, Any]]:
        """Return the records of the experiments that succeeded, the highest mean of `metric` first."""
        keys = self._models.keys(f"{self.model}/{layout.RUNS}{run}/experiments/")
        return sentences.leaderboard((self._json(key) for key in keys if key.endswith(".json")), metric)

    def live(self) -> dict[str, Any]:
        """Return the live pointer: champion, challenger, weight. Empty before the first version."""
        return self._json(f"{self.model}/{layout.LIVE}")

    def wait_for(self, look: Callable[[], T | None], seconds: float, event: str) -> T:
        """Call `look` every `LOOK_SECONDS` until it returns something, and return that.

        Raises `WaitTimedOut`, which names the event, after `seconds`.
        """
        end = time.monotonic() + seconds
        while (result := look()) is None:
            if time.monotonic() > end:
                raise WaitTimedOut(f"waited {seconds:.0f} s for {event}")
            time.sleep(LOOK_SECONDS)
        return result

    def _more_than(self, run: str, seen: int) -> int | None:
        keys = self._models.keys(f"{self.model}/{layout.RUNS}{run}/experiments/")
        done = sum(key.endswith(".json") for key in keys)
        ended = self.record(run).get("status") in FINAL_STATES
        if ended and done <= seen:
            raise WaitTimedOut(f"run {run} ended as {self.record(run)['status']} after {done} experiments")
        return done if done > seen else None

    def _json(self, key: str) -> dict[str, Any]:
        try:
            return json.loads(self._models.get(key) or b"{}")
        except FileNotFoundError:
            return {}
