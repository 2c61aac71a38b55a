from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from scipy import special

from functions.core.release.evidence import MOST, evidence_above, evidence_below, shown_at_most
from functions.core.runtime.beta_integral import log_integral_above, log_integral_below


@pytest.mark.parametrize(
    ("errors", "requests", "evidence"), [(0, 100, 0.0099), (5, 100, 3.449), (6, 100, 21.58), (12, 500, 0.608)]
)
def test_evidence_against_one_percent_is_as_computed_elsewhere(errors: int, requests: int, evidence: float) -> None:
    assert float(f"{evidence_above(errors, requests, 0.01):.4g}") == pytest.approx(evidence, abs=5e-4, rel=1e-4)


def test_the_integrals_are_those_of_scipy() -> None:
    chance = np.random.default_rng(0)
    for _ in range(500):
        count = int(chance.choice([1, 5, 50, 1_000, 100_000]))
        total, bound = chance.random() * count, float(chance.choice([0.001, 0.01, 0.1, 0.5, 0.75, 0.99]))
        whole = float(special.betaln(total + 1, count - total + 1))
        below = special.betainc(total + 1, count - total + 1, bound)
        above = special.betainc(count - total + 1, total + 1, 1 - bound)
        if below > 1e-290:
            assert log_integral_below(total, count - total, bound) == pytest.approx(whole + math.log(below), rel=1e-9)
        if above > 1e-290:
            assert log_integral_above(total, count - total, bound) == pytest.approx(whole + math.log(above), rel=1e-9)


@pytest.mark.parametrize(("total", "count"), [(2.1, 37), (6.2, 78), (14.4, 160), (30.3, 319)])
def test_the_integral_up_to_the_mean_is_found_whichever_side_it_rounds_to(total: float, count: int) -> None:
    """0.1 is beyond the mean as a rate, and 0.9 beyond that of its complement, by one bit each."""
    whole = float(special.betaln(total + 1, count - total + 1))
    below = float(special.betainc(total + 1, count - total + 1, 0.1))
    assert log_integral_below(total, count - total, 0.1) == pytest.approx(whole + math.log(below), rel=1e-9)
    assert log_integral_above(total, count - total, 0.1) == pytest.approx(whole + math.log1p(-below), rel=1e-9)


def test_the_integral_of_little_is_right_in_its_tail() -> None:
    """Of p^k from 0 to x it is x^(k+1) / (k+1), of (1-p)^m from x to 1 likewise, beyond any float's exponent."""
    assert log_integral_below(5_000, 0, 0.01) == pytest.approx(5_001 * math.log(0.01) - math.log(5_001))
    assert log_integral_above(0, 5_000, 0.99) == pytest.approx(5_001 * math.log(0.01) - math.log(5_001))


@pytest.mark.parametrize(
    ("total", "evidence"),
    [(0, 1e-6), (9_000, 9.9e-6), (10_000, 1.27e-4), (10_500, 64.13), (20_000, MOST), (1_000_000, MOST)],
)
def test_a_million_requests_are_weighed(total: int, evidence: float) -> None:
    assert evidence_above(total, 1_000_000, 0.01) == pytest.approx(evidence, rel=0.01, abs=1e-9)


def test_nothing_seen_is_no_evidence() -> None:
    assert evidence_above(0, 0, 0.01) == 1
    assert evidence_below(0, 0, 0.01, 0.03) == 1
    assert shown_at_most(0, 0, 0.01, 0.05) == 1


@pytest.mark.parametrize("allowed", [0.01, 0.1, 0.5])
def test_a_bet_is_fair_at_what_is_allowed(allowed: float) -> None:
    """On average over what may come, evidence stays what it was; below what is allowed it falls."""
    unacceptable = 3 * allowed / (1 + 2 * allowed)
    for total, count in ((0, 3), (1, 3), (2, 9)):
        now = evidence_above(total, count, allowed)
        won, lost = (evidence_above(total + x, count + 1, allowed) for x in (1, 0))
        assert allowed * won + (1 - allowed) * lost == pytest.approx(now, rel=1e-9)
        assert allowed / 2 * won + (1 - allowed / 2) * lost < now
        now = evidence_below(total, count, allowed, unacceptable)
        lost, won = (evidence_below(total + x, count + 1, allowed, unacceptable) for x in (1, 0))
        assert unacceptable * lost + (1 - unacceptable) * won == pytest.approx(now, rel=1e-9)
        worse = (unacceptable + 1) / 2
        assert worse * lost + (1 - worse) * won < now


def test_outcomes_between_0_and_1_win_no_more_than_a_fair_bet() -> None:
    for part in (0.1, 0.5, 0.9):
        parts = evidence_above(3 + part, 41, 0.1)
        whole = part * evidence_above(4, 41, 0.1) + (1 - part) * evidence_above(3, 41, 0.1)
        assert parts < whole


def test_where_nothing_is_allowed_one_is_too_many() -> None:
    assert evidence_above(0, 1_000, 0.0) == 1
    assert evidence_above(1e-9, 1_000, 0.0) == MOST
    assert evidence_below(0, 298, 0.0, 0.01) < 20 < evidence_below(0, 299, 0.0, 0.01)
    assert evidence_below(1, 10_000, 0.0, 0.01) == 0


def test_where_everything_is_allowed_nothing_is_shown() -> None:
    assert evidence_above(50, 50, 1.0) == 1
    assert evidence_below(0, 50, 1.0, 1.0) == 1


def test_what_is_shown_is_where_the_evidence_suffices() -> None:
    for total, count in ((0, 20), (3, 100), (40, 100), (0.5, 30)):
        shown = shown_at_most(total, count, 0.01, 0.05)
        assert evidence_below(total, count, 0.01, shown * 0.999) < 20 <= evidence_below(total, count, 0.01, shown)
    assert shown_at_most(0, 20, 0.01, 0.05) == pytest.approx(0.143, abs=5e-4)
    assert shown_at_most(20, 20, 0.01, 0.05) == 1
    assert shown_at_most(0, 10**6, 0.01, 0.05) == pytest.approx(0.01, abs=1e-4)


def test_more_clean_requests_show_more() -> None:
    shown = [shown_at_most(0, count, 0.01, 0.05) for count in (1, 10, 100, 300, 1_000)]
    assert all(later < earlier for earlier, later in pairwise(shown))
    assert [evidence_below(0, count, 0.01, 0.03 / 1.02) >= 20 for count in (118, 119)] == [False, True]
