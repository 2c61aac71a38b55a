"""The first step: from an uploaded file to a run that the next steps carry on, or to a record of why not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from functions.core.dataset import read_apart
from functions.core.dataset.arrival import answer
from functions.core.dataset.bring_your_own import BringYourOwnArrival
from functions.core.dataset.trained import TrainedArrival
from functions.core.registry.executions import TRACE, Executions
from functions.core.registry.runs import Status, run_of_release
from functions.core.registry.versions import DIGEST, NAME, Registry
from functions.core.runtime.log import Log
from functions.core.storage.objects import Objects, Unreadable
from interface import layout
from models.catalogue import by_kind, load
from models.section import FOLDER

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from functions.core.dataset.arrival import Answer, Arrival
    from functions.core.dataset.hold import Hold
    from functions.core.dataset.wanted import Reader

_ACCEPTED = (
    'accepted: {"source": "<model>/incoming/<file>"}, {"model": "<name>"},'
    ' {"model": "<name>", "action": "wait"}, {"model": "<name>", "version": "<version>"},'
    ' the same with "run": "<run>" for one that waits for approval,'
    ' or {"model": "<name>", "action": "rollback", "reason": "<why>"};'
    ' each with "trace": {"traceparent": "<of W3C>"} besides, if it belongs to one'
)


RESUMED = frozenset({Status.AWAITING_APPROVAL, Status.REGISTERED, Status.FAILED})
"""States in which a run with a version goes on to its release."""
ROLLBACK = "rollback"
"""The answer to a request for the champion before this one: nothing is to be prepared."""


class BadRequest(ValueError):
    """A request that names nothing that could be prepared. The text says what is accepted."""


@dataclass(frozen=True, kw_only=True)
class Preparation:
    """One call of the step.

    `at` is the time of day that records show, `folder` holds the models' own folders, `read_rows` opens a table.
    `hold` decides when a training begins that may wait.
    """

    data: Objects
    models: Objects
    execution: str
    at: str
    folder: Path = FOLDER
    read_rows: Reader = read_apart.open_rows
    log: Log = field(default_factory=Log)
    hold: Hold | None = None

    def __call__(self, request: Mapping[str, Any]) -> Answer:
        """Answer `request` (see the workflow's input) with status, model, run, dataset and experiments.

        `accepted`: the experiments are to be run; `registered`: the version is to be
        released; `rollback`: the champion before this one is to be live again; `rejected`:
        the file is of no use, the run's record says why; `unchanged`: the same file has
        been through before, or it is a folder's marker; `waiting`: the step is to be called again
        after `wait_seconds`. Raise `BadRequest`.
        """
        match {name: value for name, value in dict(request).items() if name != TRACE}:
            case {"source": str(source), **others} if not others:
                return self._arrival(_model_of(source)).receive(source)
            case {"model": str(model), "version": str(version), **others} if not others and NAME.fullmatch(model):
                return self._release_again(model, version)
            case {"model": str(model), "version": str(version), "run": str(run), **others} if not others and _are_names(
                model, run
            ):
                return self._go_on(model, version, run)
            case {"model": str(model), "action": "rollback", **others} if NAME.fullmatch(model) and _is_reason(others):
                reason = others.get("reason", "no reason was given")
                return {**answer(ROLLBACK, model, "", None), "reason": reason}
            case {"model": str(model), **others} if not others and NAME.fullmatch(model):
                return self._arrival(model).look_again(self._newest(model))
            case {"model": str(model), "action": "wait", **others} if not others and NAME.fullmatch(model):
                return self._arrival(model, self.hold).look_again(self._newest(model))
            case _:
                raise BadRequest(f"the input is not understood; {_ACCEPTED}")

    def _newest(self, model: str) -> str:
        source = self.data.newest(f"{model}/incoming")
        if source is None:
            raise BadRequest(f"there is no dataset under {model}/{layout.INCOMING} yet")
        return source

    def _arrival(self, model: str, hold: Hold | None = None) -> Arrival:
        known: dict[str, Any] = {**vars(self), "hold": hold}
        return by_kind(
            load(model, self.folder),
            trained=lambda contract: TrainedArrival(contract=contract, **known),
            bring_your_own=lambda contract: BringYourOwnArrival(contract=contract, **known),
        )

    def _release_again(self, model: str, version: str) -> Answer:
        """Begin a run that only releases a registered version."""
        registry = Registry(self.models, model)
        card = registry.card(version)
        if card is None:
            raise BadRequest(f"{model} has no registered version {version[:64]}")
        run = run_of_release(model, version, self.execution)
        Executions(self.models, model).note(self.execution, created=self.at, run=run)
        fresh = {"run": run, "model": model, "version": version, "dataset": card.get("dataset")}
        fresh |= {"execution": self.execution, "created": self.at, "status": Status.REGISTERED}
        fresh |= self._origin(registry, version)
        # Delivered again, the record that rollout may have changed since then stays.
        registry.update_run(run, lambda record: record or fresh)
        return answer(Status.REGISTERED, model, run, card.get("dataset"))

    def _origin(self, registry: Registry, version: str) -> dict[str, Any]:
        """Return what a record says of a version that came from another stack; nothing of any other."""
        try:
            origin = self.models.find_json(registry.key(version, layout.ORIGIN))
        except Unreadable:
            origin = None
        return {"origin": origin} if isinstance(origin, dict) else {}

    def _go_on(self, model: str, version: str, run: str) -> Answer:
        """Go on with a run whose version waited for approval; whether it has it, the release finds."""
        registry = Registry(self.models, model)
        before = registry.read_run(run) or {}
        if before.get("version") != version:
            raise BadRequest(f"run {run} of {model} has no version {version[:64]}")
        Executions(self.models, model).note(self.execution, created=self.at, run=run)

        def gone_on(record: dict[str, Any]) -> dict[str, Any]:
            if record.get("status") not in RESUMED:
                return record
            rest = {name: fact for name, fact in record.items() if name != "cause"}
            return {**rest, "execution": self.execution, "status": Status.REGISTERED}

        status = registry.update_run(run, gone_on).get("status")
        resumed = Status.REGISTERED if status == Status.REGISTERED else "unchanged"
        return answer(resumed, model, run, before.get("dataset"))


def _are_names(model: str, run: str) -> bool:
    return NAME.fullmatch(model) is not None and DIGEST.fullmatch(run) is not None


def _is_reason(others: Mapping[str, Any]) -> bool:
    return not others or (list(others) == ["reason"] and isinstance(others["reason"], str))


def _model_of(source: str) -> str:
    model, _, rest = source.partition("/")
    if NAME.fullmatch(model) and rest.startswith(layout.INCOMING):
        return model
    raise BadRequest(f"the source is not an uploaded dataset; {_ACCEPTED}")
