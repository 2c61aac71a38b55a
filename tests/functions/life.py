"""The training workflow as `infra/workflow.py` declares it, over stores in memory, by a clock that only tests move."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from functions.core.registry.live_pointer import Live
from functions.core.registry.pointer import Pointer
from functions.core.registry.restart import Restart
from functions.core.release.rollout import Rollout
from functions.core.release.supervisor import Supervisor
from functions.core.runtime.log import Log
from functions.core.storage.objects import Objects
from infra.workflow import (
    ERROR,
    EXECUTION,
    INPUT,
    ITEM,
    TRACE,
    Call,
    Choose,
    Each,
    End,
    Pause,
    Ref,
    Step,
    quiet_seconds,
    training,
)
from interface.rollout import RolloutPlan
from models.section import RolloutThresholds
from tests.functions import bench
from tests.functions.bench import MODEL, Bench

BAKE = 60
PLAN = RolloutPlan(steps=(10, 50), bake_seconds=BAKE, patience=1)
TIMEOUTS = {"prepare": 300, "train": 840, "select": 300, "rollout": 60}
QUIET = quiet_seconds(TIMEOUTS)
WORKFLOW = training(parallelism=2, timeout_seconds=86_400, function_timeouts=TIMEOUTS)
LONG = QUIET + 10 * PLAN.grace
"""Seconds after which nothing that is under way can be alive."""


class Clock:
    """The time by the stores' clock, and what a test adds to it."""

    def __init__(self) -> None:
        self.added = 0.0

    def __call__(self) -> float:
        return time.time() + self.added

    def forward(self, seconds: float) -> None:
        self.added += seconds


@dataclass
class Execution:
    """One execution: `go_on` does its next step, and returns its name; None once it has ended."""

    steps: Iterator[str]
    end: str = ""

    def go_on(self) -> str | None:
        return next(self.steps, None)

    def run(self) -> str:
        """Do all steps that are left, and return the name of the last one."""
        while self.go_on() is not None:
            pass
        return self.end

    def until(self, step: str) -> None:
        """Do all steps before the first of that name, which is not done. The name of no step: do none."""
        while self.go_on() not in (step, None):
            pass


@dataclass
class Life:
    """A model, its workflow and its supervisor. A challenger that nobody asks is promoted."""

    folder: Path
    clock: Clock = field(default_factory=Clock)
    lines: io.StringIO = field(default_factory=io.StringIO)

    def __post_init__(self) -> None:
        self.bench = Bench(folder=self.folder)
        self.bench.write_model(gate={"minimum": 0.0, "margin": -1.0, "slices": []})

    @property
    def models(self) -> Objects:
        return self.bench.models

    @property
    def live(self) -> Live:
        return Live(self.models, MODEL)

    @property
    def pointer(self) -> Pointer:
        return self.live.read()

    @property
    def rollout(self) -> Rollout:
        thresholds = RolloutThresholds(without_traffic="promote")
        return Rollout(self.models, Objects.in_memory(), plan=PLAN, thresholds=lambda _: thresholds, clock=self.clock)

    def supervise(self) -> dict[str, Any]:
        supervisor = Supervisor(
            self.models,
            [MODEL],
            plan=PLAN,
            quiet_seconds=QUIET,
            log=Log(stream=self.lines, clock=self.clock),
            clock=self.clock,
        )
        return supervisor.act({})

    def told(self) -> set[str]:
        """Return the metrics of what the supervisor has logged."""
        return {json.loads(line).get("metric") for line in self.lines.getvalue().splitlines()} - {None}

    def upload(self, number: int) -> dict[str, str]:
        """Upload dataset `number`; all of them differ."""
        return self.bench.upload(bench.csv(bench.rows(60 + number)), f"{number:03}.csv")

    def execute(self, request: Mapping[str, Any], name: str) -> Execution:
        """Start an execution: the name of each step is yielded before it is done."""
        found = Execution(steps=iter(()))
        found.steps = self._steps(dict(request), name, found)
        return found

    def released(self, number: int) -> str:
        """Have dataset `number` go through everything, and return its version."""
        execution = self.execute(self.upload(number), f"execution-{number}")
        assert execution.run() == "promoted"
        return str(self.pointer.champion)

    def run(self, execution: str) -> str:
        """Return the run of an execution."""
        return str(self.models.get_json(f".executions/{MODEL}/{execution}.json")["run"])

    def record(self, run: str) -> dict[str, Any]:
        return self.bench.record(run)

    def records(self) -> list[dict[str, Any]]:
        """Return the records of all runs."""
        keys = [key for key in self.models.keys(f"{MODEL}/runs") if key.endswith("/run.json")]
        return [self.models.get_json(key) for key in keys]

    def _steps(self, request: dict[str, Any], name: str, execution: Execution) -> Iterator[str]:
        known: dict[str, Any] = {INPUT.path: request, EXECUTION.path: name, TRACE.path: request.get("trace", "")}
        step = WORKFLOW.step(WORKFLOW.start)
        while not isinstance(step, End):
            yield step.name
            try:
                following = self._do(step, known)
            except Exception as problem:
                known[ERROR.path] = f"{step.name}: {type(problem).__name__}: {problem}"
                following = WORKFLOW.on_failure
            step = WORKFLOW.step(following)
        execution.end = step.name

    def _do(self, step: Step, known: dict[str, Any]) -> str:
        """Do a step and return the name of the next one."""
        match step:
            case Call():
                known[step.result] = self._call(step.function, step.payload, known)
            case Each():
                for item in value_of(step.items, known):
                    self._call(step.function, step.payload, {**known, ITEM.path: item})
            case Choose():
                return step.cases[value_of(step.on, known)]
            case Pause():
                assert value_of(step.seconds, known) >= 1
        assert not isinstance(step, (Choose, End))
        return step.next

    def _call(self, function: str, payload: Mapping[str, Ref | str], known: Mapping[str, Any]) -> dict[str, Any]:
        given = {name: value_of(value, known) if isinstance(value, Ref) else value for name, value in payload.items()}
        functions: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "prepare": lambda given: self.bench.prepare(given["input"], given["execution"]),
            "train": lambda given: Restart(self.models, MODEL, given["run"]).training(
                lambda: self.bench.train(given["run"], given["experiment"], given["round"])
            ),
            "select": lambda given: Restart(self.models, MODEL, given["run"]).selecting(
                lambda: self.bench.select(given["run"], given["round"])
            ),
            "rollout": self.rollout.act,
        }
        return functions[function](given)


def value_of(ref: Ref, known: Mapping[str, Any]) -> Any:
    value: Any = known
    for part in ref.path.split("."):
        value = value[part]
    return value
