"""Requests that both versions answered, with truths of them: which truth counts, and what it says."""

from __future__ import annotations

from typing import Any

import pytest

from functions.core.registry.truths import KEY, REQUEST, Row, Told
from functions.core.release.labelled_pairs import LabelledPairs, Pairs, loss
from functions.core.release.outcomes import Outcomes
from functions.core.release.units import Written
from models.section import Risk, RolloutThresholds

RULES = RolloutThresholds()
BY_MINUTE = RolloutThresholds(risk=Risk(unit="caller_minute"))
AT = 10_000.0


def asked(name: str, ours: list[Any], theirs: list[Any], at: float = AT, **more: Any) -> Written:
    champion = {"version": "v1", "ms": 1.0, "said": theirs}
    record = {"time": at, "request": name, "caller": "c", "rows": len(ours), "said": ours, "champion": champion}
    return int(at), {**record, "ms": 1.0, "agreed": 0, **more}


def found(*written: Written, rules: RolloutThresholds = RULES, usual: float = 0.0, **truths: Any) -> LabelledPairs:
    """Return what truths say, each told as `name=truth` or `name=(truth, seconds after the request)`."""
    pairs = Pairs(written, lambda at: at + 60)
    told = [
        (Row(REQUEST, name, 0), Told(AT + after, truth))
        for name, one in truths.items()
        for truth, after in [one if isinstance(one, tuple) else (one, 30.0)]
    ]
    pairs.read(told)
    return pairs.labelled(rules, lambda _: usual)


@pytest.mark.parametrize(
    ("ours", "theirs", "truth", "usual", "lost"),
    [
        ("a", "a", "a", 0.0, 0.0),
        ("b", "b", "a", 0.0, 0.0),
        ("b", "a", "a", 0.0, 1.0),
        ("a", "b", "a", 0.0, -1.0),
        ("b", "c", "a", 0.0, 0.0),
        (3.0, 2.0, 1.0, 4.0, 0.25),
        (0.0, 9.0, 1.0, 4.0, -1.0),
        (1.5, 1.2, 1.0, 0.0, 1.0),
        (1.2, 1.2, 1.0, 0.0, 0.0),
        ("a", "b", 1.0, 1.0, None),
    ],
)
def test_a_loss_is_by_how_much_one_is_farther_from_the_truth(
    ours: Any, theirs: Any, truth: Any, usual: float, lost: float | None
) -> None:
    assert loss(ours, theirs, truth, usual) == (None if lost is None else pytest.approx(lost))


def test_each_labelled_request_counts_once_and_the_others_do_not() -> None:
    written = [
        asked("r1", ["a"], ["b"]),
        asked("r2", ["a"], ["b"]),
        asked("r3", ["a"], ["a"]),
        asked("r4", ["a"], ["b"]),
    ]
    assert found(*written, r1="a", r2="b", r3="a") == LabelledPairs(count=3, worse=1, better=1)


def test_what_one_version_did_not_answer_or_no_row_was_captured_of_is_no_pair() -> None:
    failed = (int(AT), {**asked("r1", ["a"], ["b"])[1], "error": "failed"})
    bare = asked("r2", ["a"], ["b"])
    del bare[1]["said"]
    alone = (int(AT), {"time": AT, "request": "r3", "said": ["a"], "ms": 1.0, "rows": 1})
    assert not Pairs([failed, bare, alone], lambda at: at)
    assert found(failed, bare, alone, r1="a", r2="a", r3="a") == LabelledPairs()


def test_the_last_truth_in_time_counts_whatever_comes_later_or_came_long_before() -> None:
    pairs = Pairs([asked("r1", ["a"], ["b"])], lambda at: at + 60)
    row = Row(REQUEST, "r1", 0)
    pairs.read([(row, Told(AT + 20, "b")), (row, Told(AT + 50, "a")), (row, Told(AT + 61, "b")), (row, Told(0.0, "b"))])
    assert pairs.labelled(RULES, lambda _: 0.0) == LabelledPairs(count=1, better=1, early=1, one_class="a")


def test_a_key_stands_for_the_last_request_with_it_by_whichever_name_its_truth_comes() -> None:
    first, last = asked("r1", ["a"], ["b"], key="k"), asked("r2", ["b"], ["a"], at=AT + 5, key="k")
    for row in (Row(KEY, "k", 0), Row(REQUEST, "r2", 0)):
        pairs = Pairs([last, first], lambda at: at + 60)
        pairs.read([(row, Told(AT + 30, "a"))])
        assert pairs.labelled(RULES, lambda _: 0.0) == LabelledPairs(count=1, worse=1, one_class="a")
    pairs = Pairs([last, first], lambda at: at + 60)
    pairs.read([(Row(REQUEST, "r1", 0), Told(AT + 30, "a"))])
    assert pairs.labelled(RULES, lambda _: 0.0) == LabelledPairs()


def test_a_request_of_many_rows_is_one_outcome_and_so_is_a_callers_minute() -> None:
    written = [asked("r1", ["a", "a", "a", "a"], ["b", "b", "a", "b"]), asked("r2", ["a"], ["b"], at=AT + 2)]
    told = [(Row(REQUEST, "r1", place), Told(AT + 30, truth)) for place, truth in enumerate(["a", "b", "a", "a"])]
    told.append((Row(REQUEST, "r2", 0), Told(AT + 30, "b")))
    for rules, count, worse, better in ((RULES, 2, 1.25, 0.5), (BY_MINUTE, 1, 0.4, 0.4)):
        pairs = Pairs(written, lambda at: at + 60)
        pairs.read(told)
        labelled = pairs.labelled(rules, lambda _: 0.0)
        assert (labelled.count, labelled.worse, labelled.better) == (count, pytest.approx(worse), pytest.approx(better))


def test_numbers_count_by_the_usual_error_of_the_champion_that_answered() -> None:
    labelled = found(asked("r1", [3.0], [1.0]), asked("r2", [5.0], [9.0]), usual=4.0, r1=1.0, r2=5.0)
    assert (labelled.count, labelled.worse, labelled.better, labelled.one_class) == (2, 0.5, 1.0, "")


def test_truths_of_one_class_are_told_apart_from_those_of_several() -> None:
    begun = Outcomes(since=0, until=0)
    one, other = LabelledPairs(count=3, better=3, one_class="a"), LabelledPairs(count=1, worse=1, one_class="b")
    first = begun.with_truths(one, 10)
    assert (first.one_class, first.labelled, first.told_until) == ("a", 3, 10)
    assert first.with_truths(LabelledPairs(early=2), 20).one_class == "a"
    assert first.with_truths(one, 20).one_class == "a"
    several = first.with_truths(other, 20)
    assert (several.one_class, several.labelled, several.worse, several.better) == ("", 4, 1, 3)
    assert several.with_truths(one, 30).one_class == ""
    assert Outcomes.of(first.document(), 0) == first
    assert Outcomes.of({**first.document(), "one_class": 7}, 5) == Outcomes(since=5, until=5)
