"""The middle step, many times at once: one experiment of a run."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from functions.core.dataset.dataset import Dataset
from functions.core.registry.runs import check_recipe
from functions.core.registry.versions import Registry
from functions.core.storage.objects import Objects
from functions.core.training.experiment import Training, run_experiment
from interface import layout
from models.contract import Contract
from models.section import FOLDER

if TYPE_CHECKING:
    from pathlib import Path

    from functions.core.runtime.log import Log


class UnknownExperiment(LookupError):
    """The run's plan names no such experiment, or there is no such run."""


@dataclass(frozen=True, kw_only=True)
class Trainer:
    data: Objects
    models: Objects
    log: Log
    folder: Path = FOLDER

    def __call__(self, model: str, run: str, experiment: str) -> dict[str, Any]:
        """Run an experiment unless it is recorded already, and record it.

        A `fit` that fails is a result: its message is recorded, and the other experiments
        go on. Trouble with the stores is raised, so that the workflow tries again. Raises
        `UnknownExperiment` and `Outdated`.
        """
        registry = Registry(self.models, model)
        record = registry.read_run(run)
        plan = self.models.find_json(registry.run_key(run, "plan.json"))
        planned = {entry["id"]: entry["params"] for entry in (plan or {}).get("experiments", ())}
        if record is None or experiment not in planned:
            raise UnknownExperiment(f"{model}: run {run} plans no experiment {experiment}")
        key = registry.run_key(run, f"experiments/{experiment}.json")
        if self.models.find(key) is not None:
            return {"experiment": experiment}
        contract = Contract.load(model, self.folder)
        check_recipe(record, contract, self.folder)
        dataset = Dataset.from_bytes(self.data.get(f"{model}/{layout.DATASETS}{record['dataset']}/data.npz"))
        found = {"id": experiment, "params": planned[experiment]}
        found |= self._outcome(
            contract, dataset, planned[experiment], registry.run_key(run, f"experiments/{experiment}")
        )
        # Delivered twice at the same time, both have done the same work: the first record stays.
        self.models.create_json(key, found)
        return {"experiment": experiment}

    def _outcome(self, contract: Contract, dataset: Dataset, params: dict[str, Any], folder: str) -> dict[str, Any]:
        started = time.perf_counter()
        try:
            outcome = run_experiment(
                Training.load(contract.name, self.folder), dataset, params, classes=len(contract.target.classes)
            )
        except Exception as problem:  # a model's own code may raise anything
            self.log.error("experiment", problem=problem, model=contract.name, params=params)
            seconds = {"total": round(time.perf_counter() - started, 3)}
            return {"status": "failed", "error": f"{type(problem).__name__}: {problem}"[:500], "seconds": seconds}
        self.models.put(f"{folder}/model.onnx", outcome.onnx)
        return {"status": "succeeded", **outcome.record}
