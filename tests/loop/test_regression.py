"""A model that predicts a number goes the whole way: trained, judged, released, asked by request and by job."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import pytest

from localcloud.commands.watch import FINAL_STATES, Watch
from models.diabetes import sample
from models.task import INTERVAL_METRICS, plain
from tests.loop.running import Running

MODEL = "diabetes"
MODELS = ("breast_cancer", "file_type", MODEL)
PREDICT = f"/models/{MODEL}/predict"


def test_a_number_is_learnt_released_and_predicted_by_request_and_by_job(running: Running, tmp_path: Path) -> None:
    patients, truths = sample.instances()
    with running.with_settings({"models": MODELS}):
        sample.write_csv(tmp_path / "patients.csv")
        running.data.put(f"{MODEL}/incoming/patients.csv", (tmp_path / "patients.csv").read_bytes())
        record = running.wait(lambda: ended(running), "the patients to be trained on")
        assert record["status"] == "promoted", record
        assert set(record["metrics"]["holdout"]) == {*plain("regression"), *INTERVAL_METRICS}

        status, _, told = running.post(PREDICT, {"instances": patients})
        assert status == 200
        answered = [one["value"] for one in told["predictions"]]
        assert all(one["low"] <= one["value"] <= one["high"] for one in told["predictions"])
        errors = [abs(value - truth) for value, truth in zip(answered, truths, strict=True)]
        assert sum(errors) / len(errors) < record["metrics"]["holdout"]["mae"] + 5

        assert job(running, patients[:5]) == pytest.approx(answered[:5], rel=1e-6)

        status, _, told = running.post(PREDICT, {"instances": [{**patients[0], "sex": "3"}]})
        assert (status, told["errors"][0]["field"]) == (400, "instances[0].sex")
        running.idle()


def ended(running: Running) -> dict[str, Any] | None:
    watch = Watch(running.models, MODEL)
    return next((one for one in map(watch.record, watch.runs()) if one.get("status") in FINAL_STATES), None)


def job(running: Running, rows: list[dict[str, float | str]]) -> list[float]:
    """Return the answers of a job to rows of a table."""
    name = f"numbers-{uuid.uuid4().hex}.csv"
    lines = [",".join(rows[0]), *(",".join(map(str, one.values())) for one in rows)]
    running.jobs.put(f"{MODEL}/in/{name}", "\n".join([*lines, ""]).encode())
    key = f"{MODEL}/out/{name}.jsonl"

    def done() -> bytes | None:
        return running.jobs.get(key) if key in running.jobs.keys(f"{MODEL}/out/") else None

    return [json.loads(line)["value"] for line in running.wait(done, "the job to be done").splitlines()]
