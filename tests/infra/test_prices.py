from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra import clouds
from infra.aws.scaling import TARGET
from infra.gcp import scaling as gcp
from infra.prices import MONTH, SHARES, TARIFFS, WHOLE, CloudRun, Lambda, Load, Tariff, break_even, table
from infra.scaling import Balanced, Eco, Latency, Profile
from infra.tier import Tier
from tests.root import ROOT

PAGE = ROOT / "docs" / "scaling.md"
LOAD = Load(seconds=0.05, memory_mb=1024)
loads = st.builds(
    Load, rate=st.floats(0, 500), seconds=st.floats(0.001, 2), memory_mb=st.sampled_from([128, 512, 1024, 1769, 4096])
)
profiles = st.sampled_from([Eco(), Balanced(), Latency(), Latency(minimum=5)])
tariffs = st.sampled_from(list(TARIFFS.values()))


def at(rate: float, load: Load = LOAD) -> Load:
    return replace(load, rate=rate)


@pytest.mark.parametrize("cloud", clouds.of(Tier.DEPLOYABLE))
def test_the_page_says_what_is_computed(cloud: str) -> None:
    match = re.search(rf"<!-- {cloud} -->\n(.*?)\n<!-- end -->", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert match is not None
    assert match[1].splitlines() == list(table(TARIFFS[cloud])), "python -m infra.prices writes the table"


def test_every_deployable_cloud_has_prices_with_date_and_source() -> None:
    assert set(TARIFFS) == set(clouds.of(Tier.DEPLOYABLE))
    for tariff in TARIFFS.values():
        assert date.fromisoformat(tariff.read_on)
        assert all(source.startswith("https://") for source in tariff.sources)


def test_a_provisioned_copy_of_a_gigabyte_costs_what_the_price_list_says() -> None:
    assert Lambda().monthly(Latency(), LOAD) == pytest.approx(0.0000041667 * MONTH)
    assert Lambda().monthly(Balanced(), LOAD) == pytest.approx(0.0000015046 * MONTH)


def test_a_waiting_instance_costs_its_processor_and_its_memory() -> None:
    assert CloudRun().monthly(Latency(minimum=2), LOAD) == pytest.approx(2 * 2 * 0.0000025 * MONTH)
    assert CloudRun().monthly(Balanced(), LOAD) == 0


def test_a_short_request_alone_pays_for_the_whole_tenth_of_a_second() -> None:
    short, long = (Load(rate=1, seconds=seconds, memory_mb=2048) for seconds in (0.001, 0.1))
    assert CloudRun().monthly(Eco(), short) == CloudRun().monthly(Eco(), long)
    assert Lambda().monthly(Eco(), short) < Lambda().monthly(Eco(), long)


def test_less_than_a_processor_takes_longer() -> None:
    half = Load(rate=1, seconds=1, memory_mb=1024)
    assert Lambda().monthly(Eco(), half) == pytest.approx(1769 / 1024 * 0.0000166667 * MONTH)


def worth_its_price(tariff: Lambda) -> float:
    """Return the share of the time that a provisioned copy must work to cost less than others."""
    return tariff.provisioned / (tariff.on_demand - tariff.provisioned_at_work)


def test_break_evens_are_those_computed_on_paper() -> None:
    busy = 0.0000041667 / (0.0000166667 - 0.0000097222)
    assert worth_its_price(Lambda()) == pytest.approx(busy)
    assert break_even(Lambda(), Latency(), LOAD) == pytest.approx(busy / (0.05 * 1769 / 1024))
    whole, share = 0.000024 + 0.0000025, 0.583 * 0.000024 + 0.0000025
    assert break_even(CloudRun(), Balanced(), LOAD) == pytest.approx(whole / (0.1 * share))
    assert break_even(Lambda(), Balanced(), LOAD) is None


def test_what_is_kept_ready_is_kept_at_work_for_longer_than_it_must_be() -> None:
    assert worth_its_price(Lambda()) < TARGET


def test_processors_are_those_that_instances_get() -> None:
    assert {memory: count for count, memory in gcp.MEMORY_MB.items()} == dict(WHOLE)
    assert list(SHARES) == sorted(SHARES)


@given(tariff=tariffs, profile=profiles, load=loads, more=st.floats(1, 10))
def test_more_requests_never_cost_less(tariff: Tariff, profile: Profile, load: Load, more: float) -> None:
    assert tariff.monthly(profile, at(load.rate * more, load)) >= tariff.monthly(profile, load) * (1 - 1e-9)


@given(tariff=tariffs, profile=profiles, load=loads)
def test_a_break_even_is_where_the_cheaper_one_changes(tariff: Tariff, profile: Profile, load: Load) -> None:
    rate = break_even(tariff, profile, load)
    if rate:
        before, after = at(rate * 0.999, load), at(rate * 1.001, load)
        assert tariff.monthly(profile, before) > tariff.monthly(Eco(), before)
        assert tariff.monthly(profile, after) <= tariff.monthly(Eco(), after) * (1 + 1e-3)
    elif rate is None:
        assert tariff.monthly(profile, load) >= tariff.monthly(Eco(), load)
    else:
        assert tariff.monthly(profile, at(1e-3, load)) <= tariff.monthly(Eco(), at(1e-3, load)) * (1 + 1e-9)
