"""The supervisor: it ends what no execution of the workflow will end any more, and reports what is damaged.

An execution may be stopped, time out or lose its last step, and then says nothing. The supervisor
knows it by the time: a release whose judge is later than a judge can be, and a run of which nothing
was written for longer than any step takes. What it does twice it does once: every change is one
conditional write, of a state that it has read.
"""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from functions.core.registry import pointer as transitions
from functions.core.registry.executions import Executions
from functions.core.registry.live_pointer import Live, UnreadablePointer
from functions.core.registry.runs import ENDED, Status, run_of_execution
from functions.core.registry.versions import Registry
from functions.core.release.damage import examine
from functions.core.release.judge import FAILED, UNJUDGED
from functions.core.release.reminder import remind
from functions.core.storage.objects import Unreadable
from interface import layout

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from functions.core.registry.executions import Note
    from functions.core.registry.pointer import Pointer
    from functions.core.runtime.log import Log
    from functions.core.storage.objects import Objects
    from interface.rollout import RolloutPlan

SHOWN = 100
"""Findings that an answer lists; the log has all of them."""

STOPPED = "it was stopped, it took too long, or its last step was lost"
UNREAD = f"its execution ended before the file was read: {STOPPED}; upload the file again"
UNWOKEN = f"its execution ended while it waited for its slot: {STOPPED}; the schedule starts another"
UNTRAINED = f"its execution ended while it trained: {STOPPED}; the same dataset carries on with it"
UNRELEASED = f"its execution ended before its version had its turn: {STOPPED}; the same dataset has it released"
LAST = {"promoted": Status.PROMOTED, "rolled_back": Status.ROLLED_BACK}
"""What has become of a run whose last step changed the pointer, and was lost before it wrote the record."""
CAUSES = {Status.REGISTERED: UNRELEASED, Status.CANARY: UNJUDGED}
"""Why a run has failed, by the state that it was in; in any other it trained."""


class Ended(NamedTuple):
    """A run that the supervisor has ended."""

    model: str
    run: str
    status: str
    cause: str


class Supervisor:
    """Looks after the runs, releases and live pointers of a stack's models.

    `quiet_seconds` is the longest time for which an execution that trains may write nothing.
    """

    def __init__(
        self,
        models: Objects,
        names: Sequence[str],
        *,
        plan: RolloutPlan,
        quiet_seconds: float,
        log: Log,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._models = models
        self._names = names
        self._plan = plan
        self._quiet_seconds = quiet_seconds
        self._log = log
        self._clock = clock

    def act(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Look after every model, and return what was ended and which objects are damaged.

        One model that cannot be looked after does not keep the others from it; then raise what it raised.
        """
        del payload  # a schedule has nothing to say
        ended: list[Ended] = []
        damaged: list[str] = []
        problems: list[Exception] = []
        for name in self._names:
            try:
                damaged += examine(self._models, name, self._log)
                ended += self._end_releases(name)
                ended += self._end_executions(name)
            except Exception as problem:
                self._log.error("model not supervised", problem=problem, model=name, metric="NotSupervised")
                problems.append(problem)
        if problems:
            raise problems[0]
        return {"ended": [run._asdict() for run in ended[:SHOWN]], "damaged": damaged[:SHOWN]}

    def _end_releases(self, model: str) -> list[Ended]:
        """Withdraw a challenger that nobody judges any more, and have nobody wait who does not ask any more."""
        live, now = Live(self._models, model), self._clock()
        gone: dict[str, str] = {}

        def end(pointer: Pointer) -> Pointer:
            gone.clear()
            release = pointer.release
            if release is not None and self._plan.is_abandoned(release.since, release.bakes, now):
                gone[release.run] = UNJUDGED
                pointer = transitions.withdraw(pointer, now, UNJUDGED)
            for turn in pointer.waiting:
                if self._plan.is_gone(turn.asked, now):
                    gone[turn.run] = UNRELEASED
                    pointer = transitions.leave(pointer, turn.run)
            return pointer

        try:
            pointer = live.change(end)
        except UnreadablePointer:
            return []  # reported already
        remind(self._models, model, pointer, now, self._log)
        return [ended for run, cause in gone.items() for ended in self._fail(model, run, cause, {})]

    def _end_executions(self, model: str) -> list[Ended]:
        """Fail the runs of executions that have written nothing for too long."""
        executions, ended = Executions(self._models, model), []
        for entry in executions.open():
            if not self._is_quiet(entry.modified.timestamp()):
                continue
            execution = entry.key.rpartition("/")[2].removesuffix(".json")
            try:
                verdict = self._verdict(model, execution, executions.find(execution) or {})
            except Unreadable as problem:
                self._log.error("note unreadable", reason=str(problem), key=entry.key, metric="NoteUnreadable")
                verdict = []
            if verdict is not None:
                ended += verdict
                executions.end(execution)
        return ended

    def _verdict(self, model: str, execution: str, note: Note) -> list[Ended] | None:
        """End the run of an execution, if it is open, and return it; None while the execution may go on with it."""
        registry, run = Registry(self._models, model), note.get("run")
        if run is None and note.get("status") == Status.SCHEDULED:
            is_late = self._is_quiet(_seconds(note.get("wakes")))
            return self._fail(model, run_of_execution(model, execution), UNWOKEN, note) if is_late else None
        if run is None:
            return self._fail(model, run_of_execution(model, execution), UNREAD, note)
        record = registry.read_run(run) or {}
        if record.get("status") in ENDED or record.get("execution", execution) != execution:
            return []
        if self._may_go_on(model, run):
            return None
        last = Live(self._models, model).read().last(run)
        if last is not None and last.event in LAST and not last.reason.startswith((UNJUDGED, FAILED)):
            came = {"status": LAST[last.event], "rollout": {"reason": last.reason, "evidence": None}}
            registry.update_run(run, lambda found: found if found.get("status") in ENDED else {**found, **came})
            return []
        return self._fail(model, run, CAUSES.get(record.get("status", ""), UNTRAINED), note)

    def _may_go_on(self, model: str, run: str) -> bool:
        """Return whether an execution may be at work on a run: something was written lately, or it has its turn."""
        try:
            pointer = Live(self._models, model).read()
        except UnreadablePointer:
            return True  # nobody can tell
        if (pointer.release is not None and pointer.release.run == run) or pointer.waits(run):
            return True
        entries = self._models.entries(f"{model}/{layout.RUNS}{run}")
        return not self._is_quiet(max((entry.modified.timestamp() for entry in entries), default=0.0))

    def _fail(self, model: str, run: str, cause: str, note: Note) -> list[Ended]:
        """Record that a run has failed, unless it has ended otherwise, and return it."""
        known = {"run": run, "model": model, **note}
        failed: list[str] = []

        def fail(record: dict[str, Any]) -> dict[str, Any]:
            failed.clear()
            if record.get("status") in ENDED:
                return record
            failed.append(str(record.get("status", Status.RECEIVED)))
            return {**(record or known), "status": Status.FAILED, "cause": cause}

        Registry(self._models, model).update_run(run, fail)
        if not failed:
            return []
        self._log.error("run ended", model=model, run=run, was=failed[0], reason=cause, metric="RunEnded")
        return [Ended(model=model, run=run, status=str(Status.FAILED), cause=cause)]

    def _is_quiet(self, written: float) -> bool:
        return self._clock() - written > self._quiet_seconds


def _seconds(text: object) -> float:
    """Return a time of a note in seconds since 1970; 0 for what is none."""
    try:
        return datetime.fromisoformat(str(text)).timestamp()
    except ValueError:
        return 0.0
