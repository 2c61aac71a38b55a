"""A regression with an interval from a table to its answers, in memory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from functions.core.jobs.prediction_lines import lines_of
from functions.core.onnx.session import BadModel
from functions.core.registry.live_pointer import Live
from functions.core.registry.pointer import promote_first
from functions.core.registry.versions import Version
from functions.core.selection.candidate import NothingTrained
from functions.core.selection.compatibility import broken
from functions.core.serving.opening import open_version
from functions.core.serving.regressor import Regressor
from functions.core.storage.objects import canonical
from models.light import replace
from models.task import INTERVAL_METRICS
from tests.functions import jobbing, prices, serving
from tests.functions.bench import MODEL, Bench, csv
from tests.functions.prices import FIT_QUANTILE, HEADER, PRICES, TRAINING, WITH_INTERVAL, price_of

BOTH = TRAINING + FIT_QUANTILE
ROWS = [{"size": 40, "weight": 2, "colour": "red"}, [45, -3, "green"]]
TABLE = csv(prices.rows(), HEADER)


def interval_bench(folder: Path, training: str = BOTH, base: dict[str, Any] = WITH_INTERVAL, **changes: Any) -> Bench:
    bench = Bench(folder=folder, base=base)
    bench.write_model(training, **changes)
    return bench


@pytest.fixture(scope="module")
def registered(tmp_path_factory: pytest.TempPathFactory) -> tuple[Bench, str, Version]:
    bench = interval_bench(tmp_path_factory.mktemp("interval"))
    run, answer = bench.run_through(TABLE)
    assert answer["status"] == "registered", bench.record(run)
    return bench, run, bench.registry.load(answer["version"])


def opened(version: Version) -> Regressor:
    servable = open_version(version)
    assert isinstance(servable, Regressor)
    return servable


def test_a_version_has_the_ends_of_its_answers_and_what_they_hold_on_the_holdout(
    registered: tuple[Bench, str, Version],
) -> None:
    bench, run, version = registered
    record = bench.record(run)
    checks = {check["name"]: check for check in record["checks"]}
    assert checks["serves as trained"]["detail"] == "onnxruntime answers all 90 rows as the estimator does"
    assert version.card["outputs"] == {"value": "value", "low": "low", "high": "high"}
    assert version.card["interval"] == record["interval"] == {"coverage": 0.9}
    holdout, ends = (record["metrics"][name] for name in ("holdout", "holdout_intervals"))
    assert set(INTERVAL_METRICS) <= holdout.keys() & ends.keys()
    assert not set(INTERVAL_METRICS) & record["metrics"]["cross_validation"].keys(), "the ends are fitted once"
    assert 0.6 < holdout["coverage"] <= 1
    assert holdout["interval_width"] == pytest.approx(4, abs=1), "what is by chance is from -2 to 2"


def test_callers_get_the_ends_with_the_number_in_every_form(registered: tuple[Bench, str, Version]) -> None:
    servable = opened(registered[2])
    inputs = servable.encode(ROWS)
    outputs = servable.answer(inputs)
    said = servable.predictions(outputs, 2)
    for answer, price in zip(said, (price_of(40, 2, "red"), price_of(45, -3, "green")), strict=True):
        assert list(answer) == ["value", "low", "high"]
        assert answer["low"] <= answer["value"] <= answer["high"]
        assert answer["low"] - 2 < price < answer["high"] + 2
    assert lines_of(servable, outputs, 2) == list(map(canonical, said))
    assert list(outputs) == list(servable.outputs) == servable.schemas().outputs == ["value", "low", "high"]
    kept = servable.contents(inputs, outputs, 1)["outputs"]
    assert kept == [[said[0]["value"], said[0]["low"], said[0]["high"]]]
    properties = servable.schemas().prediction["properties"]
    assert properties["low"]["description"] == "at most value: 0.9 of truths are to lie within, EUR"
    assert set(servable.schemas().prediction["required"]) == {"value", "low", "high"}


def test_requests_tensors_jobs_captures_and_the_description_have_the_same_ends(
    registered: tuple[Bench, str, Version],
) -> None:
    version = registered[2]
    served = serving.Bench(capture_inputs=1.0)
    name = served.registry.register(bytes(version.onnx), dict(version.card), dict(version.golden), {})
    served.live.change(lambda pointer: promote_first(pointer, name, "first", served.clock()))
    [row] = serving.said(served.predict(ROWS[0]))["predictions"]
    served.clock.forward(2)
    served.predict(ROWS[0])
    assert served.captured()[0]["outputs"] == [[row["value"], row["low"], row["high"]]]
    tensor = {"name": "features", "datatype": "FP32", "shape": [1, 3], "data": [40, 2, 1]}
    answer = serving.said(served.send("POST", f"/v2/models/{serving.MODEL}/infer", {"inputs": [tensor]}))
    assert {one["name"]: one["data"] for one in answer["outputs"]} == {name: [value] for name, value in row.items()}
    described = serving.said(served.send("GET", f"/v2/models/{serving.MODEL}"))["outputs"]
    assert [(one["name"], one["shape"]) for one in described] == [(name, [-1, 1]) for name in ("value", "low", "high")]
    for file, content in (
        ("rows.csv", b"size,weight,colour\n40,2,red\n"),
        ("rows.jsonl", json.dumps(ROWS[0]).encode()),
        ("rows", json.dumps({"instances": [ROWS[0]]}).encode()),
    ):
        served.jobs.put(f"{serving.MODEL}/in/{file}", content)
        jobbing.worker(served, served.jobs).work(f"{serving.MODEL}/in/{file}")
    out = f"{serving.MODEL}/out"
    for file in ("rows.csv.jsonl", "rows.jsonl.jsonl"):
        assert json.loads(served.jobs.get(f"{out}/{file}")) == row
    assert served.jobs.get_json(f"{out}/rows.json")["predictions"] == [row]
    assert '"low"' in json.dumps(serving.said(served.send("GET", "/openapi.json")))


def test_two_versions_agree_by_their_numbers_whatever_their_ends(
    registered: tuple[Bench, str, Version], tmp_path: Path
) -> None:
    bench = interval_bench(tmp_path, base=PRICES)
    _, answer = bench.run_through(TABLE)
    plain, other = opened(bench.registry.load(answer["version"])), opened(registered[2])
    outputs, theirs = (one.answer(one.encode(ROWS)) for one in (plain, other))
    assert plain.agreement(outputs, other, theirs) == other.agreement(theirs, plain, outputs) == 2


def test_a_contract_without_an_interval_gives_the_bytes_it_gave(tmp_path: Path) -> None:
    versions = []
    for name, training in (("without", TRAINING), ("with", BOTH)):
        (tmp_path / name).mkdir()
        bench = interval_bench(tmp_path / name, training, PRICES)
        version = bench.registry.load(bench.run_through(TABLE)[1]["version"])
        assert set(version.card["outputs"]) == {"value"}
        assert "interval" not in version.card
        assert set(version.golden) == {"inputs", "values", "spread", "tolerance"}
        servable = opened(version)
        lines = lines_of(servable, servable.answer(servable.encode(ROWS)), 2)
        assert all(line.startswith(b'{"value":') and line.count(b":") == 1 for line in lines)
        versions.append((version.version, bytes(version.onnx)))
    assert versions[0] == versions[1]


@pytest.mark.parametrize(("end", "row"), [("low", 0), ("high", 3)])
def test_a_file_whose_ends_are_not_those_of_its_making_is_not_opened(
    end: str, row: int, registered: tuple[Bench, str, Version]
) -> None:
    version = registered[2]
    ends = [value + 1 * (at == row) for at, value in enumerate(version.golden[end])]
    with pytest.raises(BadModel, match=f"golden row {row} gets .* as its {end} end; it was "):
        opened(replace(version, golden={**version.golden, end: ends}))


def test_ends_that_the_file_answers_otherwise_are_refused_with_the_row(tmp_path: Path) -> None:
    otherwise = FIT_QUANTILE.replace("    return Linear(moved)", "    return Moved(moved, quantile)")
    otherwise += """

class Moved(Linear):
    def __init__(self, weights, quantile):
        super().__init__(weights)
        self.away = 9 * (quantile > 0.5)

    def predict(self, x):
        return super().predict(x) + self.away
"""
    bench = interval_bench(tmp_path, TRAINING + otherwise)
    run, answer = bench.run_through(TABLE)
    cause = bench.record(run)["cause"]
    assert answer["status"] == "refused"
    assert "the ONNX file answers 90 of 90 rows otherwise than the estimator; row 0 (size=" in cause
    assert " to " in cause.partition("the estimator says ")[2]


@pytest.mark.parametrize(
    ("also", "complaint"),
    [
        ({"metric": "coverage", "at_least": 1.01}, "coverage is "),
        ({"metric": "interval_width", "at_most": 0.5}, "interval_width is "),
        ({"metric": "high_pinball", "at_most": 0.001}, "high_pinball is "),
    ],
)
def test_the_gate_asks_for_an_interval_that_holds_enough_and_is_no_wider(
    also: dict[str, Any], complaint: str, tmp_path: Path
) -> None:
    bench = interval_bench(tmp_path, gate={"also": [also]})
    run, answer = bench.run_through(TABLE)
    assert answer["status"] == "refused"
    assert bench.record(run)["cause"].startswith(complaint)


def test_a_training_that_fits_no_ends_fails_before_anything_is_fitted(tmp_path: Path) -> None:
    refuses = TRAINING.replace("    a = np", "    raise SystemError('fitted')\n    a = np")
    for training in (refuses, refuses + "\nfit_quantile = 3\n"):
        bench = interval_bench(tmp_path, training)
        with pytest.raises(NothingTrained, match=r"training\.py has no fit_quantile, which interval in model\.yaml"):
            bench.run_through(TABLE)


def test_the_report_shows_truth_and_ends_and_the_card_what_they_are(registered: tuple[Bench, str, Version]) -> None:
    bench, run, version = registered
    report = bench.models.get(f"{MODEL}/versions/{version.version}/report.html").decode()
    assert "the two ends of an interval, which 0.9 of truths are to lie between" in report
    assert "coverage " in report.partition("<dt>measured</dt>")[2].partition("</dd>")[0]
    assert "Intervals by tenths of the answer: price, in EUR" in report
    drawn = report.partition("<title>price, in EUR: truth and interval, by answer</title>")[2].partition("</svg>")[0]
    covered = round(bench.record(run)["metrics"]["holdout"]["coverage"] * 19)
    assert (drawn.count('r="2"'), drawn.count('r="5"')) == (covered, 19 - covered)
    assert drawn.count("<polyline") == 2


def test_an_interval_that_holds_too_few_is_doubted_in_words(tmp_path: Path) -> None:
    narrow = BOTH.replace("np.quantile(y - middle.predict(X), quantile)", "0.01 * (quantile - 0.5)")
    bench = interval_bench(tmp_path, narrow)
    run, answer = bench.run_through(TABLE)
    assert answer["status"] == "registered"
    [doubt] = [told for told in bench.record(run)["warnings"] if told.startswith("coverage")]
    assert "of the truths lie between low and high, by 19 rows" in doubt
    assert doubt.endswith("too few for an interval that is to hold 0.9; it is too narrow")


def test_an_interval_may_come_and_clients_would_notice_if_it_went(tmp_path: Path) -> None:
    bench = interval_bench(tmp_path, base=PRICES, gate={"margin": -1.0})
    _, first = bench.run_through(TABLE)
    Live(bench.models, MODEL).change(lambda pointer: promote_first(pointer, first["version"], "run", 0.0))
    bench.base = WITH_INTERVAL
    bench.write_model(BOTH, gate={"margin": -1.0})
    run, second = bench.run_through(TABLE)
    assert second["status"] == "registered", bench.record(run)
    [margin] = [check for check in bench.record(run)["checks"] if check["name"] == "margin over the champion"]
    assert margin["value"] == pytest.approx(0, abs=1e-6), "the champion was asked"
    before, after = (bench.registry.load(answer["version"]).card for answer in (first, second))
    assert broken(before, after) == []
    assert broken(after, before) == ["the output high is gone", "the output low is gone"]
    other = {**after, "interval": {"coverage": 0.5}}
    assert broken(after, other) == ["the interval is to hold 0.5 of the truths, and was to hold 0.9"]


OWN = """

def export(estimator, plain=export):
    from onnx import ModelProto, TensorProto, helper
    model = ModelProto.FromString(plain(estimator))
    for name in NAMES:
        model.graph.node.append(helper.make_node("Identity", ["value"], [name]))
        model.graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, 1]))
    return model.SerializeToString(deterministic=True)
"""


def test_a_file_of_ones_own_that_has_ends_is_taken_as_it_is_and_has_both(tmp_path: Path) -> None:
    same = FIT_QUANTILE.replace("np.quantile(y - middle.predict(X), quantile)", "0")
    bench = interval_bench(tmp_path, f"NAMES = ['low', 'high']{TRAINING}{same}{OWN}")
    _, answer = bench.run_through(TABLE)
    servable = opened(bench.registry.load(answer["version"]))
    [said, _] = servable.predictions(servable.answer(servable.encode(ROWS)), 2)
    assert said["low"] == said["value"] == said["high"]
    bench = interval_bench(tmp_path, f"NAMES = ['low']{TRAINING}{same}{OWN}")
    with pytest.raises(NothingTrained) as problem:
        bench.run_through(TABLE)
    assert "gives value FLOAT [rows, 1], low FLOAT [rows, 1]; accepted: the input features FLOAT" in str(problem.value)
    assert "and the outputs value FLOAT [rows, 1] and low FLOAT [rows, 1] and high FLOAT" in str(problem.value)


def test_answers_are_finite_or_none(registered: tuple[Bench, str, Version]) -> None:
    said = json.loads(canonical(registered[2].golden))
    low, value, high = (np.array(said[name]) for name in ("low", "values", "high"))
    assert np.isfinite([low, value, high]).all()
    assert ((low <= value) & (value <= high)).all()
