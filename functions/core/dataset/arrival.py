"""What every file that arrives has in common: it is read, and begins a run or is refused with a record of why."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from functions.core.dataset.validation import RejectedDataset
from functions.core.registry.runs import SETTLED, Status, recipe, run_of
from functions.core.registry.versions import Registry
from functions.core.storage.objects import Objects, TooLarge
from interface import layout

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from functions.core.dataset.wanted import Reader
    from models.section import Described

Answer = dict[str, Any]
"""The step's answer to the workflow: status, model, run, dataset and experiments."""


@dataclass(frozen=True, kw_only=True)
class Arrival(ABC):
    """Files that arrive for one model, in one execution of the workflow.

    `TrainedArrival` takes datasets, `BringYourOwnArrival` ONNX files. `execution` names the
    execution, `at` is the time of day that records show, `folder` holds the models' own folders,
    `read_rows` opens a table.
    """

    data: Objects
    models: Objects
    execution: str
    at: str
    folder: Path
    read_rows: Reader

    @property
    @abstractmethod
    def described(self) -> Described:
        """The contract, as far as all kinds of models share it."""

    @abstractmethod
    def prepare(self, source: str, *, scheduled: bool) -> Answer:
        """Begin a run for the object `source` of the data store, or say why there is none to begin.

        `scheduled`: nothing has arrived; the newest file is looked at again.
        """

    @property
    def registry(self) -> Registry:
        return Registry(self.models, self.described.name)

    def run_of(self, digest: str) -> str:
        """Return the name of the run on the dataset of this digest."""
        return run_of(self.described, self.folder, digest)

    def read(self, source: str, at_most: int) -> bytes:
        """Return the bytes of a file. Raise `RejectedDataset` for more than `at_most`."""
        if source.endswith("/"):  # a folder, as S3's console makes them
            return b""
        try:
            return self.data.get(source, at_most=at_most)
        except TooLarge:
            raise RejectedDataset(f"the file is larger than {at_most // 1_000_000} MB, the most") from None

    def reject(self, source: str, digest: str, rejection: RejectedDataset) -> Answer:
        """Record why a file is refused. Its run goes by the digest of its bytes: nothing in it was understood."""
        run, model = self.run_of(digest), self.described.name
        report = {**rejection.report, "source": source}
        note_run(self.registry, self.models, self.execution, run)
        self.data.put_json(f"{model}/{layout.DATASETS}{digest}/report.json", report)
        record = {**self._record(run, source, digest), "cause": report["cause"], "report": report}
        self.registry.write_run(run, {**record, "status": Status.REJECTED})
        return answer(Status.REJECTED, model, run, digest)

    def begin(self, source: str, digest: str, plan: list[dict[str, Any]], facts: Mapping[str, Any]) -> Answer:
        """Write a run's plan and record unless it is settled, and answer where it stands.

        `plan` lists the experiments, `facts` is what the record says besides.
        """
        registry, run, model = self.registry, self.run_of(digest), self.described.name
        before = registry.read_run(run)
        if before is None or before["status"] not in SETTLED:
            self.models.put_json(registry.run_key(run, "plan.json"), {"experiments": plan})
        fresh = {**self._record(run, source, digest), **facts}

        def begun(record: dict[str, Any]) -> dict[str, Any]:
            if record.get("status") in SETTLED | {Status.REGISTERED}:
                return record
            return {**fresh, "created": record.get("created", self.at), "status": Status.TRAINING}

        match registry.update_run(run, begun)["status"]:
            case Status.TRAINING:
                return answer("accepted", model, run, digest, [experiment["id"] for experiment in plan])
            case Status.REGISTERED:
                return answer(Status.REGISTERED, model, run, digest)
            case _:
                return answer("unchanged", model, run, digest)

    def _record(self, run: str, source: str, digest: str) -> dict[str, Any]:
        known = {"run": run, "model": self.described.name, "source": source, "dataset": digest}
        return {**known, **recipe(self.described, self.folder), "execution": self.execution, "created": self.at}


def note_run(registry: Registry, models: Objects, execution: str, run: str) -> None:
    """Note which run an execution works on: a later failure of the execution is recorded there."""
    models.put_json(registry.execution_key(execution), {"run": run})


def answer(status: str, model: str, run: str, dataset: str | None, experiments: list[str] | None = None) -> Answer:
    """Return the step's answer. `dataset` is a digest, `experiments` are the ids of those to be run."""
    return {"status": str(status), "model": model, "run": run, "dataset": dataset, "experiments": experiments or []}
