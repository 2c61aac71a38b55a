from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra import clouds
from infra.aws.function_charges import traces
from infra.aws.scaling import TARGET
from infra.estimate.demand import MONTH
from infra.estimate.profiles import RATES, Cloud, Load, break_even, cloud, lines
from infra.estimate.served import Calls
from infra.estimate.use import Per
from infra.scaling import Balanced, Eco, Latency, Profile
from infra.tier import Tier
from tests.root import ROOT

PAGE = ROOT / "docs" / "scaling.md"
AWS, GCP = cloud("aws"), cloud("gcp")
LOAD = Load(seconds=0.05, memory_mb=1024)
loads = st.builds(
    Load, rate=st.floats(0, 500), seconds=st.floats(0.001, 2), memory_mb=st.sampled_from([128, 512, 1024, 1769, 4096])
)
profiles = st.sampled_from([Eco(), Balanced(), Latency(), Latency(minimum=5)])
prices = st.sampled_from([AWS, GCP])


def at(rate: float, load: Load = LOAD) -> Load:
    return replace(load, rate=rate)


@pytest.mark.parametrize("name", clouds.of(Tier.DEPLOYABLE))
def test_the_page_says_what_is_computed(name: str) -> None:
    match = re.search(rf"<!-- {name} -->\n(.*?)\n<!-- end -->", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert match is not None
    assert match[1].splitlines() == list(lines(cloud(name))), "python -m infra.estimate.profiles writes the table"


def test_a_cloud_without_a_tariff_has_no_profiles_to_compare(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.estimate.profiles.tariff", lambda _: None)
    with pytest.raises(LookupError, match=r"tariffs/aws\.toml"):
        cloud("aws")


def test_a_provisioned_copy_of_a_gigabyte_costs_what_the_price_list_says() -> None:
    assert AWS.monthly(Latency(), LOAD) == pytest.approx(0.0000041667 * MONTH)
    assert AWS.monthly(Balanced(), LOAD) == pytest.approx(0.0000015046 * MONTH)


def test_xray_is_billed_for_one_trace_a_second_and_one_of_twenty_others() -> None:
    def kept(per: Per, rate: float) -> list[float]:
        return [use.quantity for use in traces([Calls(per=per, number=2, seconds=0.1, rate=rate)])]

    assert kept(Per.PREDICTION, 101) == [pytest.approx(2 * 6 / 101)]
    assert [kept(Per.PREDICTION, 0.1), kept(Per.JOB, 0), kept(Per.RUN, 0)] == [[2], [2], []]


def test_each_published_version_has_a_snapshot_that_is_billed() -> None:
    three = replace(LOAD, published_versions=3)
    assert AWS.monthly(Balanced(), three) == pytest.approx(3 * AWS.monthly(Balanced(), LOAD))
    assert GCP.monthly(Balanced(), three) == 0


def test_a_waiting_instance_costs_its_processor_and_its_memory() -> None:
    assert GCP.monthly(Latency(minimum=2), LOAD) == pytest.approx(2 * 2 * 0.0000025 * MONTH)
    assert GCP.monthly(Balanced(), LOAD) == 0


def test_an_instance_that_is_kept_is_not_billed_for_waiting_while_it_works() -> None:
    busy = Load(rate=40, seconds=0.05, memory_mb=4096, starts_an_hour=0)
    assert GCP.monthly(Latency(minimum=2), busy) == pytest.approx(2 * (0.000024 + 4 * 0.0000025) * MONTH)


def test_a_short_request_alone_pays_for_the_whole_tenth_of_a_second() -> None:
    short, long = (Load(rate=1, seconds=seconds, memory_mb=2048) for seconds in (0.001, 0.1))
    assert GCP.monthly(Eco(), short) == GCP.monthly(Eco(), long)
    assert AWS.monthly(Eco(), short) < AWS.monthly(Eco(), long)


def test_less_than_a_processor_takes_longer() -> None:
    half = Load(rate=1, seconds=1, memory_mb=1024, starts_an_hour=0)
    assert AWS.monthly(Eco(), half) == pytest.approx(1769 / 1024 * 0.0000166667 * MONTH)


@pytest.mark.parametrize("priced", [AWS, GCP], ids=["aws", "gcp"])
def test_a_cold_start_is_billed_as_the_work_that_it_is(priced: Cloud) -> None:
    never, often = (Load(rate=1, seconds=0.1, memory_mb=2048, starts_an_hour=starts) for starts in (0, 3600))
    work, started = priced.monthly(Eco(), never), priced.monthly(Eco(), often)
    assert started == pytest.approx(6 * work), "half a second more for each tenth"
    assert priced.monthly(Latency(), never) == priced.monthly(Latency(), often)


def test_the_largest_instance_has_eight_processors() -> None:
    largest = Load(rate=1, seconds=0.1, memory_mb=32_768, starts_an_hour=0)
    assert GCP.monthly(Eco(), largest) == pytest.approx(0.1 * (8 * 0.000024 + 32 * 0.0000025) * MONTH)


def worth_its_price() -> float:
    """Return the share of the time that a provisioned copy must work to cost less than others."""
    return 0.0000041667 / (0.0000166667 - 0.0000097222)


def test_break_evens_are_those_computed_on_paper() -> None:
    load = replace(LOAD, starts_an_hour=0)
    assert break_even(AWS, Latency(), load) == pytest.approx(worth_its_price() / (0.05 * 1769 / 1024))
    whole, share = 0.000024 + 0.0000025, 0.583 * 0.000024 + 0.0000025
    assert break_even(GCP, Balanced(), load) == pytest.approx(whole / (0.1 * share))
    assert break_even(AWS, Balanced(), load) is None


def test_what_is_kept_ready_is_kept_at_work_for_longer_than_it_must_be() -> None:
    assert worth_its_price() < TARGET


@given(priced=prices, profile=profiles, load=loads, more=st.floats(1, 10))
def test_more_requests_never_cost_less(priced: Cloud, profile: Profile, load: Load, more: float) -> None:
    assert priced.monthly(profile, at(load.rate * more, load)) >= priced.monthly(profile, load) * (1 - 1e-9)


@given(priced=prices, profile=profiles, load=loads, more=st.floats(1, 100))
def test_from_a_break_even_on_a_profile_costs_no_more(priced: Cloud, profile: Profile, load: Load, more: float) -> None:
    rate = break_even(priced, profile, load)
    if rate is None:
        highest = at(RATES[1], load)
        assert priced.monthly(profile, highest) > priced.monthly(Eco(), highest)
        return
    after = at(min(max(rate, RATES[0]) * 1.001 * more, RATES[1]), load)
    assert priced.monthly(profile, after) <= priced.monthly(Eco(), after) * (1 + 1e-3)
    if rate:
        before = at(rate * 0.999, load)
        assert priced.monthly(profile, before) > priced.monthly(Eco(), before)
