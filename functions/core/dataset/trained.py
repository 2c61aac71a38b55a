"""Datasets that arrive for a model that is trained here: validated, split, and planned as experiments."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from functions.core.dataset.arrival import Arrival
from functions.core.dataset.file_blocks import FileBlocks
from functions.core.dataset.rejected_dataset import RejectedDataset
from functions.core.dataset.rounds import shares_of
from functions.core.dataset.validation import ValidatedDataset, validate_dataset
from functions.core.registry.plan import WHOLE, Plan
from functions.core.registry.runs import SETTLED
from functions.core.storage.objects import Unreadable
from interface import layout

if TYPE_CHECKING:
    from collections.abc import Sequence

    from functions.core.dataset.arrival import Answer, Upload
    from functions.core.registry.training_request import TrainingRequest
    from models.contract import Contract

MAXIMUM_BYTES = 200_000_000
"""Of one file: it is held in memory whole, together with the numbers made of it, in a function of 2 GB."""


@dataclass(frozen=True, kw_only=True)
class TrainedArrival(Arrival):
    contract: Contract

    @property
    def described(self) -> Contract:
        return self.contract

    def prepare(self, upload: Upload, *, scheduled: bool) -> Answer:
        """Validate a dataset and plan the experiments on it."""
        data = None
        try:
            request = self._request(upload)
            data, further = self._opened((upload.source,) if request is None else request.tables)
            reading = self.understand(
                partial(validate_dataset, data, self.contract, self.read_rows, upload.moment, further), upload
            )
        except RejectedDataset as rejection:
            return self.reject(upload, upload.digest if data is None else data.digest(), rejection)
        return self._accept(upload, reading, request)

    def _request(self, upload: Upload) -> TrainingRequest | None:
        """Return what an uploaded request to train again says; None for a dataset. Raise `RejectedDataset`."""
        if upload.refusal is not None:
            raise upload.refusal
        if not upload.source.startswith(f"{self.contract.name}/{layout.AGAIN}"):
            return None
        from functions.core.registry.training_request import BadTrainingRequest, TrainingRequest  # noqa: PLC0415 - rare

        try:
            return TrainingRequest.parse(self.data.find_json(upload.source), self.contract.name)
        except (BadTrainingRequest, Unreadable) as problem:
            raise RejectedDataset(str(problem)) from None

    def _opened(self, tables: Sequence[str]) -> tuple[FileBlocks, dict[str, FileBlocks]]:
        """Return the blocks of the tables, the first and the further ones.

        Raise `RejectedDataset` where one cannot be read, or they are too large.
        """
        data, *others = (FileBlocks(self.data, table) for table in tables)
        if sum(one.size for one in (data, *others)) > MAXIMUM_BYTES:
            what = "the file is" if not others else "the files together are"
            raise RejectedDataset(f"{what} larger than {MAXIMUM_BYTES // 1_000_000} MB, the most")
        return data, dict(zip(tables[1:], others, strict=True))

    def _accept(self, upload: Upload, reading: ValidatedDataset, request: TrainingRequest | None) -> Answer:
        if (answer := self.held(upload, reading.digest)) is not None:
            return answer
        schedule = self.schedule
        run = self.run_of(reading.digest)
        self.note(run=run, **upload.facts)
        search = self.contract.search
        shares = shares_of(search, reading.dataset) if search.method == "halving" else WHOLE
        plan = Plan.of(search.experiments(), shares)
        before = self.registry.read_run(run)
        if before is None or before.get("status") not in SETTLED:
            self._write(upload.source, reading)
        facts = {"rows": reading.report["accepted_rows"], "rejected_rows": reading.report["rejected_rows"]}
        told = ("split", "suspects", "series", "weights", "further")
        facts |= {name: reading.report[name] for name in told if name in reading.report}
        facts["split"] = {**reading.report["split"], "keys": self.contract.search.deciding}
        facts |= {} if schedule is None else {"schedule": schedule}
        facts |= {} if request is None else {"retraining": request.document()}
        return self.begin(upload, reading.digest, plan, facts)

    def _write(self, source: str, reading: ValidatedDataset) -> None:
        folder = f"{self.contract.name}/{layout.DATASETS}{reading.digest}"
        self.data.put(f"{folder}/data.npz", reading.dataset.to_bytes())
        self.data.put(f"{folder}/rejected.csv", reading.rejected)
        self.data.put_json(f"{folder}/profile.json", reading.profile)
        self.data.put_json(f"{folder}/report.json", {**reading.report, "source": source})
