"""Percentiles, the Pareto set, and which size is best for what."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from sml.tune.choice import advice, best, pareto
from sml.tune.measured import Measured, percentile
from tests.sml.tune.samples import measured, size


def sizes(found: list[Measured]) -> list[int]:
    return [one.size.memory_mb for one in found]


@pytest.mark.parametrize(("share", "value"), [(50, 5), (95, 10), (90, 9), (100, 10), (1, 1)])
def test_a_percentile_is_one_of_the_values_by_the_nearest_rank(share: float, value: float) -> None:
    assert percentile(list(range(1, 11)), share) == value


def test_there_is_no_percentile_of_nothing() -> None:
    with pytest.raises(ValueError, match="nothing to rank"):
        percentile([], 50)


def test_a_thousand_requests_cost_their_billed_seconds_and_their_calls() -> None:
    found = measured(1024, 10.0, 20.4)
    assert found.seconds == pytest.approx(0.0155)
    assert found.usd == pytest.approx(1000 * (0.0155 * 1.0 + 0.001))
    assert found.grams == pytest.approx(1000 * 0.0155 * 2.0)


def test_a_size_that_another_beats_in_everything_is_not_in_the_pareto_set() -> None:
    # As slow as 512 and twice the price.
    found = [measured(512, 40), measured(1024, 40), measured(2048, 19)]
    assert sizes(pareto(found)) == [512, 2048]


def test_what_did_not_fit_is_never_in_the_pareto_set() -> None:
    found = [Measured(size=size(128), problem="out of memory"), measured(512, 40)]
    assert sizes(pareto(found)) == [512]


@given(some.lists(some.tuples(some.integers(1, 80), some.floats(1, 500)), min_size=1, max_size=12))
def test_of_a_pareto_set_no_member_beats_another_and_each_other_size_is_beaten(given_: list[tuple[int, float]]) -> None:
    found = [measured(memory * 128, ms) for memory, ms in given_]
    good = pareto(found)

    def beats(one: Measured, other: Measured) -> bool:
        mine, theirs = ((each.p95, each.usd or 0.0, each.grams or 0.0) for each in (one, other))
        return mine != theirs and all(a <= b for a, b in zip(mine, theirs, strict=True))

    assert good
    assert not any(beats(one, other) for one in good for other in good)
    assert all(any(beats(each, one) for each in good) for one in found if not any(one is each for each in good))


@pytest.mark.parametrize(("purpose", "memory_mb"), [("cost", 256), ("latency", 1769), ("balanced", 1024)])
def test_what_is_best_depends_on_what_for(purpose: str, memory_mb: int) -> None:
    found = [measured(256, 40), measured(1024, 12), measured(1769, 10), measured(3008, 9.9)]
    chosen = best(found, purpose)
    assert chosen is not None
    assert chosen.size.memory_mb == memory_mb


def test_a_size_without_memory_to_spare_is_best_only_where_there_is_no_other() -> None:
    full = measured(256, 10)
    tight = Measured(size=full.size, warm=[*full.warm], batch=[type(full.warm[0])(status=200, ms=9, memory_mb=250)])
    assert tight.tight
    chosen = best([tight, measured(1024, 8)], "cost")
    assert chosen is not None
    assert chosen.size.memory_mb == 1024
    assert best([tight], "cost") is tight


def test_a_size_too_small_for_a_batch_is_best_only_where_there_is_no_other() -> None:
    small = measured(256, 10, batch_problem="out of memory")
    chosen = best([small, measured(1024, 8)], "cost")
    assert chosen is not None
    assert chosen.size.memory_mb == 1024


def test_the_advice_compares_with_what_is_deployed() -> None:
    found = [measured(1024, 10), measured(1769, 9, deployed=True)]
    assert advice(found, "cost") == "1,024 MB instead of 1,769: 34 % cheaper, 36 % less CO2e, p95 9 -> 10 ms"
    assert advice(found, "latency") == "1,769 MB, as it is deployed, is best for latency"


def test_the_advice_does_without_a_deployed_size_that_did_not_fit() -> None:
    found = [Measured(size=size(128), problem="out of memory", deployed=True), measured(512, 10)]
    assert advice(found) == "512 MB is best for balanced: p95 10 ms, 6 USD for 1,000"
    assert advice(found[:1]) == "no size fits: all were too small, or refused"


def test_where_there_is_no_price_seconds_stand_for_it() -> None:
    unpriced = [Measured(size=size(mb, priced=False), warm=measured(mb, ms).warm) for mb, ms in ((512, 40), (1024, 10))]
    assert [one.usd for one in unpriced] == [None, None]
    chosen = best(unpriced)
    assert chosen is not None
    assert chosen.size.memory_mb == 1024
