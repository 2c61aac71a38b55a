"""Runs as MLflow keeps them in files, which its own UI opens: `mlflow ui --backend-store-uri FOLDER`.

Newer ones, such as 3.17, want databases, and open files if `MLFLOW_ALLOW_FILE_STORE=true` is set.

A run of ours is a run of MLflow's, and each of its experiments one below it. The folder's layout is that of MLflow's
file store: https://github.com/mlflow/mlflow/blob/master/mlflow/store/tracking/file_store.py.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

Record = Mapping[str, Any]
FINISHED, RUNNING, FAILED = 3, 1, 4
"""MLflow's numbers of a run's states."""
OURS = {"training": RUNNING, "failed": FAILED, "rejected": FAILED}
"""States of our runs that are not finished in MLflow's sense."""


class Folder:
    """A folder of MLflow's. What is written again is the same: names are made of ours."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, model: str, runs: Iterable[tuple[Record, Sequence[Record]]]) -> int:
        """Write the runs of a model, each with its experiments, and return how many runs MLflow has of them."""
        experiment = str(int.from_bytes(hashlib.sha256(model.encode()).digest()[:7], "big"))
        home = self._path / experiment
        written = 0
        about = {"artifact_location": home.resolve().as_uri(), "experiment_id": experiment, "lifecycle_stage": "active"}
        _write(home / "meta.yaml", yaml.safe_dump({**about, "name": model}))
        for record, trained in runs:
            run = _id(model, record["run"])
            began, ended = _milliseconds(record.get("created")), _milliseconds(record.get("selected"))
            facts = {"began": began, "ended": ended or began, "status": OURS.get(str(record.get("status")), FINISHED)}
            tags = {name: record.get(name) for name in ("status", "version", "dataset", "source", "rows")}
            self._run(home, run, f"{model} {record['run']}", facts, {}, _holdout(record), tags)
            for one in trained:
                inner = _id(model, record["run"], str(one["id"]))
                tags = {"mlflow.parentRunId": run, "chosen": str(one["id"] == record.get("experiment")).lower()}
                self._run(home, inner, str(one["id"]), facts, one.get("params") or {}, _scores(one), tags)
            written += 1 + len(trained)
        return written

    def _run(
        self,
        home: Path,
        run: str,
        name: str,
        facts: Mapping[str, Any],
        params: Record,
        metrics: Mapping[str, float],
        tags: Record,
    ) -> None:
        folder = home / run
        meta = {
            "artifact_uri": (folder / "artifacts").resolve().as_uri(),
            "end_time": facts["ended"],
            "entry_point_name": "",
            "experiment_id": home.name,
            "lifecycle_stage": "active",
            "run_id": run,
            "run_name": name,
            "run_uuid": run,
            "source_name": "",
            "source_type": 4,
            "source_version": "",
            "start_time": facts["began"],
            "status": facts["status"],
            "tags": [],
            "user_id": "serverless-ml",
        }
        _write(folder / "meta.yaml", yaml.safe_dump(meta))
        (folder / "artifacts").mkdir(exist_ok=True)
        for kind in ("params", "metrics", "tags"):
            (folder / kind).mkdir(exist_ok=True)
        for key, value in params.items():
            _write(folder / "params" / str(key), str(value))
        for key, value in metrics.items():
            _write(folder / "metrics" / str(key), f"{facts['ended']} {value} 0\n")
        for key, value in {"mlflow.runName": name, **tags}.items():
            if value is not None:
                _write(folder / "tags" / key, str(value))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _id(*parts: str) -> str:
    return hashlib.sha256("/".join(parts).encode()).hexdigest()[:32]


def _milliseconds(stamp: object) -> int:
    try:
        return int(datetime.fromisoformat(str(stamp)).timestamp() * 1000)
    except ValueError:
        return 0


def _holdout(record: Record) -> dict[str, float]:
    holdout = (record.get("metrics") or {}).get("holdout") or {}
    return {f"holdout_{name}": value for name, value in holdout.items() if isinstance(value, int | float)}


def _scores(experiment: Record) -> dict[str, float]:
    """Return the scores of an experiment: of one that is ranked its own, of one under way all."""
    if "mean" in experiment and experiment["mean"] is not None:
        return {str(experiment["metric"]): experiment["mean"], f"{experiment['metric']}_std": experiment["std"]}
    return dict(experiment.get("metrics") or {})
