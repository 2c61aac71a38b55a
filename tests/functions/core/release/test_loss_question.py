"""What truths say for and against a challenger, and how that goes together with disagreement."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from functions.core.release.evidence import evidence_above, evidence_of_less_loss, loss_shown_at_most
from functions.core.release.outcomes import Outcomes
from functions.core.release.weighing import weigh
from models.labels import Labels
from models.section import RolloutThresholds

RULES = RolloutThresholds()
EXPECTED, LATER = Labels(horizon_minutes=5), Labels()
SEEN = Outcomes(since=0, until=0, asked=400, errors=1, compared=400, disagreed=120, slow=20)
BETTER = replace(SEEN, labelled=400, worse=20, better=100)


@pytest.mark.parametrize("unacceptable", [0.01, 0.05, 0.3])
def test_a_bet_against_a_loss_is_fair_where_it_is_unacceptable(unacceptable: float) -> None:
    """On average over what may come, evidence stays what it was; where more is lost it falls."""
    for worse, better, count in ((0, 0, 1), (2, 3, 20), (9, 1, 40)):
        now = evidence_of_less_loss(worse, better, count, unacceptable)
        won = evidence_of_less_loss(worse, better + 1, count + 1, unacceptable)
        even = evidence_of_less_loss(worse, better, count + 1, unacceptable)
        lost = evidence_of_less_loss(worse + 1, better, count + 1, unacceptable)
        share = (1 + unacceptable) / 4
        fair = share * lost + (share - unacceptable / 1) * won if share > unacceptable else None
        if fair is not None:
            rest = 1 - share - (share - unacceptable)
            assert fair + rest * even == pytest.approx(now, rel=1e-9)
        assert unacceptable * lost + (1 - unacceptable) * even == pytest.approx(now, rel=1e-9)
        assert 2 * unacceptable * lost + (1 - 2 * unacceptable) * even < now


def test_parts_of_outcomes_win_no_more_than_a_fair_bet() -> None:
    for worse, better in ((0.3, 0.25), (0.05, 0.0), (0.5, 0.45)):
        parts = evidence_of_less_loss(worse, better, 1, 0.05)
        whole = (
            worse * evidence_of_less_loss(1, 0, 1, 0.05)
            + better * evidence_of_less_loss(0, 1, 1, 0.05)
            + (1 - worse - better) * evidence_of_less_loss(0, 0, 1, 0.05)
        )
        assert parts <= whole <= 1 + 1e-12
        assert evidence_above(worse, worse + better, 0.5) <= 1 + (worse - better)


def test_what_is_shown_is_where_the_evidence_suffices_and_nothing_shows_nothing() -> None:
    for worse, better, count in ((0, 0, 100), (5, 9, 300), (0, 30, 60)):
        shown = loss_shown_at_most(worse, better, count, 0.05)
        assert evidence_of_less_loss(worse, better, count, shown) >= 20
        if shown > 1e-6:
            assert evidence_of_less_loss(worse, better, count, shown * 0.999) < 20
    assert evidence_of_less_loss(0, 0, 0, 0.05) == 1
    assert loss_shown_at_most(0, 0, 0, 0.05) == 1


def test_truths_are_a_question_where_the_contract_speaks_of_them() -> None:
    assert [one.about for one in weigh(SEEN, RULES).questions] == ["errors", "agreement", "latency"]
    for labels, asked in ((EXPECTED, True), (LATER, False)):
        truth = weigh(SEEN, RULES, labels).questions[-1]
        assert (truth.about, truth.is_asked, truth.against, truth.in_favour) == ("truth", asked, 1.0, 1.0)
    assert weigh(BETTER, RULES, LATER).questions[-1].is_asked


def test_disagreement_is_excused_where_truths_show_that_it_is_right_more_often() -> None:
    weighing = weigh(SEEN, RULES, LATER)
    assert (weighing.is_bad, weighing.excuses, weighing.is_disputed) == (True, False, False)
    better = weigh(BETTER, RULES, LATER)
    assert (better.is_bad, better.excuses, better.is_good) == (False, True, True)
    agreement = better.questions[1]
    assert better.in_favour_of(agreement) > 20 > agreement.in_favour


def test_disagreement_is_disputed_while_truths_are_expected_and_nothing_else_is_bad() -> None:
    assert weigh(SEEN, RULES, EXPECTED).is_disputed
    even = replace(SEEN, labelled=400, worse=60, better=60)
    assert weigh(even, RULES, EXPECTED).is_disputed
    assert not weigh(replace(SEEN, disagreed=20), RULES, EXPECTED).is_disputed
    assert not weigh(replace(SEEN, errors=40), RULES, EXPECTED).is_disputed
    worse = weigh(replace(SEEN, labelled=400, worse=100, better=20), RULES, EXPECTED)
    assert (worse.is_bad, worse.is_disputed, worse.excuses) == (True, False, False)


def test_truths_of_one_class_speak_against_a_version_and_for_none() -> None:
    one = weigh(replace(BETTER, one_class="benign"), RULES, LATER)
    assert (one.excuses, one.questions[-1].in_favour) == (False, 1.0)
    worse = replace(SEEN, labelled=400, worse=100, better=20)
    assert weigh(replace(worse, one_class="benign"), RULES, LATER).against == weigh(worse, RULES, LATER).against


def test_an_excuse_never_adds_evidence_against_a_challenger() -> None:
    chance = np.random.default_rng(0)
    for _ in range(300):
        labelled = int(chance.integers(0, 400))
        worse = int(chance.integers(0, labelled + 1)) // 4
        better = int(chance.integers(0, labelled - worse + 1)) // 3
        seen = replace(SEEN, disagreed=float(chance.integers(0, 200)), labelled=labelled, worse=worse, better=better)
        weighing = weigh(seen, RULES, EXPECTED)
        assert weighing.against <= sum(one.against for one in weighing.questions) / 4 + 1e-9
        assert weighing.in_favour <= min(one.in_favour for one in weighing.asked if one.about != "agreement")


def test_the_record_says_what_truths_came_to() -> None:
    document = weigh(BETTER, RULES, EXPECTED).document()["questions"]["truth"]
    assert {name: document[name] for name in ("outcomes", "rate", "allowed", "unacceptable", "worse", "better")} == {
        "outcomes": 400,
        "rate": -0.2,
        "allowed": 0.0,
        "unacceptable": 0.05,
        "worse": 20,
        "better": 100,
    }
