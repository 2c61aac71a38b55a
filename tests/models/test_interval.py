from __future__ import annotations

from typing import Any

import pytest

from models.contract import Contract
from models.interval import Interval
from models.section import ContractError
from models.task import INTERVAL_METRICS, lower_is_better, parts
from tests.functions.bench import CONTRACT, merged
from tests.functions.prices import PRICES, WITH_INTERVAL

COVERAGE = {"metric": "coverage", "at_least": 0.85}
WIDTH = {"metric": "interval_width", "at_most": 4}

DIGEST = "628bf16c49d1b31c33a7ce607a70526b782a130c2cfb7fc69682e9a585cc4019"
"""Of `PRICES`, as the release before intervals gave it."""


def parse(base: dict[str, Any] = WITH_INTERVAL, **changes: Any) -> Contract:
    return Contract.parse(merged(base, **changes), "model.yaml")


def test_the_ends_are_as_far_from_the_middle() -> None:
    found = [Interval(coverage=coverage).quantiles for coverage in (0.9, 0.5, 0.98)]
    assert found == [(0.05, 0.95), (0.25, 0.75), (0.01, 0.99)]


def test_a_contract_without_an_interval_has_the_digest_that_it_had() -> None:
    assert "interval" not in parse(PRICES).model_dump(mode="json")
    assert parse(PRICES).digest == DIGEST
    assert len({parse(PRICES).digest, parse().digest, parse(interval={"coverage": 0.8}).digest}) == 3


@pytest.mark.parametrize(
    ("base", "changes", "message"),
    [
        (
            CONTRACT,
            {"interval": {"coverage": 0.9}},
            "interval: goes with task: forecasting or regression; a classification predicts",
        ),
        (PRICES, {"interval": {}}, "interval.coverage: is missing; accepted: a number, above 0 and below 1"),
        (PRICES, {"interval": {"coverage": 90}}, "interval.coverage: is 90; accepted: a number, above 0 and below 1"),
        (PRICES, {"interval": {"coverage": 1.0}}, "interval.coverage: is 1.0; accepted: a number, above 0 and below 1"),
        (PRICES, {"interval": 0.9}, "interval: is 0.9; accepted: "),
        (
            PRICES,
            {"gate": {"also": [COVERAGE]}},
            "gate.also[0].metric: is coverage, which goes with interval, as in interval: {coverage: 0.9}",
        ),
        (
            CONTRACT,
            {"gate": {"also": [WIDTH]}},
            "gate.also[0].metric: is interval_width; accepted for a classification",
        ),
        (
            WITH_INTERVAL,
            {"gate": {"also": [{"metric": "coverage", "at_most": 0.9}]}},
            "gate.also[0].at_most: of coverage more is better; write at_least",
        ),
        (
            WITH_INTERVAL,
            {"gate": {"also": [{"metric": "interval_width", "at_least": 1}]}},
            "gate.also[0].at_least: of interval_width less is better; write at_most",
        ),
        (
            WITH_INTERVAL,
            {"search": {"metric": "coverage"}},
            "search.metric: is coverage; accepted for a regression: rmse",
        ),
        (WITH_INTERVAL, {"gate": {"metric": "coverage"}}, "gate.metric: is coverage; accepted for a regression"),
    ],
)
def test_what_does_not_go_with_an_interval_is_refused_in_words(
    base: dict[str, Any], changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ContractError) as problem:
        parse(base, **changes)
    assert f"model.yaml: {message}" in str(problem.value)


def test_the_gate_may_ask_for_all_metrics_of_an_interval() -> None:
    also = [COVERAGE, WIDTH, {"metric": "low_pinball", "at_most": 1}, {"metric": "high_pinball", "at_most": 1}]
    assert parse(gate={"also": also}).measures[2:] == INTERVAL_METRICS


def test_of_coverage_more_is_better_and_of_the_others_less() -> None:
    assert [lower_is_better(name) for name in INTERVAL_METRICS] == [False, True, True, True]
    assert [parts(name) for name in INTERVAL_METRICS] == [(name, 0.0) for name in INTERVAL_METRICS]
