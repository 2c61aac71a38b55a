from __future__ import annotations

import pytest

from infra import clouds
from infra.estimate.meter import meter
from infra.estimate.tariff import tariff
from infra.scaling import Balanced, Eco, Latency
from infra.tier import Tier

every_cloud = pytest.mark.parametrize("cloud", clouds.of(Tier.DEPLOYABLE))


@every_cloud
def test_every_deployable_cloud_meters_a_function_in_each_of_its_regions(cloud: str) -> None:
    prices = tariff(cloud)
    assert prices is not None
    for region in prices.regions:
        found = meter(cloud, region, "x86_64", 1024)
        assert found is not None
        assert min(found.usd, found.usd_per_call, found.kwh, found.grams_embodied) > 0


@every_cloud
def test_a_region_without_a_price_has_no_meter(cloud: str) -> None:
    assert meter(cloud, "mars-1", "x86_64", 1024) is None


def test_a_region_whose_grid_nobody_has_read_is_metered_without_operational_grams() -> None:
    found = meter("aws", "me-south-1", "x86_64", 1024)
    assert found is not None
    assert (found.kwh > 0, found.grams_operational) == (True, 0.0)


def test_a_gigabyte_on_lambda_costs_and_emits_what_is_computed_on_paper() -> None:
    found = meter("aws", "us-east-1", "x86_64", 1024)
    assert found is not None
    processor = 1024 / 1769
    watts = processor * (0.73725 + 0.5 * (3.4845 - 0.73725)) + 0.392
    assert found.usd == pytest.approx(0.0000166667)
    assert found.kwh == pytest.approx(watts * 1.15 / 3.6e6)
    assert found.grams_operational == pytest.approx(found.kwh * 396.25)
    assert found.grams_embodied == pytest.approx(processor / 96 * 1_344_290 / 35_040 / 3600)
    assert (found.gb, found.billed_ms) == (1, 1)


def test_an_instance_of_cloud_run_costs_its_processors_and_its_memory() -> None:
    share, whole = (meter("gcp", "us-central1", "x86_64", 1024, profile) for profile in (Eco(), Balanced()))
    assert share is not None
    assert whole is not None
    assert share.usd == pytest.approx(0.583 * 0.000024 + 0.0000025)
    assert whole.usd == pytest.approx(0.000024 + 0.0000025)
    assert (share.billed_ms, whole.kwh > share.kwh) == (100, True)


def test_arm64_is_cheaper_and_never_told_to_take_less_energy() -> None:
    x86, arm = (meter("aws", "eu-west-1", architecture, 1769) for architecture in ("x86_64", "arm64"))
    assert x86 is not None
    assert arm is not None
    assert arm.usd < x86.usd
    assert (arm.kwh, arm.grams_embodied) == (x86.kwh, x86.grams_embodied)


def test_a_copy_that_is_kept_ready_costs_less_while_it_works() -> None:
    ready, rare = (meter("aws", "eu-west-1", "x86_64", 1024, profile) for profile in (Latency(), Eco()))
    assert ready is not None
    assert rare is not None
    assert ready.usd < rare.usd
