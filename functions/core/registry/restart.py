"""A run whose model was changed under it, by a deployment, begins again: at most so often for one execution."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from functions.core.registry.executions import Executions
from functions.core.registry.runs import SELECTED, Outdated, Status
from functions.core.registry.versions import Registry
from functions.core.storage.objects import Unreadable

if TYPE_CHECKING:
    from collections.abc import Callable

    from functions.core.storage.objects import Objects

    Answer = dict[str, Any]

OUTDATED = "outdated"
"""The answer of `select` after which the workflow prepares again; and in a run's record, what a training has found."""
PAUSES = (10, 30, 60)
"""Seconds before each time that an execution begins again. A deployment replaces functions one after another, and all
of one model's are replaced within these."""
AGAIN = "it begins again, with what is deployed now"


class Restart:
    """The restart of a run of one model."""

    def __init__(self, models: Objects, model: str, run: str) -> None:
        self._executions = Executions(models, model)
        self._registry = Registry(models, model)
        self._about = {"model": model, "run": run}
        self._run = run

    def training(self, work: Callable[[], Answer]) -> Answer:
        """Return what a training answers; one that is deployed with something else answers nothing but that.

        No other call of it would find anything else: the step that selects has the run begin again.
        """
        try:
            return work()
        except Outdated as problem:
            self._note(str(problem))
            return {"status": OUTDATED}

    def selecting(self, work: Callable[[], Answer]) -> Answer:
        """Return what a selection answers, or what has the workflow prepare again, after a pause.

        Raise `Outdated` where the execution has begun again so often that something else must be wrong.
        """
        try:
            record = self._registry.read_run(self._run) or {}
            if OUTDATED in record and record.get("status") not in SELECTED:
                raise Outdated(record[OUTDATED])
            return work()
        except Outdated as problem:
            return self._again(problem)

    def _note(self, problem: str) -> None:
        def noted(record: dict[str, Any]) -> dict[str, Any]:
            return {**record, OUTDATED: problem} if record and record.get("status") not in SELECTED else record

        self._registry.update_run(self._run, noted)

    def _again(self, problem: Outdated) -> Answer:
        """Answer that the workflow is to prepare again; end this run with the reason. Raise `problem` after the last.

        A call that is repeated counts once more, which does no harm: it is fewer times, and never more.
        """
        execution = str((self._registry.read_run(self._run) or {}).get("execution"))
        try:
            times = int((self._executions.find(execution) or {}).get("restarts", 0))
        except Unreadable:
            raise problem from None
        if times >= len(PAUSES):
            raise problem
        self._executions.note(execution, restarts=times + 1)
        cause = f"{str(problem).partition(';')[0]}: {AGAIN}"

        def ended(record: dict[str, Any]) -> dict[str, Any]:
            kept = {name: fact for name, fact in record.items() if name != OUTDATED}
            return {**kept, "status": Status.FAILED, "cause": cause, "restarts": execution}

        self._registry.update_run(self._run, ended)
        return {**self._about, "status": OUTDATED, "version": None, "wait_seconds": PAUSES[times]}
