"""A forecast with an interval, of rows that weigh, under a budget: what is asked for together is had together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from functions.core.dataset.dataset import Dataset
from functions.core.serving.opening import open_version
from functions.core.serving.regressor import Regressor
from models.task import INTERVAL_METRICS
from tests.functions import sales
from tests.functions.bench import MODEL, Bench, csv
from tests.functions.prices import FIT_QUANTILE, TRAINING
from tests.functions.sales import HEADER, SALES

WEIGHED = TRAINING.replace("def fit(X, y, params):", "def fit(X, y, params, weight):").replace(
    "    gram = a.T @ a + params", "    a, y = a * weight[:, None] ** 0.5, y * weight**0.5\n    gram = a.T @ a + params"
)
ENDS = FIT_QUANTILE.replace("params, quantile):", "params, quantile, weight):").replace(
    "fit(X, y, params)", "fit(X, y, params, weight)"
)
BASE: dict[str, Any] = {
    **SALES,
    "interval": {"coverage": 0.8},
    "weights": {"column": "share"},
    "search": {**SALES["search"], "budget": {"maximum_seconds": 3600}},
}


def table(weight: float = 3.0) -> bytes:
    """Return sales whose promotions weigh so much, with rows to come."""
    rows = [*sales.rows(), *sales.to_come(7)]
    return csv([[*row, weight if row[2] else 1] for row in rows], (*HEADER, "share"))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    made = Bench(folder=tmp_path, base=BASE)
    made.write_model(WEIGHED + ENDS)
    return made


def test_a_forecast_has_ends_skill_and_weights_and_answers_as_it_was_judged(bench: Bench) -> None:
    run, answer = bench.run_through(table())
    record = bench.record(run)
    assert answer["status"] == "registered", record
    assert {"skill", *INTERVAL_METRICS} <= record["metrics"]["holdout"].keys()
    assert "share" in record["weights"]["said"]
    version = bench.registry.load(answer["version"])
    dataset = Dataset.from_bytes(bench.data.get(f"{MODEL}/datasets/{version.card['dataset']}/data.npz"))
    assert dataset.weight is not None
    assert sorted(set(dataset.weight.tolist())) == [1.0, 3.0]
    assert len(dataset.weight) == len(dataset.y)
    assert dataset.series is not None

    servable = open_version(version)
    assert isinstance(servable, Regressor)
    assert [feature.name for feature in servable.features] == [
        "promotion",
        "sales_lag_7",
        "sales_lag_14",
        "sales_mean_7",
    ]
    wanted = {"promotion": False, "sales_lag_7": 50, "sales_lag_14": 48, "sales_mean_7": 51.5}
    [said] = servable.predictions(servable.answer(servable.encode([wanted])), 1)
    assert said["low"] <= said["value"] <= said["high"]


def test_what_rows_weigh_decides_what_is_learnt_and_what_is_measured(bench: Bench) -> None:
    (_, one), (_, other) = bench.run_through(table(1.0)), bench.run_through(table(50.0))
    assert one["version"] != other["version"]
    first, second = (
        bench.registry.load(answer["version"]).card["metrics"]["holdout"]["mae"] for answer in (one, other)
    )
    assert not np.isclose(first, second)


def test_ends_that_take_no_weights_are_refused_with_what_to_write(tmp_path: Path) -> None:
    bench = Bench(folder=tmp_path, base=BASE)
    bench.write_model(WEIGHED + FIT_QUANTILE)
    with pytest.raises(Exception, match=r"write fit_quantile\(X, y, params, quantile, weight\)"):
        bench.run_through(table())
