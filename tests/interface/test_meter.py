import pytest

from interface.meter import Meter

METER = Meter(
    usd=0.0000166667,
    usd_per_call=0.0000002,
    gb=1.0,
    kwh=5.1e-7,
    grams_operational=2.0e-4,
    grams_embodied=6.4e-5,
    billed_ms=1,
    region="us-east-1",
    tariff="2026-11-24",
)


def test_a_meter_is_the_same_after_it_travelled() -> None:
    assert Meter.from_json(METER.to_json()) == METER


def test_a_meter_with_other_members_is_refused() -> None:
    with pytest.raises(TypeError):
        Meter.from_json('{"usd": 1}')


@pytest.mark.parametrize(
    ("billed_ms", "ms", "seconds"),
    [(1, 4.2, 0.005), (1, 5.0, 0.005), (1, 0.0, 0.0), (100, 0.4, 0.1), (100, 100.0, 0.1), (100, 100.1, 0.2)],
    ids=str,
)
def test_a_duration_is_rounded_up_to_what_a_cloud_bills(billed_ms: int, ms: float, seconds: float) -> None:
    assert METER._replace(billed_ms=billed_ms).billed_seconds(ms) == pytest.approx(seconds)
