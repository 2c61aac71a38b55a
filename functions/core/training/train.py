"""The train step of the workflow, which runs once for each experiment of a run, in parallel."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from functions.core.dataset.dataset import Dataset
from functions.core.dataset.rounds import sample
from functions.core.registry.plan import Plan
from functions.core.registry.runs import Outdated, check_recipe
from functions.core.registry.versions import Registry
from functions.core.storage.objects import Conflict, Objects
from functions.core.training import experiment_files
from functions.core.training.blame import failure
from functions.core.training.choice import task_of
from functions.core.training.experiment import ExperimentResult, Training, cross_validate, run_experiment
from functions.core.training.metrics import UndefinedMetric
from interface import layout
from models.contract import Contract
from models.section import CONTRACT, FOLDER

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from functions.core.runtime.log import Log

Done = TypeVar("Done")


class UnknownExperiment(LookupError):
    """There is no such run, or its plan has no such experiment."""


@dataclass(frozen=True, kw_only=True)
class Trainer:
    """Runs the experiments of runs. `folder` holds the models' folders."""

    data: Objects
    models: Objects
    log: Log
    folder: Path = FOLDER

    def __call__(self, model: str, run: str, experiment: str, in_round: int | None = None) -> dict[str, Any]:
        """Run an experiment in a round, the last where None is named, and record its result unless it is recorded.

        A `fit` that fails is a result: its message is recorded, and the other experiments go on. It is
        tried again when the run is started again, and so is an experiment whose files are gone. A failure
        of the stores is raised, so that the workflow retries the step. Raises `UnknownExperiment`, and
        `Outdated` when the model's contract, its code or the lock has changed since.
        """
        if not (self.folder / model / CONTRACT).is_file():
            raise Outdated(f"who trains {model} changed after the run began; start the workflow again")
        registry = Registry(self.models, model)
        record = registry.read_run(run)
        plan = Plan.read(self.models.find_json(registry.run_key(run, "plan.json")) or {})
        if record is None or experiment not in plan.experiments:
            raise UnknownExperiment(f"{model}: run {run} plans no experiment {experiment}")
        number = plan.number(in_round)
        folder = registry.run_key(run, f"experiments/{experiment}")
        found = self.models.read_json(f"{folder}.json")
        if found is not None and self._is_done(found[0], plan, number, record, folder):
            return {"experiment": experiment}
        contract = Contract.load(model, self.folder)
        check_recipe(record, contract, self.folder)
        dataset = Dataset.from_bytes(self.data.get(f"{model}/{layout.DATASETS}{record['dataset']}/data.npz"))
        contract = contract.with_learnt(dataset.learnt)
        params = plan.experiments[experiment]
        result: dict[str, Any] = {"id": experiment, "params": params, "execution": record.get("execution")}
        rounds = [] if found is None else found[0].get("rounds", [])[: number - 1]
        if plan.is_last(number):
            result |= self._run(contract, dataset, params, folder)
        else:
            result |= self._measure(contract, dataset, params, plan.shares[number - 1])
        if rounds:
            result["rounds"] = [*rounds, *result.get("rounds", ())]
        # Two that ran at the same time did the same work: the first record stays, and names the files of its own.
        if found is None:
            self.models.create_json(f"{folder}.json", result)
        else:
            with suppress(Conflict):
                self.models.replace_json(f"{folder}.json", result, found[1])
        return {"experiment": experiment}

    def _run(self, contract: Contract, dataset: Dataset, params: dict[str, Any], folder: str) -> dict[str, Any]:
        """Return the result of an experiment on all rows, whose files are written."""

        def work() -> ExperimentResult:
            training, task = Training.load(contract.name, self.folder), task_of(contract)
            result = run_experiment(training, dataset, params, task=task, features=contract.features)
            _require(contract.search.measure, result.record["metrics"])
            return result

        result = self._attempt(contract, params, work)
        if not isinstance(result, ExperimentResult):
            return result
        # Before the record, which never names what is not there.
        answers = experiment_files.write(self.models, folder, result)
        return {"status": "succeeded", **result.record, "answers": answers}

    def _measure(self, contract: Contract, dataset: Dataset, params: dict[str, Any], share: float) -> dict[str, Any]:
        """Return the result of a round on a share of the rows. Nothing is exported."""
        search = contract.search
        some = sample(dataset, share, folds=search.folds, seed=search.seed)

        def work() -> dict[str, Any]:
            training, task = Training.load(contract.name, self.folder), task_of(contract)
            started = time.perf_counter()
            metrics, _ = cross_validate(training, some, params, task=task)
            _require(search.measure, metrics)
            seconds = {"cross_validation": round(time.perf_counter() - started, 3)}
            this = {"share": share, "rows": len(some.y), "metrics": metrics, "seconds": seconds}
            return {"status": "stopped", "metrics": metrics, "rounds": [this]}

        return self._attempt(contract, params, work)

    def _attempt(self, contract: Contract, params: dict[str, Any], work: Callable[[], Done]) -> Done | dict[str, Any]:
        """Return what work with a model's own code returns, or what to record of its failure."""
        started = time.perf_counter()
        try:
            return work()
        except (Exception, SystemExit) as problem:  # the code of a model may raise anything, and may be a script
            self.log.error("experiment", problem=problem, model=contract.name, params=params)
            seconds = {"total": round(time.perf_counter() - started, 3)}
            told = failure(problem, self.folder / contract.name)
            return {"status": "failed", **told, "seconds": seconds}

    def _is_done(
        self, result: Mapping[str, Any], plan: Plan, number: int, record: Mapping[str, Any], folder: str
    ) -> bool:
        """Return whether the result of a round, or of a later one, is recorded, and whole.

        An earlier execution of the run may have failed where this one may not, or have left files that are gone.
        """
        if result["status"] == "failed":
            return result.get("execution") == record.get("execution")
        if not plan.is_last(number):
            return len(result.get("rounds", ())) >= number
        if result["status"] == "stopped":
            return False
        return result.get("execution") == record.get("execution") or experiment_files.are_whole(
            self.models, folder, result
        )


def _require(metric: str, measured: Mapping[str, Any]) -> None:
    if metric not in measured:
        raise UndefinedMetric(f"{metric} is not defined for the rows of every fold; search by another metric")
