from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from functions.core.registry.captures import folder
from functions.core.release import rollout_metrics
from functions.core.release.outcomes import Outcomes
from functions.core.release.rollout_metrics import RolloutMetrics, look, observe
from functions.core.storage.objects import Objects
from models.section import RolloutThresholds

START = 1_790_000_000.0 - 1_790_000_000.0 % 3600 + 3000  # ten minutes before the hour is full
COMPARED = {"variant": "challenger", "version": "v2", "rows": 1, "ms": 4.0, "agreed": 1, "champion": {"ms": 2.0}}


def key_of(name: str, at: float) -> str:
    return f"{folder('tumour', at)}/{datetime.fromtimestamp(at, UTC):%M%S}-{name}.jsonl"


def write(objects: Objects, name: str, *records: dict[str, Any], at: float = START + 1) -> None:
    lines = [json.dumps({"time": at, **record}) for record in records]
    objects.put(key_of(name, at), "\n".join(lines).encode())


@pytest.fixture
def objects() -> Objects:
    return Objects.in_memory()


def seen(objects: Objects, now: float = START + 3600) -> RolloutMetrics:
    return observe(objects, "tumour", "v2", START, now)


def test_without_captures_there_is_no_evidence(objects: Objects) -> None:
    assert seen(objects) == RolloutMetrics(requests=0, errors=0, agreement=None, challenger_ms=None, champion_ms=None)


def test_medians_errors_and_agreement_are_of_the_challengers_requests(objects: Objects) -> None:
    write(objects, "a", COMPARED, {**COMPARED, "ms": 6.0, "agreed": 0})
    write(objects, "b", {**COMPARED, "ms": 5.0, "champion": {"ms": 3.0}}, {**COMPARED, "error": "failed", "ms": 99.0})
    write(objects, "c", {**COMPARED, "ms": 5.0, "rows": 4, "agreed": 2, "champion": {"ms": 1.0}})
    found = seen(objects)
    assert (found.requests, found.errors, found.error_rate) == (5, 1, 0.2)
    assert (found.challenger_ms, found.champion_ms, found.latency_ratio) == (5.0, 2.0, 2.5)
    assert found.agreement == pytest.approx((1 + 0 + 1 + 0.5) / 4)
    assert found.document()["latency_ratio"] == 2.5


@pytest.mark.parametrize("other", [{"variant": "champion"}, {"variant": "pinned"}, {"version": "v1"}])
def test_other_versions_and_variants_are_no_evidence(other: dict[str, str], objects: Objects) -> None:
    write(objects, "a", COMPARED, {**COMPARED, **other, "error": "failed"})
    assert (seen(objects).requests, seen(objects).errors) == (1, 0)


def test_only_the_time_of_the_step_counts(objects: Objects) -> None:
    for name, at in (("before", START - 1), ("first", START), ("last", START + 700), ("after", START + 701)):
        write(objects, name, COMPARED, at=at)
    assert seen(objects, now=START + 700).requests == 2
    assert seen(objects, now=START + 701).requests == 3


def test_every_hour_of_a_long_step_is_read(objects: Objects) -> None:
    for hours in range(30):
        write(objects, "a", COMPARED, at=START + hours * 3600)
    assert seen(objects, now=START + 29 * 3600).requests == 30


def test_a_request_that_could_not_be_compared_counts_but_is_not_measured(objects: Objects) -> None:
    write(objects, "a", {"variant": "challenger", "version": "v2", "rows": 1, "ms": 4.0})
    assert seen(objects) == RolloutMetrics(requests=1, errors=0, agreement=None, challenger_ms=None, champion_ms=None)


def test_a_line_that_was_cut_off_is_passed_over(objects: Objects) -> None:
    whole = json.dumps({"time": START + 1, **COMPARED})
    objects.put(key_of("a", START), f"{whole}\n{whole[:30]}\n[]\n\n{whole}".encode())
    assert seen(objects).requests == 2


def test_of_very_many_objects_an_even_share_is_read_and_said(objects: Objects, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rollout_metrics, "MOST_OBJECTS", 10)
    for number in range(40):
        write(objects, f"{number:02}", COMPARED)
    assert (seen(objects).requests, seen(objects).share_read) == (10, 0.25)


def looked(objects: Objects, counted: Outcomes, since: float, now: float) -> tuple[RolloutMetrics, Outcomes]:
    return look(objects, "tumour", "v2", since, now, counted, RolloutThresholds())


def test_a_look_measures_the_step_and_counts_the_release(objects: Objects) -> None:
    for at in (START + 1, START + 50, START + 70, START + 90):
        write(objects, "a", COMPARED, {**COMPARED, "error": "failed"}, at=at)
    metrics, counted = looked(objects, Outcomes(since=START, until=START), START, START + 60.5)
    assert (metrics.requests, counted.asked, counted.errors, counted.until) == (4, 4, 2, START + 60)
    metrics, counted = looked(objects, counted, START + 60.5, START + 100)
    assert (metrics.requests, counted.asked, counted.errors, counted.until) == (4, 8, 4, START + 100)


def test_what_was_asked_in_one_step_and_written_in_the_next_is_counted_of_the_release_alone(objects: Objects) -> None:
    line = json.dumps({"time": START + 50, **COMPARED})
    early = json.dumps({"time": START - 50, **COMPARED})
    objects.put(key_of("late", START + 70), f"{line}\n{early}".encode())
    counted = Outcomes(since=START, until=START + 60)
    metrics, counted = looked(objects, counted, START + 60, START + 100)
    assert (metrics.requests, counted.asked) == (0, 1)


def test_the_second_that_is_being_written_is_left_to_the_next_look(objects: Objects) -> None:
    write(objects, "a", COMPARED, at=START + 10)
    metrics, counted = looked(objects, Outcomes(since=START, until=START), START, START + 10.9)
    assert (metrics.requests, counted.asked) == (0, 0)
    metrics, counted = looked(objects, counted, START, START + 11)
    assert (metrics.requests, counted.asked) == (1, 1)


def test_what_was_written_before_the_step_and_after_the_last_look_is_counted(objects: Objects) -> None:
    """As where a caller's minute was not over when the step before was judged."""
    write(objects, "a", COMPARED, at=START + 50)
    metrics, counted = looked(objects, Outcomes(since=START, until=START + 40), START + 60, START + 100)
    assert (metrics.requests, counted.asked) == (0, 1)


def test_what_was_written_before_the_step_does_not_thin_it(objects: Objects, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rollout_metrics, "MOST_OBJECTS", 10)
    for second in range(-40, 5):
        write(objects, "a", COMPARED, at=START + second)
    assert (seen(objects).requests, seen(objects).share_read) == (5, 1.0)


def test_a_thinned_look_counts_no_request_twice_and_never_takes_one_back(
    objects: Objects, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rollout_metrics, "MOST_OBJECTS", 10)
    counted, seen_before = Outcomes(since=START, until=START), 0
    for bake in range(1, 5):
        for second in range(20):
            write(objects, "a", COMPARED, at=START + 20 * (bake - 1) + second)
        metrics, counted = looked(objects, counted, START, START + 20 * bake)
        assert metrics.requests <= 10
        assert 0 < counted.asked - seen_before <= 20
        seen_before = counted.asked
    assert seen_before < 80


def test_an_object_of_another_kind_is_passed_over(objects: Objects) -> None:
    objects.put(f"{folder('tumour', START)}/notes.txt", json.dumps({"time": START + 1, **COMPARED}).encode())
    assert seen(objects).requests == 0
