"""The candidate of a run: its best experiment, as the version that it would become."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from functions.core.registry.versions import FORMAT, Corrupt, Registry, Version, version_of
from functions.core.training.signature import INPUT, LABEL, PROBABILITIES
from models.contract import LOWER_IS_BETTER

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from functions.core.storage.objects import Objects
    from models.contract import Contract


TOLERANCE = 1e-4
"""Between the estimator's probabilities and those of its ONNX file, which computes in 32 bits."""


class NothingTrained(RuntimeError):
    """No experiment of the run succeeded. The text has the first one's message."""


class Unfinished(RuntimeError):
    """An experiment of the plan is not recorded: the step was called too early."""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    board: list[dict[str, Any]]
    """Every experiment, the best first."""
    experiment: dict[str, Any]
    """The best one's whole record."""
    version: Version


def best_of(models: Objects, contract: Contract, record: Mapping[str, Any]) -> Candidate:
    """Return the candidate of the run that `record` describes. Raise `NothingTrained`, `Unfinished` or `Corrupt`."""
    registry, run = Registry(models, contract.name), record["run"]
    plan = models.get_json(registry.run_key(run, "plan.json"))
    experiments: dict[str, dict[str, Any]] = {}
    for name in (entry["id"] for entry in plan["experiments"]):
        experiment = models.find_json(registry.run_key(run, f"experiments/{name}.json"))
        if experiment is None:
            raise Unfinished(f"run {run}: experiment {name} left no record")
        experiments[name] = experiment
    board = rank(list(experiments.values()), contract.search.metric)
    best = experiments[board[0]["id"]]
    if best["status"] == "failed":
        raise NothingTrained(f"none of {len(board)} experiments succeeded; {best['id']}: {best['error']}")
    key = registry.run_key(run, f"experiments/{best['id']}/model.onnx")
    onnx = models.get(key)
    if hashlib.sha256(onnx).hexdigest() != best["sha256"]:
        raise Corrupt(f"{key} is not the file that the experiment's record names")
    return Candidate(board=board, experiment=best, version=_version(contract, record, best, onnx))


def _version(contract: Contract, record: Mapping[str, Any], experiment: Mapping[str, Any], onnx: bytes) -> Version:
    card: dict[str, Any] = {
        "format": FORMAT,
        "task": contract.task,
        "features": [asdict(feature) for feature in contract.features],
        "target": {"name": contract.target.name, "classes": list(contract.target.classes)},
        "id": list(contract.id),
        "input": INPUT,
        "outputs": {"label": LABEL, "probabilities": PROBABILITIES},
        "params": experiment["params"],
        "dataset": record["dataset"],
        "run": record["run"],
        "experiment": experiment["id"],
        "created": record["created"],
        "libraries": experiment["libraries"],
        "processor": experiment.get("processor"),  # a run that an older release began has none
    }
    golden = {**experiment["golden"], "tolerance": TOLERANCE}
    name = version_of(onnx, card)
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
        {"id": record["id"], "params": record["params"], "status": "failed", "error": record["error"]}
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
