"""What every file that arrives has in common: it is noted and read, and begins a run or is refused with the reason."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from functions.core.dataset.file_blocks import NotRead
from functions.core.dataset.rejected_dataset import RejectedDataset
from functions.core.registry.executions import Executions
from functions.core.registry.plan import FIRST, Plan
from functions.core.registry.runs import SETTLED, WAITING, Status, recipe, run_of, trained_by
from functions.core.registry.versions import Registry
from functions.core.storage.keys import OddKey
from functions.core.storage.objects import Missing, Objects, TooLarge, Unreadable
from interface import layout

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from functions.core.dataset.hold import Hold
    from functions.core.dataset.wanted import Reader
    from functions.core.runtime.log import Log
    from models.section import Described

Understood = TypeVar("Understood")
Answer = dict[str, Any]
"""The step's answer to the workflow: status, model, run, dataset and experiments."""


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A file that was uploaded, before it is opened."""

    source: str
    """Its key in the data store."""
    bytes: int | None = None
    """None where it cannot be told."""
    arrived: str = ""
    """When it was written, as a text that sorts; empty where it cannot be told."""
    refusal: RejectedDataset | None = None
    """Why it cannot be read."""

    @property
    def moment(self) -> float | None:
        """When it was written, in seconds since 1970; None where it cannot be told."""
        return datetime.fromisoformat(self.arrived).timestamp() if self.arrived else None

    @property
    def digest(self) -> str:
        """What stands for the digest of a file that nothing was read of."""
        return hashlib.sha256(self.source.encode()).hexdigest()

    @property
    def facts(self) -> dict[str, Any]:
        """What notes and records say of it."""
        return {"source": self.source, "bytes": self.bytes, "arrived": self.arrived}


@dataclass(frozen=True, kw_only=True)
class Arrival(ABC):
    """Files that arrive for one model, in one execution of the workflow.

    `TrainedArrival` takes datasets, `BringYourOwnArrival` ONNX files. `execution` names the
    execution, `at` is the time of day that records show, `folder` holds the models' own folders,
    `read_rows` opens a table, `hold` decides when a training begins: at once without one.
    """

    data: Objects
    models: Objects
    execution: str
    at: str
    folder: Path
    read_rows: Reader
    log: Log
    hold: Hold | None = None

    @property
    @abstractmethod
    def described(self) -> Described:
        """The contract, as far as all kinds of models share it."""

    @abstractmethod
    def prepare(self, upload: Upload, *, scheduled: bool) -> Answer:
        """Begin a run for an uploaded file, or say why there is none to begin.

        `scheduled`: nothing has arrived; the newest file is looked at again.
        """

    def receive(self, source: str) -> Answer:
        """Note that a file has arrived, before it is opened, and prepare it."""
        if source.endswith("/"):
            self.log.info("a folder, and no file", source=source, model=self.described.name)
            return answer("unchanged", self.described.name, "", None)
        upload = self.upload(source)
        self.note(status=Status.RECEIVED, **upload.facts)
        return self.prepare(upload, scheduled=False)

    def look_again(self, source: str) -> Answer:
        """Prepare the newest file, which may have been through before; note it where that fails."""
        upload = self.upload(source)
        try:
            return self._held_still(upload) or self.prepare(upload, scheduled=True)
        except Exception:
            self.note(status=Status.RECEIVED, **upload.facts)
            raise

    def upload(self, source: str) -> Upload:
        """Return what is known of a file that was not opened yet. Raise `Forbidden`."""
        try:
            entry = self.data.entry(source)
        except OddKey as problem:
            advice = "upload it under a key of folders and a name, as in <model>/incoming/data.csv"
            return Upload(source=source, refusal=RejectedDataset(f"{problem}; {advice}"))
        if entry is None:
            return Upload(source=source, refusal=RejectedDataset(f"{source!r} was gone before it was read"))
        at = entry.modified.isoformat(timespec="microseconds")
        return Upload(source=source, bytes=entry.size, arrived=at)

    def note(self, **facts: Any) -> None:
        """Add facts to the note of the execution."""
        Executions(self.models, self.described.name).note(self.execution, created=self.at, **facts)

    def held(self, upload: Upload, digest: str) -> Answer | None:
        """Return the answer of an execution that pauses until its slot; None where it goes on at once.

        It goes on where nothing decides on slots, where there is nothing left to train, in its slot, and where its note
        is damaged, which says since when it waits. It has nothing to do where another execution trains the same.
        """
        if self.hold is None:
            return None
        model, run = self.described.name, self.run_of(digest)
        before = self.registry.read_run(run) or {}
        if before.get("status") in SETTLED | WAITING:
            return None
        if before.get("status") == Status.TRAINING and before.get("execution") != self.execution:
            self.note(run=run, **upload.facts)
            return answer("unchanged", model, run, digest)
        note = self._note()
        schedule = self.hold.decided(note)
        if schedule is None and note.get("status") == Status.SCHEDULED:
            return None
        decision = self.hold.decide(model, schedule)
        self.note(
            status=Status.SCHEDULED, dataset=digest, schedule=decision.document, wakes=decision.wakes, **upload.facts
        )
        if not decision.pause_seconds:
            return None
        self.log.info("held until its slot", model=model, wakes=decision.wakes, **decision.document)
        return {**answer("waiting", model, "", digest), "wait_seconds": decision.pause_seconds}

    @property
    def schedule(self) -> dict[str, Any] | None:
        """What was decided on the slot of this execution; None where nothing was, or its note is damaged."""
        return None if self.hold is None else self.hold.decided(self._note())

    def _held_still(self, upload: Upload) -> Answer | None:
        """Return the answer of an execution that pauses on, without opening the file that it has read before."""
        note = {} if self.hold is None else self._note()
        same = all(note.get(name) == fact for name, fact in upload.facts.items())
        digest = note.get("dataset")
        return self.held(upload, digest) if digest and same and note.get("status") == Status.SCHEDULED else None

    def _note(self) -> dict[str, Any]:
        """Return the note of the execution: empty before its first call, and only that it has waited if damaged."""
        try:
            return Executions(self.models, self.described.name).find(self.execution) or {}
        except Unreadable:
            return {"status": Status.SCHEDULED}

    @property
    def registry(self) -> Registry:
        return Registry(self.models, self.described.name)

    def run_of(self, digest: str) -> str:
        """Return the name of the run on the dataset of this digest."""
        return run_of(self.described, self.folder, digest)

    def read(self, upload: Upload, at_most: int) -> bytes:
        """Return the bytes of a file. Raise `RejectedDataset` where it cannot be read, or has more than `at_most`."""
        if upload.refusal is not None:
            raise upload.refusal
        try:
            return self.data.get(upload.source, at_most=at_most)
        except TooLarge:
            raise RejectedDataset(f"the file is larger than {at_most // 1_000_000} MB, the most") from None
        except Missing:
            raise RejectedDataset(f"{upload.source!r} was gone before it was read") from None

    def understand(self, work: Callable[[], Understood], upload: Upload) -> Understood:
        """Return what `work` makes of the bytes of a file. Raise `RejectedDataset` for whatever else it raises.

        `work` touches nothing but the bytes: that it fails is a fault of the file, also where it is ours. Raise
        `NotRead` where the store does not give them.
        """
        try:
            return work()
        except (RejectedDataset, NotRead):
            raise
        except Exception as problem:
            self.log.error("file not understood", problem=problem, source=upload.source, model=self.described.name)
            kind, text = type(problem).__name__, str(problem)[:500]
            raise RejectedDataset(f"the file cannot be read: {kind}: {text}") from None

    def reject(self, upload: Upload, digest: str, rejection: RejectedDataset) -> Answer:
        """Record why a file is refused. Its run goes by the digest of its bytes: nothing in it was understood."""
        run, model = self.run_of(digest), self.described.name
        report = {**rejection.report, "source": upload.source}
        self.note(run=run, **upload.facts)
        self.data.put_json(f"{model}/{layout.DATASETS}{digest}/report.json", report)
        record = {**self._record(run, upload, digest), "cause": report["cause"], "report": report}
        self.registry.write_run(run, {**record, "status": Status.REJECTED})
        return answer(Status.REJECTED, model, run, digest)

    def begin(self, upload: Upload, digest: str, plan: Plan, facts: Mapping[str, Any]) -> Answer:
        """Write a run's plan and record unless it is settled, and answer where it stands.

        `facts` is what the record says besides.
        """
        registry, run, model = self.registry, self.run_of(digest), self.described.name
        before = registry.read_run(run)
        if before is None or before.get("status") not in SETTLED:
            self.models.put_json(registry.run_key(run, "plan.json"), plan.document())
        fresh = {**self._record(run, upload, digest), **facts}

        def begun(record: dict[str, Any]) -> dict[str, Any]:
            if record.get("status") in SETTLED:
                return record
            if record.get("status") in WAITING:
                again = {name: fact for name, fact in record.items() if name not in ("cause", "superseded_by")}
                return {**again, **upload.facts, "execution": self.execution, "status": Status.REGISTERED}
            return {**fresh, "created": record.get("created", self.at), "status": Status.TRAINING}

        match registry.update_run(run, begun)["status"]:
            case Status.TRAINING:
                accepted = answer("accepted", model, run, digest, list(plan.experiments))
                return {**accepted, "trainer": trained_by(model, self.folder), "round": FIRST}
            case Status.REGISTERED:
                return answer(Status.REGISTERED, model, run, digest)
            case _:
                return answer("unchanged", model, run, digest)

    def _record(self, run: str, upload: Upload, digest: str) -> dict[str, Any]:
        known = {"run": run, "model": self.described.name, **upload.facts, "dataset": digest}
        return {**known, **recipe(self.described, self.folder), "execution": self.execution, "created": self.at}


def answer(status: str, model: str, run: str, dataset: str | None, experiments: list[str] | None = None) -> Answer:
    """Return the step's answer. `dataset` is a digest, `experiments` are the ids of those to be run.

    One that is accepted names the trainer, too, by `interface.trainer`, and the round that the experiments begin with.
    """
    return {"status": str(status), "model": model, "run": run, "dataset": dataset, "experiments": experiments or []}
