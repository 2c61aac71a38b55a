"""A forecast from a table of series to its answers, in memory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.core.api import open_inference
from functions.core.dataset.dataset import Dataset
from functions.core.jobs.prediction_lines import lines_of
from functions.core.registry.live_pointer import Live
from functions.core.registry.pointer import promote_first
from functions.core.registry.versions import Version
from functions.core.serving.opening import open_version
from functions.core.serving.regressor import Regressor
from functions.core.training.experiment import Training
from interface import layout
from models.contract import Contract
from models.task import plain
from tests.functions import sales
from tests.functions.bench import MODEL, Bench, csv
from tests.functions.prices import TRAINING
from tests.functions.sales import HEADER, SALES, Row

WANTED = {"promotion": False, "sales_lag_7": 50, "sales_lag_14": 48, "sales_mean_7": 51.5}


def sold(folder: Path, training: str = TRAINING, **changes: Any) -> Bench:
    bench = Bench(folder=folder, base=SALES)
    bench.write_model(training, **changes)
    return bench


def table(rows: list[Row] | None = None) -> bytes:
    return csv(sales.rows() if rows is None else rows, HEADER)


@pytest.fixture(scope="module")
def registered(tmp_path_factory: pytest.TempPathFactory) -> tuple[Bench, str, Version]:
    bench = sold(tmp_path_factory.mktemp("sales"))
    run, answer = bench.run_through(table([*sales.rows(), *sales.to_come(7)]))
    assert answer["status"] == "registered", bench.record(run)
    return bench, run, bench.registry.load(answer["version"])


def opened(version: Version) -> Regressor:
    servable = open_version(version)
    assert isinstance(servable, Regressor)
    return servable


def test_a_forecast_is_trained_judged_and_registered(registered: tuple[Bench, str, Version]) -> None:
    bench, run, version = registered
    record = bench.record(run)
    checks = {check["name"]: check for check in record["checks"]}
    assert checks["skill"]["passed"]
    assert checks["serves as trained"]["detail"] == "onnxruntime answers all 318 rows as the estimator does"
    assert set(version.card["metrics"]["holdout"]) == set(plain("forecasting"))
    assert version.card["series"] == {"time": "day", "group": "store", "lags": [7, 14], "means": [7]}
    assert record["series"]["count"] == 3


def test_naive_forecasts_stand_beside_it_on_the_same_rows(registered: tuple[Bench, str, Version]) -> None:
    bench, run, version = registered
    metrics, record = version.card["metrics"], bench.record(run)
    dataset = Dataset.from_bytes(bench.data.get(f"{MODEL}/{layout.DATASETS}{record['dataset']}/data.npz"))
    held = dataset.holdout
    for name, column in (("sales_lag_7", 1), ("sales_lag_14", 2)):
        errors = np.abs(dataset.x[held, column] - dataset.y[held])
        assert metrics["naive"][name]["mae"] == pytest.approx(errors.mean())
        assert metrics["naive"][name]["rmse"] == pytest.approx(np.sqrt((errors**2).mean()))
    assert metrics["holdout"]["skill"] == pytest.approx(
        1 - metrics["holdout"]["mae"] / metrics["naive"]["sales_lag_7"]["mae"]
    )
    assert record["metrics"]["naive"] == metrics["naive"]


def test_its_callers_send_the_lags_as_numbers_by_their_names(registered: tuple[Bench, str, Version]) -> None:
    servable = opened(registered[2])
    outputs = servable.answer(servable.encode([WANTED, list(WANTED.values())]))
    named, listed = servable.predictions(outputs, 2)
    assert named == listed
    assert [json.loads(line) for line in lines_of(servable, outputs, 2)] == [named, listed]
    properties = servable.schemas().instance["anyOf"][0]["properties"]
    assert list(properties) == list(WANTED)
    assert properties["sales_lag_7"]["description"] == "sales 7 rows earlier"
    assert properties["sales_mean_7"]["minimum"] == 0
    told = open_inference.metadata(servable, [registered[2].version])
    assert told["inputs"] == [{"name": "features", "datatype": "FP32", "shape": [-1, 4]}]


NUMBER = st.integers(0, 200)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.booleans(), NUMBER, NUMBER, NUMBER), min_size=1, max_size=5))
def test_callers_get_what_the_estimator_answers(
    registered: tuple[Bench, str, Version], instances: list[tuple[bool, int, int, int]]
) -> None:
    bench, run, version = registered
    record = bench.record(run)
    dataset = Dataset.from_bytes(bench.data.get(f"{MODEL}/{layout.DATASETS}{record['dataset']}/data.npz"))
    fit = Training.load(MODEL, bench.folder).fit
    estimator = fit(dataset.x[dataset.fitted], dataset.y[dataset.fitted], version.card["params"])
    expected = estimator.predict(np.array(instances, dtype=np.float32))
    servable = opened(version)
    rows = [dict(zip(WANTED, one, strict=True)) for one in instances]
    answers = [one["value"] for one in servable.predictions(servable.answer(servable.encode(rows)), len(rows))]
    assert answers == pytest.approx(expected.tolist(), rel=1e-4, abs=1e-3)


def test_its_report_shows_the_truth_and_the_forecast_over_time(registered: tuple[Bench, str, Version]) -> None:
    bench, _, version = registered
    report = bench.models.get(f"{MODEL}/versions/{version.version}/report.html").decode()
    for store in sales.STORES:
        drawing = report.partition(f"<title>{store}: sales over time</title>")[2].partition("</svg>")[0]
        assert drawing.count("<polyline") == 2, store
        assert "days from 2025-04-10 on" in drawing
    assert "Beside naive forecasts, in pieces" in report
    assert "repeating sales_lag_7" in report
    assert "3 series; a row a day" in report


def test_a_model_no_better_than_a_naive_forecast_is_refused_by_its_skill_and_doubted(tmp_path: Path) -> None:
    constant = TRAINING.replace("np.linalg.solve(gram, a.T @ y)", "np.eye(a.shape[1])[-1] * 1000")
    bench = sold(tmp_path, constant)
    run, answer = bench.run_through(table())
    record = bench.record(run)
    assert answer["status"] == "refused"
    assert "skill is -" in record["cause"]
    told = "the model is no better than a naive forecast, repeating sales_lag_7: its mae is "
    assert [warning for warning in record["warnings"] if warning.startswith(told)]


def test_a_search_may_go_by_skill(tmp_path: Path) -> None:
    bench = sold(tmp_path, search={**SALES["search"], "metric": "skill"})
    run, answer = bench.run_through(table())
    assert answer["status"] == "registered"
    board = bench.models.get_json(f"{MODEL}/runs/{run}/leaderboard.json")["experiments"]
    means = [line["mean"] for line in board]
    assert means == sorted(means, reverse=True)


def test_a_search_that_narrows_learns_on_a_share_of_series(tmp_path: Path) -> None:
    families = [{"ridge": [0.1 * at for at in range(1, 10)]}]
    bench = sold(tmp_path, search={**SALES["search"], "families": families, "method": "halving"})
    assert bench.run_through(table(sales.rows(400)))[1]["status"] == "registered"


def test_a_champion_of_other_lags_is_not_compared_with(tmp_path: Path) -> None:
    bench = sold(tmp_path)
    _, first = bench.run_through(table())
    Live(bench.models, MODEL).change(lambda pointer: promote_first(pointer, first["version"], "run", 0.0))
    bench.write_model(TRAINING, series={**SALES["series"], "lags": [7, 21]})
    run, second = bench.run_through(table())
    assert second["status"] == "registered"
    [margin] = [check for check in bench.record(run)["checks"] if check["name"] == "margin over the champion"]
    assert margin["detail"] == "the champion forecasts another series, or by other lags"


def test_a_champion_is_compared_with_by_skill(tmp_path: Path) -> None:
    bench = sold(tmp_path)
    _, first = bench.run_through(table())
    Live(bench.models, MODEL).change(lambda pointer: promote_first(pointer, first["version"], "run", 0.0))
    bench.write_model(TRAINING, gate={"margin": 0.5})
    run, second = bench.run_through(table(sales.rows(130)))
    assert second["status"] == "refused"
    assert "margin over the champion is " in bench.record(run)["cause"]


def test_the_first_dataset_decides_nothing_of_the_contract() -> None:
    contract = Contract.parse(SALES, "model.yaml")
    assert Contract.parse(contract.model_dump(mode="json"), "model.yaml").digest == contract.digest
