from __future__ import annotations

import pytest

from functions.core.release.evidence import evidence_above, evidence_below
from functions.core.release.outcomes import Outcomes
from functions.core.release.weighing import unacceptable, weigh
from models.section import Risk, RolloutThresholds

SEEN = Outcomes(since=0, until=0, asked=150, errors=3, compared=120, disagreed=11.5, slow=20)
RULES = RolloutThresholds()


def test_each_question_has_what_was_seen_what_is_allowed_and_what_is_unacceptable() -> None:
    errors, agreement, latency = weigh(SEEN, RULES).questions
    assert (errors.total, errors.count, errors.allowed) == (3, 150, 0.01)
    assert (agreement.total, agreement.count, agreement.allowed) == (11.5, 120, 0.1)
    assert (latency.total, latency.count, latency.allowed) == (20, 120, 0.5)
    assert [round(question.unacceptable, 4) for question in (errors, agreement, latency)] == [0.0294, 0.25, 0.75]


def test_evidence_against_is_the_mean_and_evidence_for_the_least() -> None:
    weighing = weigh(SEEN, RULES)
    against = [evidence_above(3, 150, 0.01), evidence_above(11.5, 120, 0.1), evidence_above(20, 120, 0.5)]
    assert weighing.against == pytest.approx(sum(against) / 3)
    assert weighing.in_favour == pytest.approx(evidence_below(3, 150, 0.01, 0.03 / 1.02))
    assert [question.about for question in weighing.open] == ["errors"]
    assert not weighing.is_good
    assert not weighing.is_bad


@pytest.mark.parametrize(
    ("changes", "asked"),
    [
        ({"maximum_error_rate": 1.0}, ["agreement", "latency"]),
        ({"minimum_agreement": 0.0}, ["errors", "latency"]),
        ({"minimum_agreement": 0.0, "maximum_error_rate": 1.0}, ["latency"]),
    ],
)
def test_what_may_be_anything_is_not_asked(changes: dict, asked: list[str]) -> None:
    bad = Outcomes(since=0, until=0, asked=20, errors=20, compared=20, disagreed=20)
    weighing = weigh(bad, RULES.model_copy(update=changes))
    assert [question.about for question in weighing.asked] == asked
    assert weighing.is_bad is (len(asked) == 2)


def test_where_nothing_is_allowed_one_percent_is_unacceptable() -> None:
    assert unacceptable(0.0, Risk()) == 0.01
    assert unacceptable(0.2, Risk(unacceptable_odds=2)) == pytest.approx(1 / 3)
    strict = RULES.model_copy(update={"maximum_error_rate": 0.0})
    assert weigh(Outcomes(since=0, until=0, asked=10_000, errors=1), strict).is_bad


def test_the_record_has_numbers_that_any_reader_of_json_takes() -> None:
    document = weigh(Outcomes(since=0, until=0, asked=9_000, errors=9_000), RULES).document()
    assert document["against"] == pytest.approx(333_300, rel=1e-3)
    assert document["questions"]["errors"] == {
        "outcomes": 9_000,
        "rate": 1.0,
        "allowed": 0.01,
        "unacceptable": 0.02941,
        "against": 1e6,
        "in_favour": 0.0,
    }
