"""A regression from a table to its answers, in memory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from functions.core.dataset import read_here
from functions.core.dataset.dataset import Dataset
from functions.core.dataset.rejected_dataset import RejectedDataset
from functions.core.dataset.validation import validate_dataset
from functions.core.jobs.prediction_lines import lines_of
from functions.core.onnx.session import BadModel
from functions.core.registry.live_pointer import Live
from functions.core.registry.pointer import promote_first
from functions.core.registry.versions import Version
from functions.core.serving.opening import open_version
from functions.core.serving.regressor import Regressor
from models.contract import Contract
from models.light import replace
from models.task import plain
from tests.functions import prices
from tests.functions.bench import MODEL, Bench, csv
from tests.functions.prices import HEADER, PRICES, TRAINING, price_of

WANTED = {"size": 40, "weight": 2, "colour": "red"}


def priced(folder: Path, **changes: Any) -> Bench:
    bench = Bench(folder=folder, base=PRICES)
    bench.write_model(TRAINING, **changes)
    return bench


def table(rows: list[list[Any]] | None = None) -> bytes:
    return csv(prices.rows() if rows is None else rows, HEADER)


@pytest.fixture(scope="module")
def registered(tmp_path_factory: pytest.TempPathFactory) -> tuple[Bench, str, Version]:
    bench = priced(tmp_path_factory.mktemp("prices"))
    run, answer = bench.run_through(table())
    assert answer["status"] == "registered", bench.record(run)
    return bench, run, bench.registry.load(answer["version"])


def opened(version: Version) -> Regressor:
    servable = open_version(version)
    assert isinstance(servable, Regressor)
    return servable


def test_a_regression_is_trained_judged_and_registered(registered: tuple[Bench, str, Version]) -> None:
    bench, run, version = registered
    record = bench.record(run)
    checks = {check["name"]: check for check in record["checks"]}
    assert checks["serves as trained"]["detail"] == "onnxruntime answers all 90 rows as the estimator does"
    assert (checks["mae"]["bound"], checks["colour = red"]["bound"]) == (3.0, 4.0)
    assert set(version.card["metrics"]["holdout"]) == set(plain("regression"))
    assert version.card["target"] == {"name": "price", "unit": "EUR"}
    board = bench.models.get_json(f"{MODEL}/runs/{run}/leaderboard.json")["experiments"]
    assert [line["mean"] for line in board] == sorted(line["mean"] for line in board), "less is better"


def test_its_answer_is_a_number_for_each_row(registered: tuple[Bench, str, Version]) -> None:
    servable = opened(registered[2])
    outputs = servable.answer(servable.encode([WANTED, [40, 2, "green"]]))
    [red, green] = servable.predictions(outputs, 2)
    assert red["value"] == pytest.approx(price_of(40, 2, "red"), abs=3)
    assert red["value"] - green["value"] == pytest.approx(10, abs=2)
    assert [json.loads(line) for line in lines_of(servable, outputs, 2)] == [red, green]
    schema = servable.schemas().prediction
    assert schema["properties"]["value"] == {"type": "number", "description": "EUR"}
    contents = servable.contents(servable.encode([WANTED]), outputs, 1)
    assert contents["outputs"] == [[red["value"]]]


def test_two_versions_agree_that_are_no_farther_apart_than_the_one_usually_errs(
    registered: tuple[Bench, str, Version],
) -> None:
    version = registered[2]
    servable = opened(version)
    usual = version.card["metrics"]["holdout"]["mae"]
    assert servable.usual_error == usual > 0
    here, near, far = (
        servable.answer(servable.encode([{**WANTED, "weight": weight}])) for weight in (2, 2 + usual / 2, 2 + usual * 9)
    )
    assert [servable.agreement(one, servable, here) for one in (here, near, far)] == [1, 1, 0]


def test_a_file_that_answers_otherwise_than_it_did_is_not_opened(registered: tuple[Bench, str, Version]) -> None:
    version = registered[2]
    golden = {**version.golden, "values": [version.golden["values"][0] + 1, *version.golden["values"][1:]]}
    with pytest.raises(BadModel, match="golden row 0 gets "):
        opened(replace(version, golden=golden))


def test_its_report_shows_how_far_it_is_off(registered: tuple[Bench, str, Version]) -> None:
    bench, _, version = registered
    report = bench.models.get(f"{MODEL}/versions/{version.version}/report.html").decode()
    assert "price, in EUR" in report
    assert "Rows that err no more, in EUR" in report
    assert "always the median" in report
    for drawing in ("answer by truth", "residuals"):
        points = report.partition(f"<title>price, in EUR: {drawing}</title>")[2].partition("</svg>")[0]
        assert f"On the {points.count('<circle')} rows kept out" in report


def test_an_error_that_is_too_large_is_refused(tmp_path: Path) -> None:
    bench = priced(tmp_path, gate={"maximum": 0.01})
    run, answer = bench.run_through(table())
    assert answer["status"] == "refused"
    assert "mae is " in bench.record(run)["cause"]
    assert ", bound 0.01" in bench.record(run)["cause"]


def test_a_candidate_must_beat_the_champion_by_the_margin_where_less_is_better(tmp_path: Path) -> None:
    bench = priced(tmp_path)
    _, first = bench.run_through(table())
    Live(bench.models, MODEL).change(lambda pointer: promote_first(pointer, first["version"], "run", 0.0))
    bench.write_model(TRAINING, gate={"margin": 0.5})
    run, second = bench.run_through(table())
    assert second["status"] == "refused"
    [margin] = [check for check in bench.record(run)["checks"] if check["name"] == "margin over the champion"]
    assert margin["value"] == pytest.approx(0, abs=0.1)


def test_a_file_that_answers_otherwise_than_its_estimator_is_refused(tmp_path: Path) -> None:
    bench = priced(tmp_path)
    bench.write_model(TRAINING.replace('"b": w[-1:]', '"b": w[-1:] + 1'))
    run, answer = bench.run_through(table())
    assert answer["status"] == "refused"
    assert (
        "the ONNX file answers 90 of 90 rows otherwise than the estimator; row 0 (size=" in bench.record(run)["cause"]
    )


def test_the_folds_and_the_holdout_each_have_small_numbers_and_large_ones() -> None:
    validated = validate_dataset(table(), Contract.parse(PRICES, "model.yaml"), read_here.open_rows)
    dataset: Dataset = validated.dataset
    overall = dataset.y.mean()
    for fold in range(-1, 3):
        assert abs(dataset.y[dataset.fold == fold].mean() - overall) < 0.25 * dataset.y.std()
    assert validated.profile["target"]["count"] == 90


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        (lambda row: [*row[:3], 5], "price is 5 in every row, so there is nothing to predict"),
        (lambda row: [*row[:3], "dear"], "most often: price is text; accepted: a finite number, 0 or more"),
        (lambda row: [*row[:3], -1], "most often: price is not a finite number, 0 or more"),
        (lambda row: [1, 1, "red", row[3]], "too few different rows: 3 folds and the holdout each need some"),
    ],
)
def test_a_table_of_which_nothing_can_be_learnt_is_rejected(change: Any, cause: str) -> None:
    with pytest.raises(RejectedDataset) as rejection:
        validate_dataset(
            table(list(map(change, prices.rows()))), Contract.parse(PRICES, "model.yaml"), read_here.open_rows
        )
    assert cause in str(rejection.value)
