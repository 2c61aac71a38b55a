"""The train step of the workflow, which runs once for each experiment of a run, in parallel."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from functions.core.dataset.dataset import Dataset
from functions.core.dataset.rounds import sample
from functions.core.registry.plan import SKIPPED, WITHOUT, Plan
from functions.core.registry.runs import Outdated, RunUsage, check_recipe
from functions.core.registry.versions import Registry
from functions.core.runtime.usage import Usage
from functions.core.storage.objects import Conflict, Objects
from functions.core.training import experiment_files, spending
from functions.core.training.apart import Failure, Work, attempt
from functions.core.training.choice import task_of
from functions.core.training.experiment import Training, cross_validate, run_experiment
from functions.core.training.limits import UNBOUNDED, Function, Limits
from functions.core.training.metrics import UndefinedMetric
from interface import layout
from models.contract import Contract
from models.section import CONTRACT, FOLDER

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from functions.core.runtime.log import Log
    from functions.core.training.apart import At, Attempt
    from functions.core.training.weighting import Weighting


class UnknownExperiment(LookupError):
    """There is no such run, or its plan has no such experiment."""


@dataclass(frozen=True, kw_only=True)
class Trainer:
    """Runs the experiments of runs. `folder` holds the models' folders, `function` is what a call has.

    `attempt` does the work of an experiment.
    """

    data: Objects
    models: Objects
    log: Log
    folder: Path = FOLDER
    function: Function = UNBOUNDED
    attempt: Attempt = attempt

    def __call__(self, model: str, run: str, experiment: str, in_round: int | None = None) -> dict[str, Any]:
        """Run an experiment in a round, the last where None is named, and record its result unless it is recorded.

        A `fit` that fails is a result: its message is recorded, and the other experiments go on. So is one that
        takes too long, needs too much memory or ends its process. It is tried again when the run is started again, and
        so is an experiment whose files are gone. One that would begin beyond the run's budget is skipped. A failure
        of the stores is raised, so that the workflow retries the step. Raises `UnknownExperiment`, and
        `Outdated` when the model's contract, its code or the lock has changed since.
        """
        began = time.monotonic()
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
        params = plan.experiments[experiment]
        result: dict[str, Any] = {"id": experiment, "params": params, "execution": record.get("execution")}
        rounds = [] if found is None else found[0].get("rounds", [])[: number - 1]
        why = self._why_not(contract, run, plan, experiment, number)
        if why is None:
            dataset = Dataset.from_bytes(self.data.get(f"{model}/{layout.DATASETS}{record['dataset']}/data.npz"))
            contract = contract.with_learnt(dataset.learnt)
            if plan.is_last(number):
                result |= self._run(contract, dataset, params, folder, began)
            else:
                result |= self._measure(contract, dataset, params, plan.shares[number - 1], began)
        else:
            result |= {"status": SKIPPED, "why": why}
        if rounds:
            result["rounds"] = [*rounds, *result.get("rounds", ())]
        # Two that ran at the same time did the same work: the first record stays, and names the files of its own.
        if found is None:
            self.models.create_json(f"{folder}.json", result)
        else:
            with suppress(Conflict):
                self.models.replace_json(f"{folder}.json", result, found[1])
        return {"experiment": experiment}

    def _why_not(self, contract: Contract, run: str, plan: Plan, experiment: str, number: int) -> str | None:
        """Return why an experiment is not begun, by what those that have ended used; None where it is."""
        budget, registry = contract.search.budget, Registry(self.models, contract.name)
        if budget is None:
            return None
        used = RunUsage(self.models).by_step(contract.name, run).get(spending.STEP, Usage())
        why = spending.beyond(budget, used)
        if why is None:
            return None
        found = {
            name: self.models.find_json(registry.run_key(run, f"experiments/{name}.json")) for name in plan.experiments
        }
        known = {name: record for name, record in found.items() if record is not None}
        return None if plan.never_skipped(known, contract.search.measure, number) == experiment else why

    def _run(
        self, contract: Contract, dataset: Dataset, params: dict[str, Any], folder: str, began: float
    ) -> dict[str, Any]:
        """Return the result of an experiment on all rows, whose files are written."""

        def work(at: At) -> Work:
            training, weighting = self._loaded(contract, at)
            task, features = task_of(contract), contract.features
            result = run_experiment(training, dataset, params, task=task, features=features, weighting=weighting, at=at)
            _require(contract.search.measure, result.record["metrics"])
            return Work(record=result.record, files=(result.onnx, result.answers.to_bytes()))

        result = self._attempt(contract, params, work, began)
        if isinstance(result, Work):
            # Before the record, which never names what is not there.
            answers = experiment_files.write(self.models, folder, *result.files)
            return {"status": "succeeded", **result.record, "answers": answers}
        return result

    def _measure(
        self, contract: Contract, dataset: Dataset, params: dict[str, Any], share: float, began: float
    ) -> dict[str, Any]:
        """Return the result of a round on a share of the rows. Nothing is exported."""
        search = contract.search
        some = sample(dataset, share, folds=search.folds, seed=search.seed)

        def work(at: At) -> Work:
            training, weighting = self._loaded(contract, at)
            started = time.perf_counter()
            metrics, _ = cross_validate(training, some, params, task=task_of(contract), weighting=weighting, at=at)
            _require(search.measure, metrics)
            seconds = {"cross_validation": round(time.perf_counter() - started, 3)}
            this = {"share": share, "rows": len(some.y), "metrics": metrics, "seconds": seconds}
            return Work(record={"status": "stopped", "metrics": metrics, "rounds": [this]})

        result = self._attempt(contract, params, work, began)
        return result.record if isinstance(result, Work) else result

    def _loaded(self, contract: Contract, at: At) -> tuple[Training, Weighting | None]:
        """Return a model's own code, and how its `fit` weighs rows. Raise what the code raises."""
        at("the import of training.py")
        training = Training.load(contract.name, self.folder)
        if contract.weights is None:
            return training, None
        from functions.core.training import weighting  # noqa: PLC0415 - most models have none

        weighting.check_calls(training.fit, None if contract.interval is None else training.fit_quantile)
        return training, weighting.Weighting.of(contract.weights, contract.target.classes)

    def _attempt(
        self, contract: Contract, params: dict[str, Any], work: Callable[[At], Work], began: float
    ) -> Work | dict[str, Any]:
        """Return what came of work with a model's own code, or what to record of its failure."""
        started = time.perf_counter()
        result = self.attempt(work, Limits.of(contract.search, self.function, began), self.folder / contract.name)
        if isinstance(result, Failure):
            told = {"error": result.kind, "trace": result.text}
            self.log.error("experiment", model=contract.name, params=params, problem=None, **told)
            seconds = {"total": round(time.perf_counter() - started, 3)}
            return {"status": "failed", **result.told, "seconds": seconds}
        return result

    def _is_done(
        self, result: Mapping[str, Any], plan: Plan, number: int, record: Mapping[str, Any], folder: str
    ) -> bool:
        """Return whether the result of a round, or of a later one, is recorded, and whole.

        An earlier execution of the run may have failed where this one may not, or have left files that are gone.
        """
        if result["status"] in WITHOUT:
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
