"""The candidates of a run: its experiments, the best first, each as the version that it would become."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from functions.core.registry.plan import SKIPPED, Plan
from functions.core.registry.versions import FORMAT, Registry, Version, version_of
from functions.core.training import experiment_files
from functions.core.training.answers import TOLERANCE
from functions.core.training.choice import task_of
from functions.core.training.signature import INPUT
from models.task import lower_is_better

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from functions.core.storage.objects import Objects
    from functions.core.training.answers import Answers
    from models.contract import Contract


_ORDER = {"succeeded": 0, "stopped": 1, "failed": 2, SKIPPED: 3}


class NothingTrained(RuntimeError):
    """No experiment of the run succeeded. The text has the first one's message."""


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

    @property
    def seconds(self) -> float:
        """How long its experiment took, in all its rounds."""
        return _seconds(self.experiment)


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
        plan, records = recorded(models, contract.name, run["run"])
        metric = contract.search.measure
        finalists = plan.finalists(records, metric)
        board = rank([records[name] for name in plan.experiments], metric, finalists)
        if board[0]["status"] != "succeeded":
            raise NothingTrained(none_succeeded(board))
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
        "features": [feature.document() for feature in contract.features],
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
    if experiment.get("decision") is not None:
        card["decision"] = experiment["decision"]
    if contract.weights is not None:
        card["weights"] = contract.weights.model_dump(mode="json")
    golden = {**experiment["golden"], "tolerance": TOLERANCE}
    name = version_of(onnx, card, golden)
    return Version(model=contract.name, version=name, onnx=onnx, card=card, golden=golden)


def recorded(models: Objects, model: str, run: str) -> tuple[Plan, dict[str, dict[str, Any]]]:
    """Return the plan of a run, and the records of its experiments that are there, by their ids."""
    registry = Registry(models, model)
    plan = Plan.read(models.get_json(registry.run_key(run, "plan.json")))
    found = {name: models.find_json(registry.run_key(run, f"experiments/{name}.json")) for name in plan.experiments}
    return plan, {name: record for name, record in found.items() if record is not None}


def none_succeeded(records: Iterable[Mapping[str, Any]]) -> str:
    """Say of experiments of which none succeeded why that is, by the first that failed, and how many were skipped."""
    known = list(records)
    skipped = [f"{record['id']} was skipped: {record['why']}" for record in known if record["status"] == SKIPPED]
    failed = [f"{record['id']}: {record['error']}" for record in known if record["status"] == "failed"]
    return "; ".join([f"none of {len(known)} experiments succeeded", *failed[:1], *skipped[:1]])


def rank(
    records: Sequence[dict[str, Any]], metric: str, finalists: Collection[str] | None = None
) -> list[dict[str, Any]]:
    """Return a line for each experiment, the best cross-validated mean of `metric` first.

    Of equals, the smaller file comes first, then the earlier in the plan. After the `finalists`, which saw all rows
    (every one if None), come those that were stopped, the later the better. Those that failed follow with their
    message, and those that were skipped stand last.
    """
    sign = 1 if lower_is_better(metric) else -1
    order = {record["id"]: position for position, record in enumerate(records)}
    lines = [_line(record, metric, is_finalist=finalists is None or record["id"] in finalists) for record in records]
    return sorted(lines, key=lambda line: (_ORDER[line["status"]], *_worse(line, sign), order[line["id"]]))


def _worse(line: dict[str, Any], sign: int) -> tuple[float, ...]:
    match line["status"]:
        case "succeeded":
            return sign * line["mean"], line["bytes"]
        case "stopped":
            return -line["round"], sign * line["mean"]
        case _:
            return ()


def _seconds(record: Mapping[str, Any]) -> float:
    """Return how long an experiment took in all its rounds. A record of one that was stopped has nothing but them."""
    parts = [*record.get("rounds", ()), record]
    return round(sum(sum(part["seconds"].values()) for part in parts if "seconds" in part), 3)


def _line(record: dict[str, Any], metric: str, *, is_finalist: bool) -> dict[str, Any]:
    known = {"id": record["id"], "params": record["params"]}
    rounds = record.get("rounds", [])
    seconds = _seconds(record)
    if record["status"] == "failed":
        return {**known, "status": "failed", "error": record["error"], "trace": record.get("trace", [])}
    if record["status"] == SKIPPED:
        return {**known, "status": SKIPPED, "why": record["why"]}
    if is_finalist:
        mean, std = (record["metrics"][metric][name] for name in ("mean", "std"))
        known |= {"status": "succeeded", "metric": metric, "mean": mean, "std": std, "bytes": record["bytes"]}
        return {**known, "seconds": seconds}
    last = rounds[-1]
    mean, std = (last["metrics"][metric][name] for name in ("mean", "std"))
    stopped = {"status": "stopped", "metric": metric, "mean": mean, "std": std, "seconds": seconds}
    return {**known, **stopped, "round": len(rounds), "rows": last["rows"], "share": last["share"]}
