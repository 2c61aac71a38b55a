"""The train step of the workflow, which runs once for each experiment of a run, in parallel."""

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

        A `fit` that fails is a result: its message is recorded, and the other experiments go on.
        A failure of the stores is raised, so that the workflow retries the step. Raises
        `UnknownExperiment`, and `Outdated` when the model's contract or code has changed since.
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
        result = {"id": experiment, "params": planned[experiment]}
        result |= self._run(contract, dataset, planned[experiment], registry.run_key(run, f"experiments/{experiment}"))
        # Two that ran at the same time did the same work: the first record stays.
        self.models.create_json(key, result)
        return {"experiment": experiment}

    def _run(self, contract: Contract, dataset: Dataset, params: dict[str, Any], folder: str) -> dict[str, Any]:
        started = time.perf_counter()
        try:
            result = run_experiment(
                Training.load(contract.name, self.folder), dataset, params, classes=len(contract.target.classes)
            )
        except Exception as problem:  # the code of a model may raise anything
            self.log.error("experiment", problem=problem, model=contract.name, params=params)
            seconds = {"total": round(time.perf_counter() - started, 3)}
            return {"status": "failed", "error": f"{type(problem).__name__}: {problem}"[:500], "seconds": seconds}
        self.models.put(f"{folder}/model.onnx", result.onnx)
        return {"status": "succeeded", **result.record}
