"""The quality of a version: captured rows and the truths of them, joined when their horizon is over."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from functions.core.dataset.read_here import open_rows
from functions.core.dataset.wanted import Wanted
from functions.core.registry.truths import REQUEST, Row
from interface import layout
from models.catalogue import load
from tests.functions.core.watching.rows import FEATURES, MODEL, VERSION, named
from tests.functions.core.watching.told import Callers, auc, by_key, contract, register

OTHER = "0" * 16


def test_the_quality_is_the_gates_metric_of_labelled_rows_beside_what_the_holdout_promised() -> None:
    callers = Callers()
    records = callers.service.ask(0, 300)
    truths = callers.truths(records[:240])
    callers.tell(0, truths)
    quality = callers.quality(0)
    measured = quality["metrics"]["roc_auc"]
    probabilities = [record["outputs"][0][1] for record in records[:240]]
    assert measured["value"] == pytest.approx(auc(list(truths.values()), probabilities))
    assert measured["interval"][0] < measured["value"] < measured["interval"][1]
    assert (measured["promised"], measured["promised_interval"]) == (0.99, [0.98, 1.0])
    assert quality["window"] == {"from": named(0), "to": named(0), "rows": 240, "captured": 300, "labelled_share": 0.8}
    assert quality["state"] == "measured"
    assert "of 240 labelled rows; the holdout promised 0.99 (0.98 to 1); 80.0% of the captured rows" in quality["said"]


def test_a_truth_counts_once_its_horizon_is_over_and_not_if_it_came_later() -> None:
    callers = Callers(contract=contract({"horizon_days": 2}))
    records = callers.service.ask(0, 200)
    callers.tell(1, callers.truths(records[:80]))
    callers.tell(2, callers.truths(records[80:100]))
    assert callers.quality(1)["state"] == "few"
    callers.tell(3, callers.truths(records[100:]))
    assert callers.quality(2)["window"]["rows"] == 100
    assert callers.quality(3)["window"]["rows"] == 100
    late = f"100 truths of {named(3)} of rows that were not captured within the horizon before: too late, "
    assert late in callers.quality(5)["said"]


def test_the_window_is_the_newest_labelled_rows_over_as_many_days_as_it_takes() -> None:
    callers = Callers(contract=contract({"window": 150}))
    for day in range(4):
        callers.tell(day, callers.truths(callers.service.ask(day, 60)))
        quality = callers.quality(day)
    assert (quality["window"]["rows"], quality["window"]["from"], quality["window"]["to"]) == (150, named(1), named(3))
    newest = [row for day in (1, 2, 3) for row in csv.DictReader(io.StringIO(callers.table(day)))]
    assert len(newest) == 180


def test_of_two_truths_of_a_row_the_later_one_counts_and_a_key_stands_for_the_last_request_of_a_day() -> None:
    callers = Callers()
    records = callers.service.ask(0, 2)
    callers.service.captures.put(f"{MODEL}/{named(0)}/00/cut.jsonl", b'{"inputs":[[1')
    row = by_key(records[0], "k" * 32)
    by_key(records[1], "k" * 32)
    callers.service.write(0, records)
    callers.tell(0.01, {row: "yes"})
    callers.tell(0.02, {row: "no"})
    callers.quality(0)
    [line] = csv.DictReader(io.StringIO(callers.table(0)))
    assert (line["sick"], float(line["size"])) == ("no", pytest.approx(records[1]["inputs"][0][0], rel=1e-7))


def test_the_labelled_rows_are_a_table_that_a_dataset_can_be_read_from() -> None:
    callers = Callers()
    records = callers.service.ask(0, 40, rows=3, other=0.2, lost=0.3)
    truths = callers.truths(records)
    callers.tell(0, truths)
    callers.quality(0)
    features = (*FEATURES, callers.contract.target.as_feature)
    with open_rows(iter([callers.table(0).encode()]), Wanted(features=features)) as rows:
        [read] = list(rows)
    assert not read.refused
    asked = [[float("nan") if one is None else one for one in row] for record in records for row in record["inputs"]]
    wanted = [[*row, float(truth == "yes")] for row, truth in zip(asked, truths.values(), strict=True)]
    assert read.numbers.tolist() == [pytest.approx(row, nan_ok=True, rel=1e-6) for row in wanted]


@pytest.mark.parametrize(
    ("wrong", "labels", "state", "said"),
    [
        (0.0, {"minimum": 0.5}, "held", "it keeps to its floor of 0.5"),
        (0.5, {"minimum": 0.8}, "below", "beyond its floor of 0.8, and by more than chance"),
        (0.0, {"minimum": 0.86}, "doubtful", "beyond its floor of 0.86, as chance may have it"),
    ],
)
def test_a_floor_is_broken_only_where_chance_alone_does_not_do_it(
    wrong: float, labels: dict[str, float], state: str, said: str
) -> None:
    callers = Callers(contract=contract(labels))
    callers.tell(0, callers.truths(callers.service.ask(0, 120), wrong=wrong))
    quality = callers.quality(0)
    assert (quality["state"], said in quality["said"]) == (state, True), quality["said"]


def test_truths_of_one_class_have_no_ranking_and_the_other_metrics_are_told() -> None:
    callers = Callers()
    records = callers.service.ask(0, 60)
    callers.tell(0, {Row(REQUEST, record["request"], 0): "no" for record in records})
    quality = callers.quality(0)
    assert quality["state"] == "undefined"
    assert "60 labelled rows: roc_auc has no value: " in quality["said"]
    assert "accuracy" in quality["metrics"]


def test_few_labelled_rows_say_nothing_yet() -> None:
    callers = Callers(contract=contract({"minimum": 0.99}))
    callers.tell(0, callers.truths(callers.service.ask(0, 20), wrong=0.5))
    quality = callers.quality(0)
    assert quality["state"] == "few"
    assert "20 labelled rows: roc_auc 0." in quality["said"]
    assert "too few to tell, 50 are the least" in quality["said"]


def test_what_cannot_be_joined_is_told_in_numbers() -> None:
    callers = Callers()
    records = callers.service.ask(0, 60)
    callers.service.ask(0, 3, version="f" * 16)
    truths = callers.truths(records)
    callers.tell(0, truths)
    callers.tell(0, {Row(REQUEST, f"nobody-{count}", 0): "yes" for count in range(4)})
    early = callers.service.ask(1, 2)
    callers.tell(0, {Row(REQUEST, record["request"], 0): "yes" for record in early})
    said = callers.quality(0)["said"]
    assert "6 truths of 2026-11-02 of rows that were not captured within the horizon before: " in said
    assert "3 captured rows of 2026-11-02 of versions that are gone" in said
    unfit = callers.service.ask(1, 1)
    callers.tell(1, {Row(REQUEST, unfit[0]["request"], 0): "unknown"})
    said = callers.quality(1)["said"]
    assert "2 truths of 2026-11-03 from before the row was answered: a clock is off, or a key is in use again" in said
    assert "1 truth of 2026-11-03 that the contract does not accept" in said


def test_a_truth_that_matched_an_earlier_day_is_not_unknown_on_its_own() -> None:
    callers = Callers(contract=contract({"horizon_days": 1}))
    first = callers.service.ask(0, 60)
    callers.tell(1, callers.truths(first))
    callers.quality(1)
    callers.tell(2, callers.truths(callers.service.ask(1, 60)))
    assert "not captured" not in callers.quality(2)["said"]


def test_of_very_many_truths_so_many_are_held_and_the_others_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("functions.core.watching.labelled.MOST", 60)
    callers = Callers()
    callers.tell(0, callers.truths(callers.service.ask(0, 75)))
    quality = callers.quality(0)
    assert quality["window"]["rows"] == 60
    assert "15 truths of rows of 2026-11-02 beyond those that are held at once" in quality["said"]


def test_a_join_that_broke_off_is_made_again() -> None:
    callers = Callers()
    callers.tell(0, callers.truths(callers.service.ask(0, 60)))
    callers.service.captures.put(f"{MODEL}/{layout.LABELLED}{named(0)}/rows.jsonl", b"{}")
    assert callers.quality(0)["window"]["rows"] == 60


def test_a_promotion_begins_anew_and_the_rows_of_the_version_before_are_told() -> None:
    callers = Callers()
    register(callers.service, OTHER)
    callers.tell(0, callers.truths(callers.service.ask(0, 80)))
    assert callers.qualities.now(named(0), OTHER)["said"] == (
        "no truth has come yet of a row that this version answered; not counted: 80 labelled rows of other versions"
    )
    callers.tell(0, callers.truths(callers.service.ask(0, 70, version=OTHER)))
    quality = callers.quality(0, OTHER)
    assert (quality["window"]["rows"], quality["aside"]["others"]) == (70, 80)
    assert "80 labelled rows of other versions" in quality["said"]


def test_what_a_challenger_failed_on_is_an_answer_of_the_champion() -> None:
    callers = Callers()
    register(callers.service, OTHER)
    records = callers.service.ask(0, 60)
    for record in records:
        record |= {"version": OTHER, "variant": "challenger", "error": "failed", "answered_by": VERSION}
        record["request"] += "-failed"
    callers.service.write(0, records)
    callers.tell(0, callers.truths(records))
    assert callers.quality(0)["window"]["rows"] == 60


def test_what_a_shadow_is_asked_counts_as_its_own_rows_and_answers() -> None:
    callers = Callers()
    register(callers.service, OTHER)
    records = callers.service.ask(0, 60, version=OTHER)
    for record in records:
        record |= {"variant": "shadow", "answered_by": VERSION, "request": f"{record['request']}-shadow"}
    callers.service.write(0, records)
    callers.tell(0, callers.truths(records))
    assert (callers.quality(0, OTHER)["window"]["rows"], callers.quality(0)["window"]["rows"]) == (60, 0)


def test_without_truths_nothing_is_read_and_the_check_says_so() -> None:
    callers = Callers()
    callers.service.ask(0, 600)
    check = callers.checks.check(named(0), VERSION)
    assert (check["state"], check["quality"]["state"]) == ("steady", "few")
    assert check["quality"]["said"] == "no truth has come of a row that was captured"
    assert list(callers.service.captures.keys(f"{MODEL}/{layout.LABELLED}")) == []
    assert callers.checks.check(named(0), None)["quality"]["state"] == "few"


def test_when_truths_stop_coming_the_labelled_share_falls() -> None:
    callers = Callers()
    callers.tell(0, callers.truths(callers.service.ask(0, 100)))
    callers.quality(0)
    callers.service.ask(1, 300)
    assert callers.quality(1)["window"]["labelled_share"] == 0.25


def test_what_is_measured_now_counts_rows_whose_horizon_is_not_over_and_stores_nothing() -> None:
    callers = Callers(contract=contract({"horizon_days": 5}))
    callers.tell(1, callers.truths(callers.service.ask(0, 60)))
    callers.tell(1, callers.truths(callers.service.ask(1, 30)))
    assert callers.qualities.now(named(1), VERSION)["window"]["rows"] == 90
    assert list(callers.service.captures.keys(f"{MODEL}/{layout.LABELLED}")) == []


def test_a_version_with_other_classes_and_one_that_is_gone_have_no_quality() -> None:
    callers = Callers()
    register(callers.service, OTHER, target={"name": "sick", "classes": ["a", "b"]})
    said = callers.quality(0, OTHER)
    assert (said["state"], "other classes" in said["said"]) == ("undefined", True)
    assert callers.quality(0, "f" * 16)["said"] == f"version {'f' * 16} is gone"


def test_a_threshold_decides_about_the_labels_that_callers_got() -> None:
    callers = Callers()
    register(callers.service, VERSION, threshold={"positive": 1, "value": 0.0})
    records = callers.service.ask(0, 60)
    truths = callers.truths(records)
    callers.tell(0, truths)
    share = sum(truth == "yes" for truth in truths.values()) / 60
    assert callers.quality(0)["metrics"]["accuracy"]["value"] == pytest.approx(share)


NUMBER: dict[str, Any] = {
    "task": "regression",
    "target": {"name": "weight", "minimum": 0},
    "gate": {"metric": "mae", "maximum": 5},
    "search": {"metric": "mae", "families": [{"family": ["any"]}]},
    "interval": {"coverage": 0.8},
}


def test_a_number_has_its_errors_and_how_often_its_interval_holds_the_truth() -> None:
    callers = Callers(contract=contract({"maximum": 0.9}, **NUMBER))
    outputs = {"value": "value", "low": "low", "high": "high"}
    register(callers.service, VERSION, target={"name": "weight", "unit": ""}, outputs=outputs, metrics={})
    records = callers.service.ask(0, 80)
    for record in records:
        record["outputs"] = [[10.0, 8.0, 12.0]]
        record["request"] += "-number"
    callers.service.write(0, records)
    off = [1.0, -1.0, 3.0, -1.0]
    truths = {Row(REQUEST, record["request"], 0): 10.0 + off[at % 4] for at, record in enumerate(records)}
    callers.tell(0, {**truths, Row(REQUEST, records[0]["request"], 0): -1.0})
    quality = callers.quality(0)
    assert quality["metrics"]["mae"]["value"] == pytest.approx(119 / 79)
    assert quality["metrics"]["coverage"]["value"] == pytest.approx(59 / 79)
    assert (quality["state"], quality["aside"]["unfit"]) == ("below", 1)
    assert "its ceiling of 0.9" in quality["said"]


SERIES: dict[str, Any] = {
    "task": "forecasting",
    "features": [{"name": "promoted", "kind": "boolean"}],
    "target": {"name": "sold", "minimum": 0},
    "series": {"time": "day", "group": "shop", "lags": [1, 7]},
    "gate": {"metric": "skill", "minimum": 0},
    "search": {"metric": "mae", "families": [{"family": ["any"]}]},
}


def test_a_forecast_is_compared_with_the_least_lag_that_it_was_asked_with() -> None:
    callers = Callers(contract=contract({"minimum": 0.4}, **SERIES))
    features = [one.document() for one in callers.contract.features]
    series = {"time": "day", "group": "shop", "lags": [1, 7], "means": []}
    register(callers.service, VERSION, features=features, series=series, target={"name": "sold", "unit": ""})
    records = callers.service.ask(0, 60)
    for record in records:
        record |= {"inputs": [[1.0, 14.0, 9.0]], "outputs": [[11.0]], "request": f"{record['request']}-series"}
    callers.service.write(0, records)
    callers.tell(0, {Row(REQUEST, record["request"], 0): 10.0 for record in records})
    quality = callers.quality(0)
    assert quality["metrics"]["skill"]["value"] == pytest.approx(1 - 1 / 4)
    assert quality["state"] == "held"
    assert callers.table(0).splitlines()[:2] == ["promoted,sold", "true,10.0"]
    joined = callers.service.captures.get_json(f"{MODEL}/{layout.LABELLED}{named(0)}/joined.json")
    assert joined["lacks"] == ["day", "shop"]


def test_rows_that_would_weigh_count_alike_and_the_quality_says_so() -> None:
    callers = Callers(contract=contract(weights={"column": "cost"}))
    callers.tell(0, callers.truths(callers.service.ask(0, 60)))
    assert "rows count alike, as no request says what they weigh" in callers.quality(0)["said"]


def test_of_a_date_the_numbers_are_captured_so_the_table_lacks_it() -> None:
    dated = [*(one.document() for one in FEATURES), {"name": "seen", "kind": "date", "parts": ["year", "month"]}]
    callers = Callers(contract=contract(features=dated))
    register(callers.service, VERSION, features=dated)
    records = callers.service.ask(0, 2)
    for record in records:
        record["inputs"] = [[*record["inputs"][0], 2026.0, 11.0]]
        record["request"] += "-dated"
    callers.service.write(0, records)
    callers.tell(0, {Row(REQUEST, record["request"], 0): "yes" for record in records})
    callers.quality(0)
    assert callers.table(0).splitlines()[0] == "size,visits,colour,age,sick"
    joined = callers.service.captures.get_json(f"{MODEL}/{layout.LABELLED}{named(0)}/joined.json")
    assert (joined["lacks"], joined["labelled"]) == (["seen"], {VERSION: 2})


def test_a_finished_model_with_classes_has_an_accuracy_and_no_table() -> None:
    finished = load("file_type")
    assert finished.task == "finished"
    callers = Callers(contract=finished)  # ty: ignore[invalid-argument-type]
    scores = callers.answered.truth.categories
    card = {"scores": {"output": "out", "classes": list(scores)}}
    callers.service.models.put_json(f"{MODEL}/{layout.VERSIONS}{VERSION}/card.json", card)
    data = [0.0] * len(scores)
    data[1] = 1.0
    records = [
        {
            "time": 1793620800.0 + at,
            "request": f"r{at}",
            "version": VERSION,
            "rows": 1,
            "inputs": {"bytes": {}},
            "outputs": {"out": {"datatype": "FP32", "shape": [1, len(scores)], "data": data}},
        }
        for at in range(60)
    ]
    callers.service.write(0, records)
    callers.tell(0, {Row(REQUEST, f"r{at}", 0): scores[1 if at < 45 else 2] for at in range(60)})
    quality = callers.quality(7)
    assert quality["metrics"]["accuracy"]["value"] == pytest.approx(0.75)
    names = {key.rpartition("/")[2] for key in callers.service.captures.keys(f"{MODEL}/{layout.LABELLED}{named(0)}")}
    assert names == {"joined.json", "rows.jsonl"}
