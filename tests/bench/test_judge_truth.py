"""The stated rates hold in simulated releases whose truths come back, too, soon or late, and the page has them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bench import judge, judge_truth
from functions.core.release.judge import judge as judged
from functions.core.release.outcomes import Outcomes
from functions.core.release.rollout_metrics import RolloutMetrics
from functions.core.release.weighing import weigh
from models.section import RolloutThresholds

ROLLOUTS, REQUESTS = 1_000, 180
STATED = 0.05
EVERY = (1, 60)
PAGE = judge.PAGE.read_text(encoding="utf-8")
CASES = {case.name: case for case in judge_truth.CASES}


def at_most(share: float) -> float:
    ends = judge.Ends(rollouts=ROLLOUTS, withdrawn=round(share * ROLLOUTS), promoted=0, requests=0)
    return ends.at_most("withdrawn")


@pytest.mark.parametrize("case", [case for case in judge_truth.CASES if case.wrong], ids=lambda case: case.name)
def test_wrong_ends_are_rarer_than_stated_however_often_one_looks(case: judge_truth.TruthCase) -> None:
    late = replace(case, late=min(case.late, 60))
    ends = judge_truth.simulate(late, rollouts=ROLLOUTS, requests=REQUESTS, looks=EVERY)
    assert set(ends) == set(EVERY)
    for withdrawn, promoted, _ in ends.values():
        assert at_most(withdrawn if case.wrong == "withdrawn" else promoted) <= STATED, ends


def test_the_verdict_itself_keeps_to_the_rates_and_waits_for_truths_where_the_two_disagree() -> None:
    """Looked at fifteen times, in three steps, with truths sixty requests late: each by the judge's own words."""
    rules = RolloutThresholds(without_evidence="roll_back")
    for name, end in (
        ("agreement 0.7, right in 5 of 6 of these", "withdrawn"),
        (judge_truth.AS_BAD, "withdrawn"),
        ("loss 5 %, agreement 0.9", "promoted"),
        ("agreement 0.7, as often right", "promoted"),
    ):
        case = replace(CASES[name], late=60)
        drawn = judge_truth.sums(case, rollouts=100, requests=600, chance=np.random.default_rng(2))
        ends = [_end(drawn, at, rules) for at in range(100)]
        assert ends.count(end) <= 5 + 5, (name, ends.count(end))
        if name.startswith("agreement 0.7, right"):
            assert ends.count("promoted") > 75


def _end(found: judge_truth.Sums, at: int, rules: RolloutThresholds) -> str:
    for count in range(40, 601, 40):
        seen = _outcomes(found, at, count)
        metrics = RolloutMetrics(requests=40, errors=0, agreement=None, challenger_ms=None, champion_ms=None)
        weighing, is_last = weigh(seen, rules, judge_truth.EXPECTED), count > 400
        verdict = judged(metrics, weighing, rules, patience_left=count < 600, is_last=is_last)
        if verdict.decision == "fail" and not verdict.reason.startswith("not enough evidence"):
            return "withdrawn"
        if is_last and verdict.decision == "pass":
            return "promoted"
    return "neither"


def _outcomes(drawn: judge_truth.Sums, at: int, count: int) -> Outcomes:
    """Return what the first requests of a simulated release come to."""
    totals = {name: float(getattr(drawn, name)[at, count - 1]) for name in drawn.__dataclass_fields__}
    return Outcomes(
        since=0,
        until=0,
        asked=count,
        compared=count,
        errors=totals["errors"],
        slow=totals["slow"],
        disagreed=totals["differs"],
        labelled=int(totals["labelled"]),
        worse=totals["worse"],
        better=totals["better"],
    )


def test_bursts_keep_to_the_rates_by_a_callers_minute() -> None:
    for case in judge_truth.BURSTS:
        if case.by_burst:
            ends = judge_truth.simulate(case, rollouts=ROLLOUTS, requests=REQUESTS, looks=(1,))[1]
            assert at_most(ends[0] if case.wrong == "withdrawn" else ends[1]) <= STATED, case.name


def test_what_is_simulated_is_weighed_as_the_judge_weighs_it() -> None:
    case = CASES["agreement 0.7, right in 5 of 6 of these"]
    drawn = judge_truth.sums(case, rollouts=5, requests=200, chance=np.random.default_rng(3))
    weighed = judge_truth.weighed(drawn)
    for at, count in ((0, 20), (1, 90), (4, 200)):
        seen = _outcomes(drawn, at, count)
        found = weigh(seen, RolloutThresholds(), judge_truth.EXPECTED)
        assert weighed.against[at, count - 1] == pytest.approx(found.against)
        assert weighed.in_favour[at, count - 1] == pytest.approx(found.in_favour)


def test_the_cases_have_the_loss_and_the_lateness_that_they_say() -> None:
    case = CASES["loss 5 %, agreement 0.9, truths 300 requests late"]
    drawn = judge_truth.sums(case, rollouts=2_000, requests=400, chance=np.random.default_rng(0))
    assert not drawn.labelled[:, 299].any()
    assert drawn.labelled[:, -1].tolist() == [100.0] * 2_000
    assert np.mean(drawn.worse[:, -1] - drawn.better[:, -1]) / 100 == pytest.approx(0.05, abs=0.005)
    for one in judge_truth.CASES:
        if one.wrong == "promoted" and not one.name.startswith("agreement"):
            assert one.loss >= judge_truth.UNACCEPTABLE - 1e-9


def test_the_page_says_how_many_labelled_requests_a_proof_takes() -> None:
    assert "\n".join(judge_truth.pairs_needed()) in PAGE


def test_the_page_has_a_line_for_each_kind_and_states_no_rate_that_its_own_figures_exceed() -> None:
    lines = [line.strip("| ").split(" | ") for line in PAGE.splitlines() if line.startswith("| ")]
    for case in judge_truth.CASES:
        own = [line for line in lines if line[0] == case.name and len(line) == 7]
        assert len(own) == len(judge_truth.LOOKS), case.name
        for _, _, withdrawn, promoted, _, stated, _ in own:
            assert stated.strip() == (f"{case.wrong} at most 5 %" if case.wrong else "")
            wrong = {"withdrawn": withdrawn, "promoted": promoted, "": withdrawn}[case.wrong]
            assert float(wrong.removesuffix(" %")) <= 5
    for case in judge_truth.BURSTS:
        assert any(line[0] == case.name for line in lines), case.name
