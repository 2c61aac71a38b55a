"""Jobs one after the other: a file of many rows every few seconds, each row of which is to be answered once."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from localcloud.commands.client import Call, Client, Outcomes
from localcloud.commands.demo_job import csv_of
from localcloud.commands.swaps import alike
from localcloud.engine.stack import LocalStack
from localcloud.support.while_inside import WhileInside

ROWS = 3000
EVERY_SECONDS = 5.0
LOOK_SECONDS = 0.5
PATIENCE_SECONDS = 180


@dataclass(kw_only=True)
class JobFigures(Outcomes):
    """What became of the jobs."""

    done: int = 0
    """Jobs of which each row was answered once, as its version answered it before."""
    longest_seconds: float = 0.0


class JobLoad(WhileInside):
    """Puts a CSV of `rows` rows into the jobs store every `EVERY_SECONDS`, until the `with` block ends.

    The next one waits until the last one is done. The rows repeat the cases; each answer is compared with `known`, the
    predictions of each version for each case by its position, which is added to. What the store raises is raised at
    the end.
    """

    def __init__(
        self,
        stack: LocalStack,
        model: str,
        cases: Sequence[Mapping[str, float]],
        *,
        known: dict[tuple[str, int], Any],
        rows: int = ROWS,
    ) -> None:
        super().__init__()
        self._store = stack.store(stack.outputs["jobs_url"])
        self._url = urlsplit(stack.outputs["models"][model]["jobs"])
        self._model = model
        self._cases = [position % len(cases) for position in range(rows)]
        self._content = csv_of([cases[case] for case in self._cases])
        self._known = known
        self.figures = JobFigures()

    @property
    def convincing(self) -> bool:
        """Whether a job was done, and none failed."""
        return self.figures.done > 0 and not self.figures.failed

    def work(self, number: int) -> None:
        client = Client(self._url.netloc, "jobs", self.figures)
        for turn in itertools.count(number):
            began = time.monotonic()
            name = f"load-{turn}.csv"
            self._store.put(f"{self._model}/in/{name}", self._content)
            if problem := self._problem(client, name):
                self.figures.fail(problem)
            else:
                self.figures.done += 1
            seconds = time.monotonic() - began
            self.figures.longest_seconds = max(self.figures.longest_seconds, seconds)
            if self.over.wait(max(EVERY_SECONDS - seconds, 0)):
                break
        client.close()

    def _problem(self, client: Client, name: str) -> str | None:
        """Wait until a job is over, and return what is wrong with its result."""
        end = time.monotonic() + PATIENCE_SECONDS
        while (status := self._status(client, name)).get("status") != "done":
            if status.get("status") == "failed":
                return f"job failed: {status['error'].get('detail')}"
            if time.monotonic() > end:
                return f"no result within {PATIENCE_SECONDS} s"
            time.sleep(LOOK_SECONDS)
        answers = [json.loads(line) for line in self._store.get(f"{self._model}/out/{name}.jsonl").splitlines()]
        return self._compared(status, answers)

    def _status(self, client: Client, name: str) -> Mapping[str, Any]:
        reply = client.send(Call(name="a job's status", method="GET", path=f"{self._url.path}/{name}"))
        return reply.content if reply else {}

    def _compared(self, status: Mapping[str, Any], answers: Sequence[Any]) -> str | None:
        if not len(answers) == status["rows"] == len(self._cases) or status["refused"]:
            return f"{len(answers)} answers to {len(self._cases)} rows, {status['refused']} refused"
        version = status["version"]
        for case, answer in zip(self._cases, answers, strict=True):
            if not alike([answer], self._known.setdefault((version, case), [answer])):
                return f"another answer of {version} about case {case}"
        return None
