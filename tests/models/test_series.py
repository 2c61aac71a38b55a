from __future__ import annotations

import copy
from typing import Any

import pytest

from models.contract import Contract
from models.feature import Feature
from models.section import ContractError
from tests.functions.sales import SALES


def changed(**changes: Any) -> dict[str, Any]:
    return {**copy.deepcopy(SALES), **changes}


def with_series(**changes: Any) -> dict[str, Any]:
    return changed(series={**SALES["series"], **changes})


def test_lags_are_features_after_those_that_are_declared_in_the_bounds_of_the_target() -> None:
    contract = Contract.parse(SALES, "model.yaml")
    assert [one.name for one in contract.features] == ["promotion", "sales_lag_7", "sales_lag_14", "sales_mean_7"]
    assert contract.columns == (Feature(name="promotion", kind="boolean"),)
    assert {lag.minimum for lag in contract.lags} == {0}
    assert contract.keys == ("day", "store")
    assert contract.is_of_numbers


def test_a_forecast_may_have_no_feature_but_its_lags() -> None:
    assert Contract.parse(changed(features=[]), "m").features[0].name == "sales_lag_7"


def test_the_split_is_by_the_time_of_the_series_whether_it_says_so_or_not() -> None:
    said = Contract.parse(changed(search={**SALES["search"], "time": "day", "gap": "9d"}), "m")
    silent = Contract.parse(changed(search={**SALES["search"], "gap": "9d"}), "m")
    assert said.digest == silent.digest
    assert silent.search.time == "day"


def test_what_was_written_is_read_as_the_same_contract() -> None:
    contract = Contract.parse(SALES, "m")
    again = Contract.parse(contract.model_dump(mode="json"), "m")
    assert (again.digest, again.features) == (contract.digest, contract.features)


ACCEPTED = "accepted: whole numbers from 1 to 400, each above the one before, 64 at most"


@pytest.mark.parametrize(
    ("document", "told"),
    [
        (with_series(lags=[]), f"series.lags: is an empty list; {ACCEPTED}"),
        (with_series(lags=[7, 7]), f"series.lags[1]: is 7, after 7; {ACCEPTED}"),
        (with_series(lags=[14, 7]), f"series.lags[1]: is 7, after 14; {ACCEPTED}"),
        (with_series(lags=[401]), f"series.lags[0]: is 401; {ACCEPTED}"),
        (with_series(means=[0]), f"series.means[0]: is 0; {ACCEPTED}"),
        (with_series(lags=list(range(1, 66))), f"series.lags: is a list of 65; {ACCEPTED}"),
        (with_series(lags=7), "series.lags: is 7; accepted: a list of whole numbers from 1 to 400"),
        (with_series(group="day"), "series.group: day is the time; accepted: a column that tells series apart"),
        (with_series(group="sales"), "series.group: sales is the target; accepted: another column"),
        (with_series(time="sales"), "series.time: sales is the target; accepted: another column"),
        (with_series(step="day"), "series.step: there is no such key"),
        (changed(ignore=["sales_lag_7"]), "series.lags: sales_lag_7 is the name of what 7 becomes; name that column"),
        (changed(series=None), "series: is missing; accepted: a mapping with time, lags and, where there are several"),
        (changed(task="regression"), "series: goes with task: forecasting; a regression takes its rows in any order"),
        (changed(search={**SALES["search"], "group": "store"}), "search.group: goes without series, whose rows are"),
        (
            changed(search={**SALES["search"], "time": "week"}),
            "search.time: is week; accepted: day, the time of series",
        ),
        (
            changed(search={**SALES["search"], "metric": "f1"}),
            "search.metric: is f1; accepted for a forecast: rmse, mae, median_absolute_error, r2, mape, pinball, skill",
        ),
        (changed(target={"name": "sales", "classes": ["a", "b"]}), "target.classes: goes with task: classification; a"),
        (changed(gate={"metric": "skill", "maximum": 1}), "gate.maximum: of skill more is better; write minimum"),
    ],
)
def test_a_wrong_series_is_refused_with_what_is_accepted(document: dict[str, Any], told: str) -> None:
    with pytest.raises(ContractError) as refusal:
        Contract.parse(document, "m")
    assert f"m: {told}" in str(refusal.value)


def test_skill_is_a_metric_of_forecasts_alone() -> None:
    document = changed(task="regression", series=None, gate={"metric": "skill", "minimum": 0})
    with pytest.raises(ContractError, match=r"gate\.metric: is skill; accepted for a regression: rmse"):
        Contract.parse(document, "m")
