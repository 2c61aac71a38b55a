"""The rates that the judge of releases states hold in simulated releases, and the page has what they come to."""

from __future__ import annotations

import numpy as np
import pytest

from bench import judge
from functions.core.release.judge import judge as judged
from functions.core.release.outcomes import Outcomes
from functions.core.release.rollout_metrics import RolloutMetrics
from functions.core.release.weighing import weigh
from models.section import RolloutThresholds

ROLLOUTS, REQUESTS = 1_000, 300
STATED = 0.05
EVERY = (1, 7, 50, 300)
CASES = {case.name: case for case in judge.CASES}
BURSTS = {case.name: case for case in judge.BURSTS}
PAGE = judge.PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("case", [case for case in judge.CASES if case.wrong], ids=lambda case: case.name)
def test_wrong_ends_are_rarer_than_stated_however_often_one_looks(case: judge.Case) -> None:
    ends = judge.simulate(case, rollouts=ROLLOUTS, requests=REQUESTS, looks=EVERY)
    assert set(ends) == set(EVERY)
    assert all(found.at_most(case.wrong) <= STATED for found in ends.values()), ends


@pytest.mark.parametrize("at", range(3), ids=["errors", "agreement", "latency"])
def test_each_question_alone_keeps_to_the_rate_exactly_at_a_look_after_every_request(at: int) -> None:
    """Without sampling, and where every look may end the release."""
    question = weigh(Outcomes(since=0, until=0), RolloutThresholds()).questions[at]
    for against in (True, False):
        assert 0.01 < judge.ever_wrong(question, against=against, requests=1_500) <= STATED


def test_exact_and_simulated_rates_are_the_same() -> None:
    """A release of one step that only errors decide, at the rate that is unacceptable."""
    case = judge.Case(name="", rates=(judge.UNACCEPTABLE[0], 0.0, 0.0))
    promoted = judge.simulate(case, rollouts=4_000, requests=200, looks=(1,), steps=1)[1].share("promoted")
    question = weigh(Outcomes(since=0, until=0), RolloutThresholds()).questions[0]
    assert promoted == pytest.approx(judge.ever_wrong(question, against=False, requests=200), abs=0.01)


def test_the_verdict_itself_keeps_to_the_stated_rates_over_a_release_of_three_steps() -> None:
    """Looked at five times a step, with a challenger as bad as is allowed, and with one that is unacceptable."""
    rules = RolloutThresholds(without_evidence="roll_back")
    for rates, wrong in ((judge.ALLOWED, "withdrawn"), ((judge.UNACCEPTABLE[0], 0.05, 0.05), "promoted")):
        chance = np.random.default_rng(1)
        drawn = np.cumsum(chance.random((ROLLOUTS, 3, 150)) < np.array(rates)[None, :, None], axis=2)
        ends = [_end(totals, rules) for totals in drawn]
        found = judge.Ends(
            rollouts=ROLLOUTS, withdrawn=ends.count("withdrawn"), promoted=ends.count("promoted"), requests=0
        )
        assert found.at_most(wrong) <= STATED, found


def _end(totals: np.ndarray, rules: RolloutThresholds) -> str:
    for count in range(10, totals.shape[1] + 1, 10):
        errors, disagreed, slow = (float(total) for total in totals[:, count - 1])
        seen = Outcomes(since=0, until=0, asked=count, errors=errors, compared=count, disagreed=disagreed, slow=slow)
        metrics = RolloutMetrics(requests=10, errors=0, agreement=None, challenger_ms=None, champion_ms=None)
        is_last = count > totals.shape[1] * 2 // 3
        verdict = judged(metrics, weigh(seen, rules), rules, patience_left=True, is_last=is_last)
        if verdict.decision == "fail":
            return "withdrawn"
        if is_last and verdict.decision == "pass":
            return "promoted"
    return "neither"


def test_a_release_without_evidence_against_it_is_found_to_be_bad_all_the_same() -> None:
    ends = judge.simulate(CASES["10 % errors"], rollouts=200, requests=REQUESTS, looks=(1,))[1]
    assert ends.share("withdrawn") == 1
    assert ends.requests < 60


def test_bursts_break_the_rate_by_request_and_keep_it_by_a_callers_minute() -> None:
    def withdrawn(name: str) -> float:
        ends = judge.simulate(BURSTS[name], rollouts=ROLLOUTS, requests=REQUESTS, looks=(1,))[1]
        return ends.share("withdrawn") if name.endswith("request") else ends.at_most("withdrawn")

    assert withdrawn("all as bad as allowed, by request") > STATED
    assert withdrawn("all as bad as allowed, by minute") <= STATED


def test_the_bursts_have_the_rate_and_the_correlation_that_they_say() -> None:
    case = judge.Case(name="", rates=judge.ALLOWED, correlation=0.05)
    drawn = judge.outcomes(case, 0.1, (4_000, 10), np.random.default_rng(0))
    assert drawn.mean() == pytest.approx(0.1, abs=0.005)
    assert np.corrcoef(drawn[:, 0], drawn[:, 1])[0, 1] == pytest.approx(0.05, abs=0.03)
    minutes = judge.outcomes(judge.BURSTS[1], 0.1, (4_000, 10), np.random.default_rng(0))
    assert minutes.shape == (4_000, 1)
    assert minutes[:, 0] == pytest.approx(drawn.mean(axis=1))


def test_the_upper_end_is_that_of_clopper_and_pearson() -> None:
    assert judge.Ends(rollouts=20, withdrawn=0, promoted=20, requests=0).at_most("withdrawn") == pytest.approx(
        1 - 0.05 ** (1 / 20)
    )
    assert judge.Ends(rollouts=20, withdrawn=0, promoted=20, requests=0).at_most("promoted") == 1


def test_the_page_says_how_many_requests_a_proof_takes() -> None:
    assert "\n".join(judge.requests_needed()) in PAGE


def test_the_page_says_how_often_one_question_is_answered_wrongly() -> None:
    assert "\n".join(judge.exact(1_500)) in PAGE


def test_the_page_has_a_line_for_each_kind_of_release_and_each_says_what_is_stated() -> None:
    for cases in (judge.CASES, judge.BURSTS):
        few = [line.split(" | ") for line in judge.wrong_ends(cases, rollouts=2, requests=500)]
        for name, every, *_, stated, _ in few:
            lines = [line for line in PAGE.splitlines() if line.startswith(f"{name} | {every} | ")]
            assert len(lines) >= 1, name
            assert all(line.split(" | ")[-2] == stated for line in lines if line.startswith("| ")), name


def test_the_page_states_no_rate_that_its_own_figures_exceed_where_outcomes_are_independent() -> None:
    names = {case.name: case.wrong for case in judge.CASES if case.wrong}
    lines = [line.strip("| ").split(" | ") for line in PAGE.splitlines() if line.startswith("| ")]
    found = [line for line in lines if line[0] in names and len(line) == 7]
    assert len(found) == len(names) * len(judge.LOOKS)
    for name, _, withdrawn, promoted, *_ in found:
        assert float((withdrawn if names[name] == "withdrawn" else promoted).removesuffix(" %")) <= 5


def test_a_page_without_the_place_of_a_table_is_told() -> None:
    page = "a\n<!-- bench.judge: rates -->\nold\n<!-- end -->\nb"
    assert judge.written(page, "rates", ["new", "er"]) == "a\n<!-- bench.judge: rates -->\nnew\ner\n<!-- end -->\nb"
    with pytest.raises(ValueError, match=r"bench\.judge: bursts"):
        judge.written(page, "bursts", [])
