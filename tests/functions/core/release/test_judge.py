from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from functions.core.release.judge import Verdict, judge
from functions.core.release.outcomes import Outcomes
from functions.core.release.rollout_metrics import RolloutMetrics
from functions.core.release.weighing import weigh
from models.section import Risk, RolloutThresholds

WELL = RolloutMetrics(requests=100, errors=0, agreement=0.99, challenger_ms=8.0, champion_ms=7.0)
NONE = RolloutMetrics(requests=0, errors=0, agreement=None, challenger_ms=None, champion_ms=None)
NOTHING = Outcomes(since=0, until=0)
GOOD = Outcomes(since=0, until=0, asked=200, compared=200, disagreed=2.0)
FEW = Outcomes(since=0, until=0, asked=20, compared=20, disagreed=0.2)
THRESHOLDS = RolloutThresholds(
    minimum_requests=20,
    maximum_error_rate=0.01,
    minimum_agreement=0.9,
    maximum_latency_ratio=2.0,
    latency_floor_ms=5.0,
)


def judged(
    metrics: RolloutMetrics = WELL,
    outcomes: Outcomes = GOOD,
    *,
    patience_left: bool = False,
    is_last: bool = True,
    **changes: Any,
) -> Verdict:
    thresholds = THRESHOLDS.model_copy(update=changes)
    weighing = weigh(outcomes, thresholds)
    return judge(metrics, weighing, thresholds, patience_left=patience_left, is_last=is_last)


def test_a_challenger_that_is_shown_to_be_good_is_promoted_with_its_numbers_and_the_risk() -> None:
    verdict = judged(patience_left=True)
    assert verdict.decision == "pass"
    assert verdict.reason == (
        "100 requests, 0 errors, agreement 0.990, median 8.0 ms, the champion's 7.0 ms; shown: errors below 2.94 %, "
        "agreement above 0.75, fewer than 75 % of the requests too slow: wrong for 5 % of bad versions at most"
    )


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (
            {"errors": 10},
            "errors: 10 of 200 requests, at most 1 % are accepted; "
            "evidence against: 50 of 20 needed: wrong for 5 % of good versions at most",
        ),
        (
            {"disagreed": 42.5},
            "agreement with the champion: 0.787 on 200 requests, at least 0.9 is accepted; "
            "evidence against: over 1,000 of 20 needed: wrong for 5 % of good versions at most",
        ),
        (
            {"slow": 130},
            "latency: median 8.0 ms, 1.1 times the champion's 7.0 ms; 130 of 200 requests took over 2 times the "
            "champion's time, 50 % are accepted; "
            "evidence against: 524 of 20 needed: wrong for 5 % of good versions at most",
        ),
    ],
)
@pytest.mark.parametrize(("patience_left", "is_last"), [(True, False), (False, False), (True, True), (False, True)])
def test_evidence_against_a_challenger_ends_its_release_at_any_look(
    changes: dict, reason: str, patience_left: bool, is_last: bool
) -> None:
    verdict = judged(outcomes=replace(GOOD, **changes), patience_left=patience_left, is_last=is_last)
    assert verdict.decision == "fail"
    assert verdict.reason == reason


@pytest.mark.parametrize(
    "outcomes",
    [replace(GOOD, errors=6), replace(GOOD, disagreed=25.0), replace(GOOD, slow=105), replace(FEW, errors=2)],
)
def test_more_than_is_allowed_is_no_evidence_while_chance_explains_it(outcomes: Outcomes) -> None:
    for is_last in (True, False):
        assert judged(outcomes=outcomes, is_last=is_last).decision == "pass"


@pytest.mark.parametrize("changes", [{"asked": 118}, {"errors": 2}, {"disagreed": 7.0}, {"slow": 26}, {"compared": 0}])
def test_a_promotion_asks_for_every_proof(changes: dict) -> None:
    enough = Outcomes(since=0, until=0, asked=119, compared=40)
    assert judged(outcomes=enough, patience_left=True).decision == "pass"
    verdict = judged(outcomes=replace(enough, **changes), patience_left=True)
    assert verdict.decision == "wait"
    assert verdict.reason.startswith("not enough evidence: ")


@pytest.mark.parametrize(("without_evidence", "decision"), [("promote", "pass"), ("roll_back", "fail")])
def test_without_evidence_the_contract_decides_at_the_end_of_patience_and_says_so(
    without_evidence: str, decision: str
) -> None:
    waiting = judged(replace(WELL, requests=20), FEW, patience_left=True, without_evidence=without_evidence)
    assert waiting.decision == "wait"
    verdict = judged(replace(WELL, requests=20), FEW, without_evidence=without_evidence)
    assert verdict.decision == decision
    assert verdict.reason == (
        "not enough evidence: 20 requests show an error rate of at most 14.3 %, 1 % is allowed; "
        f"without evidence: {without_evidence}; "
        "20 requests, 0 errors, agreement 0.990, median 8.0 ms, the champion's 7.0 ms"
    )


def test_what_is_not_shown_is_named_one_by_one() -> None:
    outcomes = Outcomes(since=0, until=0, asked=4, compared=4, disagreed=1.0, slow=3)
    assert judged(replace(WELL, requests=20), outcomes).reason.startswith(
        "not enough evidence: 4 requests show an error rate of at most 52.9 %, 1 % is allowed, and "
        "4 requests show an agreement of at least 0.13, 0.9 is accepted, and "
        "4 requests show at most 99.9 % to be too slow, 50 % may be; without evidence: promote"
    )
    alone = judged(replace(WELL, requests=20), replace(outcomes, compared=0))
    assert "no request shows the agreement, and no request shows the latency; without evidence" in alone.reason


def test_a_step_before_the_last_waits_for_its_requests_and_not_for_evidence() -> None:
    verdict = judged(replace(WELL, requests=20), FEW, patience_left=True, is_last=False, without_evidence="roll_back")
    assert verdict.decision == "pass"
    assert verdict.reason.endswith(
        "the champion's 7.0 ms; evidence against: 0.049 of 20 needed; evidence for: 1.6 of 20 needed"
    )


def test_too_few_requests_are_waited_for_while_there_is_patience() -> None:
    for is_last in (True, False):
        verdict = judged(replace(WELL, requests=19), patience_left=True, is_last=is_last)
        assert verdict.decision == "wait"
        assert verdict.reason.startswith("19 of at least 20 requests so far; evidence against: 0.0")
        assert judged(replace(WELL, requests=19), is_last=is_last).decision == "pass"


@pytest.mark.parametrize("is_last", [True, False])
@pytest.mark.parametrize(("without_traffic", "decision"), [("promote", "pass"), ("roll_back", "fail")])
def test_without_traffic_the_contract_decides(without_traffic: str, decision: str, is_last: bool) -> None:
    verdict = judged(NONE, NOTHING, is_last=is_last, without_traffic=without_traffic, without_evidence="roll_back")
    assert (verdict.decision, verdict.reason) == (decision, f"no request came; without traffic: {without_traffic}")
    few = judged(replace(WELL, requests=5), is_last=is_last, without_traffic=without_traffic)
    assert few.decision == decision
    assert few.reason.startswith(
        f"5 of at least 20 requests came; without traffic: {without_traffic}; 5 requests, 0 errors, agreement 0.990"
    )


def test_with_some_traffic_and_no_evidence_both_settings_must_promote() -> None:
    few = replace(WELL, requests=5)
    assert judged(few, FEW).decision == "pass"
    assert judged(few, FEW, without_evidence="roll_back").decision == "fail"
    assert judged(few, FEW, without_traffic="roll_back").decision == "fail"


def test_a_last_step_without_traffic_is_concluded_by_the_steps_before() -> None:
    shown = judged(NONE, GOOD)
    assert (shown.decision, shown.reason.partition("; shown")[0]) == (
        "pass",
        "no request came; without traffic: promote",
    )
    assert judged(NONE, FEW, without_evidence="roll_back").decision == "fail"
    assert judged(NONE, GOOD, without_traffic="roll_back").decision == "fail"


def test_without_a_minimum_no_request_is_waited_for() -> None:
    assert judged(NONE, NOTHING, minimum_requests=0, patience_left=True).decision == "pass"
    one = Outcomes(since=0, until=0, asked=1, compared=1)
    assert (
        judged(replace(WELL, requests=1), one, minimum_requests=0, patience_left=True, is_last=False).decision == "pass"
    )
    assert judged(replace(WELL, requests=1), one, minimum_requests=0, patience_left=True).decision == "wait"


def test_minutes_of_callers_are_called_so() -> None:
    verdict = judged(outcomes=replace(FEW, errors=0.5), risk=Risk(unit="caller_minute"))
    assert "20 minutes of callers show an error rate of at most" in verdict.reason


def test_other_risks_need_other_evidence() -> None:
    assert judged(outcomes=replace(GOOD, errors=9)).decision == "pass"
    bold = judged(outcomes=replace(GOOD, errors=9), risk=Risk(withdraw_good=0.2))
    assert bold.decision == "fail"
    assert bold.reason.endswith("evidence against: 9.7 of 5 needed: wrong for 20 % of good versions at most")
    assert judged(outcomes=replace(FEW, asked=60), patience_left=True).decision == "wait"
    assert judged(outcomes=replace(FEW, asked=60), patience_left=True, risk=Risk(promote_bad=0.3)).decision == "pass"
    strict = judged(patience_left=True, risk=Risk(unacceptable_odds=1.5))
    assert strict.decision == "wait"
