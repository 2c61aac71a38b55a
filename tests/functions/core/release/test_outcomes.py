from __future__ import annotations

from typing import Any

import pytest

from functions.core.release.outcomes import Outcomes
from functions.core.release.units import settled
from models.section import Risk, RolloutThresholds

RULES = RolloutThresholds(maximum_latency_ratio=2.0, latency_floor_ms=5.0)
BY_MINUTE = RULES.model_copy(update={"risk": Risk(unit="caller_minute")})
BEGUN = Outcomes(since=100, until=100)


def answered(
    ms: float = 4.0, champion: float = 4.0, rows: int = 1, agreed: int = 1, caller: str = "a"
) -> dict[str, Any]:
    return {"ms": ms, "rows": rows, "agreed": agreed, "champion": {"ms": champion}, "caller": caller}


FAILED = {"error": "failed", "rows": 1, "ms": 99.0, "champion": {"ms": 1.0}, "caller": "a"}
ALONE = {"ms": 99.0, "rows": 1, "caller": "a"}
"""The champion refused what the challenger answered."""


def test_each_request_is_one_outcome() -> None:
    found = BEGUN.with_these(
        [(100, answered()), (101, FAILED), (102, answered(rows=4, agreed=1)), (103, ALONE)], 104, RULES
    )
    assert (found.asked, found.errors, found.compared, found.disagreed, found.slow) == (4, 1, 2, 0.75, 0)


@pytest.mark.parametrize(
    ("ms", "champion", "slow"), [(10.1, 5.0, 1), (10.0, 5.0, 0), (5.0, 1.0, 0), (5.1, 1.0, 1), (9.9, 5.0, 0)]
)
def test_a_request_is_slow_beyond_the_ratio_and_the_floor(ms: float, champion: float, slow: int) -> None:
    assert BEGUN.with_these([(100, answered(ms, champion))], 101, RULES).slow == slow


def test_what_was_counted_is_not_counted_again_and_what_is_being_written_is_left() -> None:
    written = [(at, answered()) for at in (99, 100, 109, 110, 119, 120)]
    first = BEGUN.with_these(written, 110, RULES)
    assert (first.asked, first.until) == (2, 110)
    second = first.with_these(written, 120, RULES)
    assert (second.asked, second.since, second.until) == (4, 100, 120)
    assert second.with_these(written, 120, RULES) == second
    assert second.with_these(written, 115, RULES) == second


def test_seconds_are_counted_when_they_are_over_and_minutes_of_callers_likewise() -> None:
    assert settled(119.9, RULES) == 119
    assert settled(119.9, BY_MINUTE) == 60


def test_a_callers_minute_is_one_outcome() -> None:
    written = [
        *((121, FAILED) for _ in range(3)),
        (122, answered(rows=2, agreed=1)),
        (179, answered(caller="b", ms=20.0)),
        (180, answered()),
    ]
    found = BEGUN.with_these(written, 240, BY_MINUTE)
    assert (found.asked, found.errors, found.compared, found.disagreed, found.slow) == (3, 0.75, 3, 0.5, 1)


def test_outcomes_are_kept_as_numbers_and_read_again() -> None:
    found = BEGUN.with_these([(100, answered(rows=3, agreed=2)), (101, FAILED)], 102, RULES)
    assert Outcomes.of(found.document(), 0) == found
    assert Outcomes.of({**found.document(), "of a newer program": 1}, 0) == found
    assert Outcomes.of(None, 7) == Outcomes(since=7, until=7)
    assert Outcomes.of({"asked": "3"}, 7) == Outcomes(since=7, until=7)
