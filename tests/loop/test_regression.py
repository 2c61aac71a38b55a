"""A model that predicts a number goes the whole way: trained, judged, released, asked by request and by job."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import pytest

from localcloud.commands.watch import FINAL_STATES, Watch
from models.diabetes import sample
from tests.loop.running import Running

MODEL = "diabetes"
PREDICT = f"/models/{MODEL}/predict"


@pytest.fixture
def trained(running: Running, tmp_path: Path) -> dict[str, Any]:
    """The record of the run on all patients, which the first test that needs it begins."""
    watch = Watch(running.models, MODEL)
    if not watch.runs():
        sample.write_csv(tmp_path / "patients.csv")
        running.data.put(f"{MODEL}/incoming/patients.csv", (tmp_path / "patients.csv").read_bytes())

    def ended() -> dict[str, Any] | None:
        return next((one for one in map(watch.record, watch.runs()) if one.get("status") in FINAL_STATES), None)

    return running.wait(ended, "the patients to be trained on")


def test_a_number_is_learnt_released_and_predicted(running: Running, trained: dict[str, Any]) -> None:
    assert trained["status"] == "promoted"
    assert set(trained["metrics"]["holdout"]) == {"rmse", "mae", "r2", "mape"}
    patients, truths = sample.instances()
    status, _, told = running.post(PREDICT, json.dumps({"instances": patients}).encode())
    assert status == 200
    errors = [abs(one["value"] - truth) for one, truth in zip(told["predictions"], truths, strict=True)]
    assert sum(errors) / len(errors) < trained["metrics"]["holdout"]["mae"] + 5


def test_a_job_answers_the_rows_of_a_table_with_the_numbers_of_a_request(
    running: Running, trained: dict[str, Any]
) -> None:
    assert trained["status"] == "promoted"
    name, patients = f"numbers-{uuid.uuid4().hex}", sample.instances()[0][:5]
    rows = "\n".join([",".join(patients[0]), *(",".join(map(str, one.values())) for one in patients)])
    running.jobs.put(f"{MODEL}/in/{name}.csv", f"{rows}\n".encode())
    key = f"{MODEL}/out/{name}.csv.jsonl"
    lines = running.wait(
        lambda: running.jobs.get(key) if key in running.jobs.keys(f"{MODEL}/out/") else None, "the job to be done"
    )
    _, _, told = running.post(PREDICT, json.dumps({"instances": patients}).encode())
    answered = [json.loads(line)["value"] for line in lines.splitlines()]
    assert answered == pytest.approx([one["value"] for one in told["predictions"]], rel=1e-6)


def test_a_patient_that_cannot_be_one_is_refused_by_field(running: Running, trained: dict[str, Any]) -> None:
    assert trained["status"] == "promoted"
    wrong = {**sample.instances()[0][0], "sex": "3"}
    status, _, told = running.post(PREDICT, json.dumps({"instances": [wrong]}).encode())
    assert (status, told["errors"][0]["field"]) == (400, "instances[0].sex")
