"""Follow a run from its upload to its end, and say each thing that becomes of it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from functions.core.registry.executions import Executions
from functions.core.registry.runs import ENDED, Status
from functions.core.storage.objects import Missing, Unreadable
from sml import sentences
from sml.clouds import name_of
from sml.mistake import TooLate
from sml.records import reason, said

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sml.stack import Stack

LOOK_SECONDS = 0.5


class Following:
    """Follows one model's runs from now on."""

    def __init__(self, stack: Stack, model: str, say: Callable[[str], None], *, seconds: float) -> None:
        """`say` is told each thing, and `seconds` is how long to wait at most."""
        self._records = stack.records(model)
        self._executions = Executions(stack.registry, model)
        self._typed = stack.typed
        self._say = say
        self._until = time.monotonic() + seconds
        self._known = {entry.key for entry in self._executions.open()}
        self._told: set[str] = set()
        self._checks: object = None
        """Of the gate, as they were told."""

    def is_live(self, record: Mapping[str, Any]) -> bool:
        """Return whether the version of a run answers now, and say which one does where it is another."""
        champion = self._records.live().champion
        if champion != record.get("version"):
            self._once("live", f"{champion or 'nothing'}")
        return champion == record.get("version")

    def run_of(self, execution: str) -> str:
        """Wait for the run of an execution, by the name that its start returned. Raise `TooLate`."""
        key = name_of(execution)
        while True:
            note = self._note(key)
            if note and note.get("run"):
                return str(note["run"])
            if note and isinstance(note.get("schedule"), dict):
                self._once("scheduled", sentences.scheduled(note["schedule"]))
            self._pause(f"the execution {key} to begin a run")

    def run_from(self, source: str) -> tuple[str, str]:
        """Wait for an execution that begins from now on with the object `source`; return its run's id, and its own.

        Raise `TooLate`.
        """
        while True:
            for entry in self._executions.open():
                note = None if entry.key in self._known else self._note(entry.key)
                if note is None or note.get("source") != source:
                    continue
                if note.get("run"):
                    return str(note["run"]), str(note.get("execution"))
                self._once("prepare", f"{source} arrived and is being read")
            self._pause("a run of it to begin; where nothing starts: docs/bring-your-model.md#when-nothing-starts")

    def to_the_end(self, run: str, execution: str | None = None) -> dict[str, Any]:
        """Say what becomes of a run until nothing works on it any more, and return its record. Raise `TooLate`.

        Where another execution than this one has settled it, that is said instead: what was judged is not judged again.
        """
        while True:
            record = self._records.find_run(run)
            others = execution is not None and record.get("execution") != execution
            if others and record.get("status") == Status.AWAITING_APPROVAL:
                self._pause(f"the execution {execution} to go on with run {run}")
                continue
            if record.get("status") in ENDED and execution and record.get("execution") not in (None, execution):
                self._once("unchanged", f"the same was judged before, in run {run}: {record['status']}")
                return record
            if record.get("status") == Status.FAILED and execution and record.get("restarts") == execution:
                self._once(f"again {run}", str(record.get("cause")), name="again")
                run = str((self._note(execution) or {}).get("run") or run)
                self._pause(f"the execution {execution} to begin again")
                continue
            self._tell(run, record)
            if record.get("status") in ENDED:
                return record
            self._pause(f"run {run} to end; it goes on: `{self._typed('show', self._records.model, run)}`")

    def _tell(self, run: str, record: dict[str, Any]) -> None:
        status = record.get("status")
        if record.get("rows"):
            self._once("prepare", sentences.prepared(record))
        if status == Status.TRAINING:
            self._experiments(run)
        if record.get("checks") and record["checks"] != self._checks:
            self._checks = record["checks"]
            self._ranked(self._records.leaderboard(run))
            for check in record["checks"]:
                if not check["passed"]:
                    self._once(f"check {check['name']}", f"not passed: {said(check)}", name="gate")
            self._once("gate", sentences.gate(record["checks"]))
        if record.get("version"):
            for entry in self._records.live().history:
                if entry.run == run and entry.event not in ("promoted", "rolled_back"):
                    self._once(f"{entry.revision}", f"{entry.version}: {entry.reason}", name=entry.event)
        if status in ENDED:
            self._ended(record)

    def _ended(self, record: Mapping[str, Any]) -> None:
        if record["status"] == Status.AWAITING_APPROVAL:
            self._once("approval", sentences.awaiting(self._typed, self._records.model, str(record.get("version"))))
            return
        version = f"{record['version']}: " if record.get("version") else ""
        self._once(str(record["status"]), f"{version}{reason(record) or 'no reason was noted'}")

    def _experiments(self, run: str) -> None:
        planned = self._records.planned(run)
        if planned:
            done = len(self._records.leaderboard(run))
            self._once(f"experiments {done}", f"{done} of {planned}", name="experiments")

    def _ranked(self, ranked: Sequence[Mapping[str, Any]]) -> None:
        """Say which experiment is best, and which ones failed, with the first one's error."""
        if ranked and "mean" in ranked[0]:
            best = ranked[0]
            record = {"params": best["params"], "status": "succeeded", "metrics": {best["metric"]: best}}
            told = sentences.best(record, best["metric"])
            self._once("experiments", sentences.experiments(len(ranked), len(ranked), told))
        if failed := [one for one in ranked if one.get("error")]:
            told = f"{len(failed)} of {len(ranked)} failed; {failed[0]['id']}: {failed[0]['error']}"
            self._once("failures", told, name="experiments")
        if skipped := [one for one in ranked if one.get("status") == "skipped"]:
            told = f"{len(skipped)} of {len(ranked)} skipped: {skipped[0].get('why')}"
            self._once("skipped", told, name="experiments")

    def _once(self, key: str, text: str, *, name: str | None = None) -> None:
        line = f"  {name or key:<12} {text}"
        if text and line not in self._told:
            self._told.add(line)
            self._say(line)

    def _note(self, key: str) -> dict[str, Any] | None:
        try:
            return self._executions.find(key.rpartition("/")[2].removesuffix(".json"))
        except (Missing, Unreadable):
            return None

    def _pause(self, what: str) -> None:
        if time.monotonic() > self._until:
            raise TooLate(f"waited in vain for {what}")
        try:
            time.sleep(LOOK_SECONDS)
        except KeyboardInterrupt:
            self._say(f"what was begun goes on: `{self._typed('runs', self._records.model)}`")
            raise
