from __future__ import annotations

from typing import Any

import pytest

from functions.core.registry import usage_records
from functions.core.runtime.embedded_metrics import embedded
from functions.core.runtime.usage import Usage
from tests.functions.metered import TENTHS, metering
from tests.functions.serving import MODEL, Bench


def used(bench: Bench) -> dict[str, Usage]:
    """Return what the keys of captures say, by version."""
    found: dict[str, Usage] = {}
    for key in bench.captures.keys(MODEL):
        usage_records.add(found, usage_records.read(key))
    return found


@pytest.fixture
def taking(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a model in whose service each request takes 130 ms, and each write of captures 200 more."""

    def make(**options: Any) -> Bench:
        meter, clock = metering(**options)
        bench = Bench(metering=meter)
        bench.champion()
        asked, put = bench.model_cache.current, bench.captures.put

        def current() -> Any:
            clock.forward(130)
            return asked()

        def slow(key: str, data: bytes) -> None:
            clock.forward(200)
            put(key, data)

        monkeypatch.setattr(bench.model_cache, "current", current)
        monkeypatch.setattr(bench.captures, "put", slow)
        return bench

    return make


def test_a_request_says_what_it_used_its_write_of_captures_included(taking: Any) -> None:
    bench = taking()
    bench.predict()
    [line] = bench.logged("request")
    assert [line[name] for name in ("billed_ms", "gb_seconds", "grams")] == [330.0, 0.66, 1.32]
    assert line["usd"] == pytest.approx(0.0043)


def test_the_first_request_of_a_copy_is_in_the_store_at_once_and_its_write_with_the_next(taking: Any) -> None:
    bench = taking()
    version = bench.live.read().champion
    bench.predict()
    assert used(bench)[version] == pytest.approx(Usage(1, 0.13, 0.26, 0.0023, 0.013, 0.39, 0.13))
    bench.clock.forward(5)
    bench.predict()
    assert used(bench)[version][:2] == pytest.approx((2, 0.13 + 0.2 + 0.13))


def test_requests_within_a_second_are_added_up(taking: Any) -> None:
    bench = taking()
    for _ in range(4):
        bench.predict()
    bench.clock.forward(2)
    bench.predict()
    assert len(bench.captured()) == 5
    assert used(bench)[bench.live.read().champion][:2] == pytest.approx((5, 5 * 0.13 + 0.2))


def test_a_write_within_what_is_paid_adds_nothing(taking: Any) -> None:
    bench = taking(meter=TENTHS._replace(billed_ms=1000))
    bench.predict()
    [line] = bench.logged("request")
    assert line["billed_ms"] == 1000.0


def test_a_request_that_is_refused_is_billed_to_no_version(taking: Any) -> None:
    bench = taking()
    assert bench.send("POST", "/predict", {"instances": [{"size": "big"}]}).status == 400
    assert used(bench)[usage_records.NOBODY].calls == 1
    assert bench.captured() == []


def test_what_probes_a_model_is_written_with_the_next_prediction_or_once_a_minute(taking: Any) -> None:
    bench = taking()
    bench.predict()

    def probed() -> int:
        assert bench.send("GET", f"/v2/models/{MODEL}/ready").status == 200
        return len(list(bench.captures.keys(MODEL)))

    for _ in range(5):
        bench.clock.forward(10)
        assert probed() == 1
    bench.clock.forward(15)
    assert probed() == 2
    bench.clock.forward(2)
    assert probed() == 2
    bench.predict()
    assert len(list(bench.captures.keys(MODEL))) == 3
    assert sum(one.calls for one in used(bench).values()) == 9


def test_a_request_about_no_model_is_in_the_log_alone(taking: Any) -> None:
    bench = taking()
    bench.send("GET", "/v2/health/live")
    assert "billed_ms" in bench.logged("request")[0]
    assert used(bench) == {}


def test_usage_that_cannot_be_written_is_written_later(taking: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = taking()
    put = bench.captures.put

    def away(*_: Any) -> None:
        raise OSError("the store is away")

    monkeypatch.setattr(bench.captures, "put", away)
    bench.predict()
    monkeypatch.setattr(bench.captures, "put", put)
    assert used(bench) == {}
    bench.clock.forward(20)
    bench.predict()
    assert used(bench)[bench.live.read().champion][:2] == pytest.approx((2, 0.26))


def test_metrics_are_told_once_a_second_by_version_and_not_with_every_request(taking: Any) -> None:
    bench = taking(metrics=lambda by: embedded(by, "predict-1"))
    for _ in range(3):
        bench.predict()
    bench.clock.forward(2)
    bench.predict()
    first, second = bench.logged("usage")
    assert (first["version"], first["_aws"]["CloudWatchMetrics"][0]["Namespace"]) == (
        bench.live.read().champion,
        "serverless-ml",
    )
    assert (first["gb_seconds"], second["gb_seconds"]) == (0.26, pytest.approx(2 * (3 * 0.13 + 0.2)))
    assert "_aws" not in bench.logged("request")[0]


def test_without_a_meter_nothing_is_said_of_usage() -> None:
    bench = Bench()
    bench.champion()
    bench.predict()
    assert not {"billed_ms", "gb_seconds", "usd"} & bench.logged("request")[0].keys()
    assert "~" not in next(iter(bench.captures.keys(MODEL)))
