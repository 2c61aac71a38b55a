from __future__ import annotations

from dataclasses import replace

import pytest

from functions.core.release.judge import judge
from functions.core.release.rollout_metrics import RolloutMetrics
from models.section import RolloutThresholds

WELL = RolloutMetrics(requests=100, errors=0, agreement=0.99, challenger_ms=8.0, champion_ms=7.0)
NONE = RolloutMetrics(requests=0, errors=0, agreement=None, challenger_ms=None, champion_ms=None)
THRESHOLDS = RolloutThresholds(
    minimum_requests=20,
    maximum_error_rate=0.01,
    minimum_agreement=0.9,
    maximum_latency_ratio=2.0,
    latency_floor_ms=5.0,
)


def test_a_challenger_that_keeps_to_everything_passes_with_its_numbers() -> None:
    verdict = judge(WELL, THRESHOLDS, patience_left=True)
    assert verdict.decision == "pass"
    assert verdict.reason == "100 requests, 0 errors, agreement 0.990, median 8.0 ms, the champion's 7.0 ms"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"errors": 2}, "errors: 2 of 100 requests, at most 1 % are accepted"),
        ({"agreement": 0.89}, "agreement with the champion: 0.890 on 100 requests, at least 0.9 is accepted"),
        (
            {"challenger_ms": 14.1},
            "latency: median 14.1 ms, 2.0 times the champion's 7.0 ms, at most 2 times is accepted",
        ),
    ],
)
def test_a_challenger_that_breaks_a_threshold_fails_with_the_number(changes: dict, reason: str) -> None:
    verdict = judge(replace(WELL, **changes), THRESHOLDS, patience_left=True)
    assert (verdict.decision, verdict.reason) == ("fail", reason)


@pytest.mark.parametrize(
    "changes",
    [
        {"errors": 1},
        {"agreement": 0.9},
        {"agreement": None},
        {"challenger_ms": 14.0},
        {"challenger_ms": 5.0, "champion_ms": 0.1},
        {"challenger_ms": None, "champion_ms": None},
        {"champion_ms": 0.0},
    ],
)
def test_a_challenger_at_a_threshold_passes(changes: dict) -> None:
    assert judge(replace(WELL, **changes), THRESHOLDS, patience_left=False).decision == "pass"


def test_too_few_requests_are_waited_for_while_there_is_patience() -> None:
    few = replace(WELL, requests=19, agreement=0.1, challenger_ms=99.0)
    verdict = judge(few, THRESHOLDS, patience_left=True)
    assert (verdict.decision, verdict.reason) == ("wait", "19 of at least 20 requests so far")
    assert judge(few, THRESHOLDS, patience_left=False).decision == "fail"


def test_errors_that_nothing_could_make_good_are_not_waited_for() -> None:
    assert judge(replace(NONE, requests=3, errors=1), THRESHOLDS, patience_left=True).decision == "fail"
    patient = THRESHOLDS.model_copy(update={"minimum_requests": 1000})
    assert judge(replace(NONE, requests=3, errors=1), patient, patience_left=True).decision == "wait"
    assert judge(replace(NONE, requests=3, errors=1), patient, patience_left=False).decision == "fail"


@pytest.mark.parametrize(("without_traffic", "decision"), [("promote", "pass"), ("roll_back", "fail")])
def test_without_traffic_the_contract_decides(without_traffic: str, decision: str) -> None:
    thresholds = THRESHOLDS.model_copy(update={"without_traffic": without_traffic})
    verdict = judge(NONE, thresholds, patience_left=False)
    assert (verdict.decision, verdict.reason) == (decision, f"no request came; without traffic: {without_traffic}")
    few = judge(replace(WELL, requests=5), thresholds, patience_left=False)
    assert few.decision == decision
    assert few.reason.startswith(f"5 of at least 20 requests came; without traffic: {without_traffic}")
    assert few.reason.endswith("5 requests, 0 errors, agreement 0.990, median 8.0 ms, the champion's 7.0 ms")


def test_without_a_minimum_nothing_is_waited_for() -> None:
    thresholds = THRESHOLDS.model_copy(update={"minimum_requests": 0})
    assert judge(NONE, thresholds, patience_left=True).decision == "pass"
    assert judge(replace(WELL, requests=1, agreement=0.0), thresholds, patience_left=True).decision == "fail"
