"""The train step of the workflow, which runs once for each experiment of a run, in parallel."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from functions.core.dataset.dataset import Dataset
from functions.core.registry.runs import Outdated, check_recipe
from functions.core.registry.versions import Registry
from functions.core.storage.objects import Conflict, Objects
from functions.core.training import experiment_files
from functions.core.training.blame import failure
from functions.core.training.choice import task_of
from functions.core.training.experiment import Training, run_experiment
from functions.core.training.metrics import UndefinedMetric
from interface import layout
from models.contract import Contract
from models.section import CONTRACT, FOLDER

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from functions.core.runtime.log import Log


class UnknownExperiment(LookupError):
    """There is no such run, or its plan has no such experiment."""


@dataclass(frozen=True, kw_only=True)
class Trainer:
    """Runs the experiments of runs. `folder` holds the models' folders."""

    data: Objects
    models: Objects
    log: Log
    folder: Path = FOLDER

    def __call__(self, model: str, run: str, experiment: str) -> dict[str, Any]:
        """Run an experiment and record its result, unless it is recorded already.

        A `fit` that fails is a result: its message is recorded, and the other experiments go on. It is
        tried again when the run is started again, and so is an experiment whose files are gone. A failure
        of the stores is raised, so that the workflow retries the step. Raises `UnknownExperiment`, and
        `Outdated` when the model's contract, its code or the lock has changed since.
        """
        if not (self.folder / model / CONTRACT).is_file():
            raise Outdated(f"who trains {model} changed after the run began; start the workflow again")
        registry = Registry(self.models, model)
        record = registry.read_run(run)
        plan = self.models.find_json(registry.run_key(run, "plan.json"))
        planned = {entry["id"]: entry["params"] for entry in (plan or {}).get("experiments", ())}
        if record is None or experiment not in planned:
            raise UnknownExperiment(f"{model}: run {run} plans no experiment {experiment}")
        folder = registry.run_key(run, f"experiments/{experiment}")
        found = self.models.read_json(f"{folder}.json")
        if found is not None and not self._is_to_be_tried_again(found[0], record, folder):
            return {"experiment": experiment}
        contract = Contract.load(model, self.folder)
        check_recipe(record, contract, self.folder)
        dataset = Dataset.from_bytes(self.data.get(f"{model}/{layout.DATASETS}{record['dataset']}/data.npz"))
        result = {"id": experiment, "params": planned[experiment], "execution": record.get("execution")}
        result |= self._run(contract, dataset, planned[experiment], folder)
        # Two that ran at the same time did the same work: the first record stays, and names the files of its own.
        if found is None:
            self.models.create_json(f"{folder}.json", result)
        else:
            with suppress(Conflict):
                self.models.replace_json(f"{folder}.json", result, found[1])
        return {"experiment": experiment}

    def _run(self, contract: Contract, dataset: Dataset, params: dict[str, Any], folder: str) -> dict[str, Any]:
        started = time.perf_counter()
        try:
            training, task = Training.load(contract.name, self.folder), task_of(contract)
            result = run_experiment(training, dataset, params, task=task, features=contract.features)
            _require(contract.search.metric, result.record["metrics"])
        except Exception as problem:  # the code of a model may raise anything
            self.log.error("experiment", problem=problem, model=contract.name, params=params)
            seconds = {"total": round(time.perf_counter() - started, 3)}
            told = failure(problem, self.folder / contract.name)
            return {"status": "failed", **told, "seconds": seconds}
        # Before the record, which never names what is not there.
        answers = experiment_files.write(self.models, folder, result)
        return {"status": "succeeded", **result.record, "answers": answers}

    def _is_to_be_tried_again(self, result: Mapping[str, Any], record: Mapping[str, Any], folder: str) -> bool:
        """Return whether an earlier execution of the run failed where this one may not, or left files that are gone."""
        if result.get("execution") == record.get("execution"):
            return False
        return result["status"] == "failed" or not experiment_files.are_whole(self.models, folder, result)


def _require(metric: str, measured: Mapping[str, Any]) -> None:
    if metric not in measured:
        raise UndefinedMetric(f"{metric} is not defined for the rows of every fold; search by another metric")
