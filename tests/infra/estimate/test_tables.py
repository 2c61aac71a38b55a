from __future__ import annotations

import warnings
from datetime import UTC, date, datetime, timedelta

import pytest

from infra import clouds
from infra.aws.regions import REGIONS
from infra.estimate.demand import pue
from infra.estimate.grid import grid
from infra.estimate.tables import table
from infra.estimate.tariff import OLD, Tariff, tariff
from infra.gcp.regions import API_GATEWAY
from infra.tier import Tier

CLOUDS = clouds.of(Tier.DEPLOYABLE)
every_cloud = pytest.mark.parametrize("cloud", CLOUDS)
GUIDE = {
    "aws": (
        "us-east-1",
        "us-west-2",
        "eu-west-1",
        "eu-central-1",
        "eu-west-3",
        "eu-north-1",
        "eu-west-2",
        "ap-south-1",
        "ap-northeast-1",
        "ap-southeast-1",
        "sa-east-1",
        "ca-central-1",
    ),
    "gcp": (
        "us-east4",
        "us-west1",
        "us-central1",
        "europe-west3",
        "europe-west9",
        "europe-west1",
        "europe-north1",
        "europe-west2",
        "asia-south1",
        "asia-northeast1",
        "asia-southeast1",
        "southamerica-east1",
    ),
}


def prices_of(cloud: str) -> Tariff:
    found = tariff(cloud)
    assert found is not None
    return found


@every_cloud
def test_every_price_has_a_source_a_date_and_a_unit(cloud: str) -> None:
    prices = prices_of(cloud)
    for price in prices.prices.values():
        assert price.source.startswith("https://"), price.name
        assert date.fromisoformat(price.read_on), price.name
        assert price.usd > 0, price.name
        assert set(price.regions) <= set(prices.regions), price.name
        assert all(low < high for (low, _), (high, _) in zip(price.tiers, price.tiers[1:], strict=False))
    for free in prices.free:
        assert set(free.prices) <= set(prices.prices), free.name


@every_cloud
def test_which_prices_are_older_than_half_a_year_is_told_by_name(cloud: str) -> None:
    prices = prices_of(cloud)
    read = date.fromisoformat(prices.read_on)
    assert prices.old(read + OLD) == []
    assert set(prices.old(read + OLD + timedelta(days=1))) <= set(prices.prices)
    assert prices.old(read + OLD + timedelta(days=1))
    today = datetime.now(UTC).date()
    if names := prices.old(today):
        warnings.warn(f"read these prices of {cloud} again: {', '.join(names)}", stacklevel=1)


@every_cloud
def test_every_grid_has_two_readings_or_more_each_of_a_known_publication_and_year(cloud: str) -> None:
    sources = table("grid")["source"]
    for region in table("grid")[cloud]:
        found = grid(cloud, region)
        assert found is not None
        assert len({(each.source, each.year) for each in found.readings}) >= 2, region
        assert all(sources[each.source]["url"].startswith("https://") for each in found.readings), region
        assert all(2020 <= each.year <= 2026 for each in found.readings), region
        interval = found.grams_per_kwh
        assert 0 < interval.low <= interval.central <= interval.high


@every_cloud
def test_the_regions_of_the_largest_grids_are_there_with_price_and_grid(cloud: str) -> None:
    assert set(GUIDE[cloud]) <= {*table("grid")[cloud]} & {*prices_of(cloud).regions}


def test_every_region_with_an_api_has_a_price() -> None:
    assert set(API_GATEWAY) <= set(prices_of("gcp").regions)
    # Nobody has published these yet.
    missing = {"ap-east-2", "ap-southeast-5", "ap-southeast-6", "ap-southeast-7", "mx-central-1"}
    assert set(REGIONS) - set(prices_of("aws").regions) == missing


@pytest.mark.parametrize(
    ("cloud", "region", "name", "usd"),
    [
        ("aws", "eu-west-1", "lambda.duration.x86_64", 0.0000166667),
        ("aws", "af-south-1", "lambda.duration.x86_64", 0.0000221),
        ("aws", "af-south-1", "lambda.duration.arm64", 0.0000133334 * 0.0000221 / 0.0000166667),
        ("aws", "ap-northeast-2", "lambda.snapshot", 0.0000018383),
        ("aws", "sa-east-1", "workflow.transition", 0.0000375),
        ("gcp", "europe-west1", "run.processor", 0.000024),
        ("gcp", "europe-west2", "run.processor", 0.0000336),
        ("gcp", "us-west2", "run.memory", 0.0000035),
    ],
)
def test_a_region_has_its_own_price(cloud: str, region: str, name: str, usd: float) -> None:
    assert prices_of(cloud).prices[name].unit_usd(region) == pytest.approx(usd)


@pytest.mark.parametrize(
    ("cloud", "region", "central", "low", "high"),
    [
        ("aws", "us-east-1", 396.25, 245, 415.755),
        ("aws", "eu-north-1", 24.71, 2.73, 40.7),
        ("gcp", "europe-west1", 103.37, 103.37, 196),
    ],
)
def test_a_grid_lies_between_its_lowest_and_its_highest_reading(
    cloud: str, region: str, central: float, low: float, high: float
) -> None:
    found = grid(cloud, region)
    assert found is not None
    interval = found.grams_per_kwh
    assert (interval.low, interval.central, interval.high) == (low, central, high)


def test_a_data_centres_overhead_is_the_regions_and_bounded_by_the_fleets() -> None:
    assert (pue("aws", "eu-west-1").central, pue("aws", "eu-west-1").high) == (1.11, 1.14)
    assert pue("aws", "eu-west-2").central == 1.14


def test_low_is_no_more_than_central_and_central_no_more_than_high() -> None:
    for section in ("processor", "utilization", "memory", "storage", "network"):
        for bounds in _bounds(table("hardware")[section]):
            assert bounds["low"] <= bounds["central"] <= bounds["high"]


def _bounds(value: object) -> list[dict[str, float]]:
    if not isinstance(value, dict):
        return []
    return [value] if "central" in value else [found for inner in value.values() for found in _bounds(inner)]
