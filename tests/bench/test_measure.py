from __future__ import annotations

import pytest

from bench.measure import Rounds, Sample, Spread, cpu, in_turn


def test_no_variant_is_always_first_and_the_warm_up_does_not_count() -> None:
    calls: list[str] = []

    def variant(name: str) -> Sample:
        calls.append(name)
        return Sample(seconds=float(len(calls)))

    measured = in_turn({name: lambda name=name: variant(name) for name in "abc"}, rounds=3)
    assert "".join(calls) == "abc" + "abc" + "bca" + "cab"
    assert [sample.seconds for sample in measured.samples["a"]] == [4.0, 9.0, 11.0]


def test_a_ratio_is_taken_round_by_round() -> None:
    fast, slow = (
        (Sample(seconds=1, cpu_seconds=3), Sample(seconds=2)),
        (Sample(seconds=2, cpu_seconds=1), Sample(seconds=8)),
    )
    measured = Rounds(samples={"fast": (*fast, fast[0]), "slow": (*slow, slow[0])})
    assert measured.ratios("fast", "slow") == Spread(median=0.5, low=0.25, high=0.5, n=3)
    assert measured.differences("slow", "fast") == Spread(median=1, low=1, high=6, n=3)
    single = Rounds(samples={"fast": fast[:1], "slow": slow[:1]})
    assert single.ratios("fast", "slow", cpu).median == 3
    with pytest.raises(KeyError):
        single.ratios("fast", "absent")


def test_a_spread_keeps_its_shape_in_another_unit() -> None:
    assert Spread.of([3.0, 1.0, 2.0]).times(1000) == Spread(median=2000, low=1000, high=3000, n=3)
