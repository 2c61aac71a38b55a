"""Runs: one dataset, one contract, one training code, and what came of them."""

from __future__ import annotations

import hashlib
import time
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from functions.core.registry import usage_records
from functions.core.registry.versions import DIGEST, Registry, digest_of
from functions.core.runtime.usage import Usage
from interface import layout, trainer
from models.bring_your_own import GOLDEN
from models.light import dataclass
from models.section import LOCK, SHARED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from functions.core.registry.approvals import Decision
    from functions.core.storage.objects import Objects
    from models.section import Described


class Status(StrEnum):
    """The state of a run."""

    RECEIVED = "received"
    """An execution has begun, and its file is not read yet: only the note of the execution says so."""
    SCHEDULED = "scheduled"
    """An execution waits for its slot in the window of the schedule: only its note says so, and until when."""
    REJECTED = "rejected"
    """The dataset was refused."""
    TRAINING = "training"
    REGISTERED = "registered"
    """A version exists, and no caller is served by it yet."""
    AWAITING_APPROVAL = "awaiting_approval"
    """A version exists, and no caller is served by it before a person has approved it. No execution works on it."""
    REFUSED = "refused"
    """The best experiment did not pass the gate, its version does not give its golden answers, or a person rejected
    it."""
    SUPERSEDED = "superseded"
    """A version exists that no caller was ever served by: newer data came before it had its turn."""
    CANARY = "canary"
    PROMOTED = "promoted"
    ROLLED_BACK = "rolled_back"
    FAILED = "failed"
    """Ended by a failure that the data did not cause; the same dataset resumes it."""


WAITING = frozenset({Status.REGISTERED, Status.SUPERSEDED, Status.AWAITING_APPROVAL})
"""States with a version that was not tried yet: the same dataset, uploaded again, has it released."""
SETTLED = frozenset({Status.REFUSED, Status.CANARY, Status.PROMOTED, Status.ROLLED_BACK})
"""States in which training has nothing left to do."""
OVER = SETTLED | {Status.REJECTED, Status.FAILED, Status.SUPERSEDED, Status.AWAITING_APPROVAL}
"""States that the schedule leaves alone: only a new upload resumes the run."""
SELECTED = SETTLED | WAITING
ENDED = OVER - {Status.CANARY}
"""States in which nothing works on a run."""


_UNCAUSED = (Status.REGISTERED, Status.AWAITING_APPROVAL, Status.CANARY, Status.PROMOTED)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The state of a release."""

    status: Status
    reason: str = ""
    wait_seconds: int = 0
    metrics: Mapping[str, Any] | None = None
    superseded_by: str | None = None
    """The run whose data is newer."""
    revision: int | None = None  # of the pointer, where this ended the release
    decision: Decision | None = None
    """What a person decided, where that was asked for."""

    def noted(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Return the record of the run with this outcome."""
        rollout = {"reason": self.reason, "evidence": self.metrics, "revision": self.revision}
        cause = {} if self.status in _UNCAUSED else {"cause": self.reason}
        newer = {} if self.superseded_by is None else {"superseded_by": self.superseded_by}
        decision = {} if self.decision is None else {"approval": self.decision.document()}
        return {**record, "status": self.status, "rollout": rollout, **cause, **newer, **decision}


class Outdated(RuntimeError):
    """The run was begun with another contract, training code or lock than those deployed now."""


def code_digest(model: str, folder: Path, files: Sequence[str] = ()) -> str:
    """Return the SHA-256 of what a model's training is made of.

    That is training.py and the other modules of its folder, golden requests, the data `files` of the folder, and the
    modules beside it that the archive says are shared.
    """
    whole, own = hashlib.sha256(), folder / model
    listed = own / SHARED
    beside = listed.read_text(encoding="utf-8").splitlines() if listed.is_file() else ()
    content = {*own.rglob("*.py"), *own.glob(GOLDEN), *(own / name for name in files)}
    for file in sorted(content | {folder.parent / name for name in beside}):
        data = file.read_bytes()
        name = file.relative_to(folder if file.is_relative_to(folder) else folder.parent).as_posix()
        whole.update(f"{name} {len(data)}\n".encode() + data)
    return whole.hexdigest()


def recipe(contract: Described, folder: Path) -> dict[str, str]:
    """Return digests of what a run's result depends on, its dataset apart; `folder` holds the models' own folders.

    The lock is part of it where something is trained: what failed for want of a package is another run with it.
    """
    parts = {"contract": contract.digest, "code": code_digest(contract.name, folder, contract.reads)}
    lock = (folder / contract.name if has_packages(contract.name, folder) else folder) / LOCK
    if contract.is_trained and lock.is_file():
        parts["lock"] = lock.read_text(encoding="utf-8").strip()
    return parts


def has_packages(model: str, folder: Path) -> bool:
    """Return whether a model is trained with packages of its own."""
    return (folder / model / LOCK).is_file()


def trained_by(model: str, folder: Path) -> str:
    """Return who runs the experiments of a model, by `interface.trainer`."""
    return trainer.own(model) if has_packages(model, folder) else trainer.SHARED


def run_of(contract: Described, folder: Path, dataset: str) -> str:
    """Return the name of a run: the same dataset and recipe are the same run."""
    parts = (contract.name, dataset, *recipe(contract, folder).values())
    return digest_of(*(part.encode() for part in parts))


def run_of_release(model: str, version: str, execution: str) -> str:
    """Return the name of a run that only releases a version: a new one for each execution of the workflow."""
    return digest_of(b"release", model.encode(), version.encode(), execution.encode())


def run_of_execution(model: str, execution: str) -> str:
    """Return the name of the run of an execution that failed before it knew which run it works on."""
    return digest_of(b"execution", model.encode(), execution.encode())


def check_recipe(record: Mapping[str, Any], contract: Described, folder: Path) -> None:
    """Raise `Outdated` where a run's record names another recipe than the one deployed."""
    for part, digest in recipe(contract, folder).items():
        # A run that an older release began names no lock.
        if record.get(part, digest) != digest:
            raise Outdated(f"the {part} of {contract.name} changed after the run began; start the workflow again")


class RunUsage:
    """What runs used: the calls of their steps, of every execution that worked on them, those that failed included.

    A call that is killed, by its timeout or for its memory, says nothing and is not counted.
    """

    def __init__(self, models: Objects, clock: Callable[[], float] = time.time) -> None:
        self._models = models
        self._clock = clock

    def note(self, model: str, run: str, step: str, used: Usage) -> None:
        """Record what a call of a step used."""
        folder = Registry(self._models, model).run_key(run, "").rstrip("/")
        usage_records.note(self._models, folder, {step: used}, self._clock())

    def noting(self, step: str, *, settles: bool = False) -> Callable[[Mapping[str, Any], Usage], None]:
        """Return what records the usage of a step's call by its payload and answer, where they name a run.

        `settles`: the run's record is to tell it at once.
        """

        def note(about: Mapping[str, Any], used: Usage) -> None:
            model, run = about.get("model"), about.get("run")
            if isinstance(model, str) and isinstance(run, str) and DIGEST.fullmatch(run):
                self.note(model, run, step, used)
                if settles:
                    self.settle(model, run)

        return note

    def settle(self, model: str, run: str) -> None:
        """Have the run's record tell what the run has used until now."""
        used = self.document(model, run)
        Registry(self._models, model).update_run(run, lambda record: {**record, **used} if record else record)

    def by_step(self, model: str, run: str) -> dict[str, Usage]:
        """Return what the steps of a run have used until now, by their names."""
        folder = Registry(self._models, model).run_key(run, layout.USAGE).rstrip("/")
        steps: dict[str, Usage] = {}
        for key in self._models.keys(folder):
            usage_records.add(steps, usage_records.read(key))
        return steps

    def document(self, model: str, run: str) -> dict[str, Any]:
        """Return `{"usage": ...}` as records and cards show it; nothing where nothing is known."""
        steps = self.by_step(model, run)
        if not steps:
            return {}
        by_step = {step: used.document() for step, used in sorted(steps.items())}
        return {"usage": {**Usage.total(steps.values()).document(), "by_step": by_step}}
