"""The candidates of a run: its experiments, the best first, each as the version that it would become."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from functions.core.registry.versions import FORMAT, Registry, Version, version_of
from functions.core.training import experiment_files
from functions.core.training.answers import TOLERANCE
from functions.core.training.choice import task_of
from functions.core.training.signature import INPUT
from models.task import LOWER_IS_BETTER

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from functions.core.storage.objects import Objects
    from functions.core.training.answers import Answers
    from models.contract import Contract


class NothingTrained(RuntimeError):
    """No experiment of the run succeeded. The text has the first one's message."""


class Unfinished(RuntimeError):
    """An experiment of the plan is not recorded: the step was called too early."""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    experiment: dict[str, Any]
    """Its whole record."""
    version: Version
    answers: Answers | None
    """The estimator's, to every row of the dataset and those made up; None in a run that an older release began."""

    @property
    def decision(self) -> Mapping[str, Any] | None:
        """How its estimator decides where its answer alone does not tell."""
        return self.experiment.get("threshold")


@dataclass(frozen=True, kw_only=True)
class Experiments:
    """The experiments of a run."""

    models: Objects
    contract: Contract
    run: Mapping[str, Any]
    """The run's record."""
    board: list[dict[str, Any]]
    """A line for each experiment, the best first."""
    records: Mapping[str, dict[str, Any]]
    """By the experiment's id."""

    @classmethod
    def read(cls, models: Objects, contract: Contract, run: Mapping[str, Any]) -> Experiments:
        """Read the experiments of the run that the record `run` describes. Raise `NothingTrained` or `Unfinished`."""
        registry = Registry(models, contract.name)
        plan = models.get_json(registry.run_key(run["run"], "plan.json"))
        records: dict[str, dict[str, Any]] = {}
        for name in (entry["id"] for entry in plan["experiments"]):
            record = models.find_json(registry.run_key(run["run"], f"experiments/{name}.json"))
            if record is None:
                raise Unfinished(f"run {run['run']}: experiment {name} left no record")
            records[name] = record
        board = rank(list(records.values()), contract.search.metric)
        best = records[board[0]["id"]]
        if best["status"] == "failed":
            raise NothingTrained(f"none of {len(board)} experiments succeeded; {best['id']}: {best['error']}")
        return cls(models=models, contract=contract, run=run, board=board, records=records)

    def candidates(self) -> Iterator[Candidate]:
        """Yield the experiments that succeeded, the best first, as they are asked for. Raise `Corrupt`."""
        registry = Registry(self.models, self.contract.name)
        for line in self.board:
            if line["status"] == "succeeded":
                record = self.records[line["id"]]
                folder = registry.run_key(self.run["run"], f"experiments/{record['id']}")
                onnx = experiment_files.read_model(self.models, folder, record)
                kept = experiment_files.read_answers(self.models, folder, record)
                answers = None if kept is None else task_of(self.contract).read(kept)
                version = _version(self.contract, self.run, record, onnx)
                yield Candidate(experiment=record, version=version, answers=answers)


def _version(contract: Contract, record: Mapping[str, Any], experiment: Mapping[str, Any], onnx: bytes) -> Version:
    card: dict[str, Any] = {
        "format": FORMAT,
        "task": contract.task,
        "features": [asdict(feature) for feature in contract.features],
        **task_of(contract).card(),
        "id": list(contract.id),
        "input": INPUT,
        "params": experiment["params"],
        "dataset": record["dataset"],
        "run": record["run"],
        "experiment": experiment["id"],
        "created": record["created"],
        "libraries": experiment["libraries"],
        "processor": experiment.get("processor"),  # a run that an older release began has none
    }
    if experiment.get("threshold") is not None:
        card["threshold"] = experiment["threshold"]
    golden = {**experiment["golden"], "tolerance": TOLERANCE}
    name = version_of(onnx, card, golden)
    return Version(model=contract.name, version=name, onnx=onnx, card=card, golden=golden)


def rank(records: Sequence[dict[str, Any]], metric: str) -> list[dict[str, Any]]:
    """Return a line for each experiment, the best cross-validated mean of `metric` first.

    Of equals, the smaller file comes first, then the earlier in the plan. Those that failed stand
    last, with their message.
    """
    sign = 1 if metric in LOWER_IS_BETTER else -1
    order = {record["id"]: position for position, record in enumerate(records)}
    succeeded = [_line(record, metric) for record in records if record["status"] == "succeeded"]
    succeeded.sort(key=lambda line: (sign * line["mean"], line["bytes"], order[line["id"]]))
    failed = [
        {
            "id": record["id"],
            "params": record["params"],
            "status": "failed",
            "error": record["error"],
            "trace": record.get("trace", []),
        }
        for record in records
        if record["status"] == "failed"
    ]
    return [*succeeded, *failed]


def _line(record: dict[str, Any], metric: str) -> dict[str, Any]:
    return {
        "id": record["id"],
        "params": record["params"],
        "status": "succeeded",
        "metric": metric,
        "mean": record["metrics"][metric]["mean"],
        "std": record["metrics"][metric]["std"],
        "bytes": record["bytes"],
        "seconds": round(sum(record["seconds"].values()), 3),
    }
