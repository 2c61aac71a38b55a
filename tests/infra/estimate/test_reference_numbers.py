"""Twelve figures that others published, through the functions that make ours: to the digits given."""

from __future__ import annotations

import pytest

from infra.estimate import sci
from infra.estimate.demand import MONTH
from infra.estimate.interval import Interval
from infra.estimate.profiles import cloud
from infra.estimate.served import Calls, Served
from infra.estimate.tariff import Price
from infra.estimate.use import Per
from infra.scaling import Balanced, Latency

exact = Interval.exact
DIGITS = 1e-14
AWS = cloud("aws")


def price(name: str) -> Price:
    return AWS.tariff.prices[name]


def digits(interval: Interval, figure: float) -> bool:
    assert interval.low == interval.central == interval.high
    return interval.central == pytest.approx(figure, rel=DIGITS, abs=0)


def test_1_a_processor_at_one_per_cent_is_that_of_cloud_carbon_footprint() -> None:
    watts = sci.watts_at(exact(0.71), exact(3.46), exact(0.01))
    kwh = sci.in_the_data_centre(sci.processor_kwh(watts, 1), exact(1.135)) * 2
    assert digits(kwh, 0.0016741249999999998)
    assert digits(sci.operational_grams(kwh, exact(415.755)), 0.6960258393749999)


def test_2_memory_is_that_of_cloud_carbon_footprint() -> None:
    kwh = sci.in_the_data_centre(sci.memory_kwh(exact(0.000392), 80), exact(1.135))
    assert digits(kwh, 0.035593599999999996)
    assert digits(sci.operational_grams(kwh, exact(415.755)), 14.798217168)


def test_3_embodied_emissions_are_those_of_cloud_carbon_footprint() -> None:
    assert digits(sci.embodied_grams(exact(1795.7), exact(35_040), 24, 1 / 96), 12.811786529680366)


def test_4_an_hour_of_a_machine_is_that_of_the_specification() -> None:
    assert digits(sci.embodied_grams(exact(1000), exact(4 * 365 * 24), 1, 1), 28.538812785388128)


def test_5_a_score_is_that_of_the_impact_framework() -> None:
    assert digits(sci.score(exact(5), exact(0.02), 100), 0.050199999999999995)


def test_6_storage_is_that_of_cloud_carbon_footprint() -> None:
    kwh = sci.in_the_data_centre(sci.storage_kwh(exact(1.2), exact(1), 1), exact(1.135))
    assert digits(kwh, 0.001362)
    assert digits(sci.operational_grams(kwh, exact(415.755)), 0.56625831)


def test_7_the_overhead_of_a_data_centre_is_that_of_cloud_carbon_footprints_lambda() -> None:
    assert digits(sci.in_the_data_centre(exact(0.10 / 1000), exact(1.135)), 0.00011350000000000001)


def test_8_a_share_of_a_processor_is_that_of_the_impact_frameworks_pipeline() -> None:
    kwh = sci.processor_kwh(exact(100 * 0.37375), 7 / 3600 / 8)
    assert digits(kwh, 9.084201388888889e-6)
    assert digits(sci.operational_grams(kwh, exact(800)), 0.007267361111111111)


def month(served: Served, calls: Calls, share: float = 1) -> dict[str, float]:
    """Return USD by price, of a part of a month."""
    costs: dict[str, float] = {}
    for part, uses in ((share, AWS.charges.standing(served)), (1, AWS.charges.work(served, [calls]))):
        for use in uses:
            costs[use.price] = costs.get(use.price, 0) + price(use.price).of(use.quantity * part, "us-east-1")
    return {name: usd for name, usd in costs.items() if usd}


def test_9_provisioned_copies_cost_what_awss_own_example_says() -> None:
    served = Served(memory_mb=4096, profile=Latency(minimum=7))
    # 2,000,000 calls of 280 ms in a day, of seven copies: they are never all at work.
    calls = Calls(per=Per.PREDICTION, number=2e6, seconds=0.28, rate=2e6 / 86_400)
    costs = month(served, calls, 86_400 / MONTH)
    assert costs["lambda.provisioned.x86_64"] == pytest.approx(10.08008, abs=5e-6)
    assert costs["lambda.provisioned_at_work.x86_64"] == pytest.approx(21.77773, abs=5e-6)
    assert costs["lambda.request"] == pytest.approx(0.40)
    assert round(sum(costs.values()), 2) == 32.26


def test_10_snapshots_cost_what_awss_own_example_says() -> None:
    served = Served(memory_mb=1024, profile=Balanced())
    calls = Calls(per=Per.PREDICTION, number=7.44e6, seconds=2 * 1024 / 1769, starts_a_call=0.01, start_seconds=0)
    costs = month(served, calls, 31 / 30)
    assert {name: round(usd, 2) for name, usd in costs.items()} == {
        "lambda.request": 1.49,
        "lambda.duration.x86_64": 248.00,
        "lambda.snapshot": 4.03,
        "lambda.restored": 10.40,
    }
    assert round(sum(costs.values()), 2) == 263.92


def test_11_tiers_cost_what_infracost_says() -> None:
    *_, (quantity, unit) = price("lambda.duration.x86_64").parts(15e9 + 46.44e9, "us-east-1")
    assert round(quantity * unit, 2) == 619_203.10
    _, (quantity, unit), *_ = price("lambda.duration.arm64").parts(100e9, "us-east-1")
    # Half a cent: infracost rounds it up, where binary fractions lie below it.
    assert (quantity, quantity * unit) == (11.25e9, pytest.approx(135_001.13, abs=0.0051))


def test_12_transitions_cost_what_infracost_says() -> None:
    assert price("workflow.transition").of(10_000, "us-east-1") == pytest.approx(0.25)
