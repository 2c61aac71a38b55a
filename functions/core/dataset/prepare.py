"""The first step: from an uploaded file to data that experiments share, or to a report of why not."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from functions.core.dataset.validation import RejectedDataset, ValidatedDataset, validate_dataset
from functions.core.onnx.external_data import is_onnx
from functions.core.registry.runs import OVER, SETTLED, Status, recipe, run_of, run_of_release
from functions.core.registry.versions import NAME, Registry, version_of
from functions.core.storage.objects import Objects, TooLarge
from models.bring_your_own import FILE, BringYourOwn
from models.catalogue import load
from models.section import FOLDER

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from models.contract import Contract
    from models.section import Described

MAXIMUM_BYTES = 200_000_000
"""Of one file: it is held in memory whole, beside the numbers made of it, in a function of 2 GB."""

_ACCEPTED = (
    'accepted: {"source": "<model>/incoming/<file>"}, {"model": "<name>"},'
    ' {"model": "<name>", "version": "<version>"} or {"model": "<name>", "action": "rollback", "reason": "<why>"}'
)


ROLLBACK = "rollback"
"""The answer to somebody who wants the champion before this one back: nothing is to be prepared."""


class BadRequest(ValueError):
    """A request that names nothing that could be prepared. The text says what is accepted."""


@dataclass(frozen=True, kw_only=True)
class Preparation:
    """One call of the step. `at` is the time of day that records show, `folder` holds the models' own folders."""

    data: Objects
    models: Objects
    execution: str
    at: str
    folder: Path = FOLDER

    def __call__(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Answer `request` (see the workflow's input) with status, model, run, dataset and experiments.

        `accepted`: the experiments are to be run; `registered`: the version is to be
        released; `rollback`: the champion before this one is to be live again; `rejected`:
        the dataset is of no use, the run's record says why; `unchanged`: the same dataset has
        been through before. Raises `BadRequest`.
        """
        match dict(request):
            case {"source": str(source), **others} if not others:
                return self._dataset(_model_of(source), source)
            case {"model": str(model), "version": str(version), **others} if not others and NAME.fullmatch(model):
                return self._registered(model, version)
            case {"model": str(model), "action": "rollback", **others} if NAME.fullmatch(model) and _is_reason(others):
                reason = others.get("reason", "no reason was given")
                return {**_answer(ROLLBACK, model, "", None), "reason": reason}
            case {"model": str(model), **others} if not others and NAME.fullmatch(model):
                source = self.data.newest(f"{model}/incoming")
                if source is None:
                    raise BadRequest(f"there is no dataset under {model}/incoming/ yet")
                return self._dataset(model, source, looking=True)
            case _:
                raise BadRequest(f"the input is not understood; {_ACCEPTED}")

    def _dataset(self, model: str, source: str, *, looking: bool = False) -> dict[str, Any]:
        """`looking`: nothing has arrived, the newest file is taken."""
        contract = load(model, self.folder)
        if isinstance(contract, BringYourOwn):
            return self._finished(contract, source, looking=looking)
        raw = hashlib.sha256(source.encode()).hexdigest()
        try:
            data = self._get(source, MAXIMUM_BYTES)
            raw = hashlib.sha256(data).hexdigest()
            reading = validate_dataset(data, contract)
        except RejectedDataset as rejection:
            return self._reject(contract, source, raw, rejection)
        return self._accept(contract, source, reading)

    def _finished(self, contract: BringYourOwn, source: str, *, looking: bool) -> dict[str, Any]:
        """A model goes on to be examined as it is: a run without experiments.

        Somebody looks every quarter of an hour, for years. That begins nothing for a file that
        has been through, whatever came of it, nor for a version that there is already: it may
        have been rolled back, and only who puts the file there again wants it once more.
        """
        registry, meaning = Registry(self.models, contract.name), contract.meaning()
        raw = hashlib.sha256(source.encode()).hexdigest()
        onnx, refusal = b"", None
        try:
            onnx = self._get(source, contract.gate.maximum_bytes)
            raw = hashlib.sha256(onnx).hexdigest()
            if not is_onnx(onnx):
                raise RejectedDataset(f"the file is no ONNX model; accepted: one {FILE} that holds all of its weights")
        except RejectedDataset as rejection:
            refusal = rejection
        run = run_of(contract, self.folder, raw)
        before = registry.read_run(run)
        been = before is not None and before["status"] in (OVER if looking else SETTLED)
        there = looking and before is None and registry.card(version_of(onnx, meaning)) is not None
        if been or there:
            return _answer("unchanged", contract.name, run, raw)
        if refusal is not None:
            return self._reject(contract, source, raw, refusal)
        self._note(registry, run)
        self.models.put(registry.run_key(run, FILE), onnx)
        return self._begin(contract, run, source, raw, [], {"bytes": len(onnx)})

    def _get(self, source: str, at_most: int) -> bytes:
        if source.endswith("/"):  # a folder, as S3's console makes them
            return b""
        try:
            return self.data.get(source, at_most=at_most)
        except TooLarge:
            raise RejectedDataset(f"the file is larger than {at_most // 1_000_000} MB, the most") from None

    def _reject(self, contract: Described, source: str, raw: str, rejection: RejectedDataset) -> dict[str, Any]:
        """A file that was not understood goes by the digest of its bytes."""
        run, registry = run_of(contract, self.folder, raw), Registry(self.models, contract.name)
        report = {**rejection.report, "source": source}
        self._note(registry, run)
        self.data.put_json(f"{contract.name}/datasets/{raw}/report.json", report)
        record = self._record(contract, run, source, raw)
        registry.write_run(run, {**record, "status": Status.REJECTED, "cause": report["cause"], "report": report})
        return _answer(Status.REJECTED, contract.name, run, raw)

    def _accept(self, contract: Contract, source: str, reading: ValidatedDataset) -> dict[str, Any]:
        run, registry = run_of(contract, self.folder, reading.digest), Registry(self.models, contract.name)
        self._note(registry, run)
        points = contract.search.experiments()
        ids = [f"e{position}" for position in range(len(points))]
        plan = [{"id": name, "params": params} for name, params in zip(ids, points, strict=True)]
        before = registry.read_run(run)
        if before is None or before["status"] not in SETTLED:
            self._write(contract.name, reading, source)
        facts = {"rows": reading.report["accepted_rows"], "rejected_rows": reading.report["rejected_rows"]}
        return self._begin(contract, run, source, reading.digest, plan, facts)

    def _begin(
        self, contract: Described, run: str, source: str, digest: str, plan: list[dict[str, Any]], facts: dict[str, Any]
    ) -> dict[str, Any]:
        """Write the run's plan and its record, unless it has been through before, and say where it stands."""
        registry = Registry(self.models, contract.name)
        before = registry.read_run(run)
        if before is None or before["status"] not in SETTLED:
            self.models.put_json(registry.run_key(run, "plan.json"), {"experiments": plan})
        fresh = {**self._record(contract, run, source, digest), **facts}

        def begin(record: dict[str, Any]) -> dict[str, Any]:
            if record.get("status") in SETTLED | {Status.REGISTERED}:
                return record
            return {**fresh, "created": record.get("created", self.at), "status": Status.TRAINING}

        match registry.update_run(run, begin)["status"]:
            case Status.TRAINING:
                return _answer("accepted", contract.name, run, digest, [entry["id"] for entry in plan])
            case Status.REGISTERED:
                return _answer(Status.REGISTERED, contract.name, run, digest)
            case _:
                return _answer("unchanged", contract.name, run, digest)

    def _registered(self, model: str, version: str) -> dict[str, Any]:
        registry = Registry(self.models, model)
        card = registry.card(version)
        if card is None:
            raise BadRequest(f"{model} has no registered version {version[:64]}")
        run = run_of_release(model, version, self.execution)
        self._note(registry, run)
        fresh = {"run": run, "model": model, "version": version, "dataset": card.get("dataset")}
        fresh |= {"execution": self.execution, "created": self.at, "status": Status.REGISTERED}
        # Delivered again, the record that rollout may have changed since then stays.
        registry.update_run(run, lambda record: record or fresh)
        return _answer(Status.REGISTERED, model, run, card.get("dataset"))

    def _note(self, registry: Registry, run: str) -> None:
        """What a failure later in this execution will be booked on."""
        self.models.put_json(registry.execution_key(self.execution), {"run": run})

    def _record(self, contract: Described, run: str, source: str, dataset: str) -> dict[str, Any]:
        known = {"run": run, "model": contract.name, "source": source, "dataset": dataset}
        return {**known, **recipe(contract, self.folder), "execution": self.execution, "created": self.at}

    def _write(self, model: str, reading: ValidatedDataset, source: str) -> None:
        folder = f"{model}/datasets/{reading.digest}"
        self.data.put(f"{folder}/data.npz", reading.dataset.to_bytes())
        self.data.put(f"{folder}/rejected.csv", reading.rejected)
        self.data.put_json(f"{folder}/profile.json", reading.profile)
        self.data.put_json(f"{folder}/report.json", {**reading.report, "source": source})


def _is_reason(found: Mapping[str, Any]) -> bool:
    return not found or (list(found) == ["reason"] and isinstance(found["reason"], str))


def _model_of(source: str) -> str:
    match source.split("/", 2):
        case [model, "incoming", _] if NAME.fullmatch(model):
            return model
        case _:
            raise BadRequest(f"the source is not an uploaded dataset; {_ACCEPTED}")


def _answer(
    status: str, model: str, run: str, dataset: str | None, experiments: list[str] | None = None
) -> dict[str, Any]:
    return {"status": str(status), "model": model, "run": run, "dataset": dataset, "experiments": experiments or []}
