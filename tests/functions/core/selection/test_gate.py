from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from functions.core.selection.check import Check
from functions.core.selection.doubts import doubts
from functions.core.selection.gaps import check_gap
from functions.core.selection.gate import (
    MARGIN,
    Champion,
    check_also,
    check_margin,
    check_metric,
    check_size,
    check_slices,
    comparable,
    name_of,
)
from functions.core.training.class_answers import ClassAnswers
from models.contract import Contract
from models.gate import Gap, Slice
from tests.functions.bench import contract

Y = np.array([0, 0, 1, 1])
GOOD = ClassAnswers.likeliest(np.array([[0.9, 0.1], [0.8, 0.2], [0.2, 0.8], [0.1, 0.9]]))
HALF = ClassAnswers.likeliest(np.array([[0.9, 0.1], [0.2, 0.8], [0.9, 0.1], [0.1, 0.9]]))
X = np.array([[1, 0, 0], [2, 0, 1], [3, 0, 1], [np.nan, 0, 0]], dtype=np.float32)

BRIER = {"metric": "brier", "minimum": None, "maximum": 0.2, "slices": []}


def card(**changes: Any) -> dict[str, Any]:
    features = [
        {"name": "size", "minimum": 0, "maximum": 50, "description": "another"},
        {"name": "weight"},
        {"name": "colour", "kind": "category", "categories": ["green", "red"]},
    ]
    target = {"name": "ripe", "classes": ["no", "yes"]}
    return {"task": "classification", "features": features, "target": target} | changes


@pytest.mark.parametrize(
    ("metric", "minimum", "passed"),
    [
        ("accuracy", 0.5, True),
        ("accuracy", 0.51, False),
        ("log_loss", 1.1, True),
        ("log_loss", 1.0, False),
    ],
)
def test_the_metric_must_reach_its_bound(metric: str, minimum: float, passed: bool) -> None:
    check = check_metric(contract(gate={"metric": metric, "minimum": minimum}), Y, HALF)
    assert (check.name, check.bound, check.passed, check.detail) == (metric, minimum, passed, "4 rows")
    assert check.value == pytest.approx(0.5 if metric == "accuracy" else 1.03, abs=0.01)


@pytest.mark.parametrize(
    ("margin", "candidate", "champion", "passed", "value"),
    [
        (0.0, GOOD, HALF, True, 0.5),
        (0.5, GOOD, HALF, True, 0.5),
        (0.51, GOOD, HALF, False, 0.5),
        (0.0, HALF, GOOD, False, -0.5),
        (-0.5, HALF, GOOD, True, -0.5),
        (0.0, GOOD, GOOD, True, 0.0),
    ],
)
def test_the_candidate_must_beat_the_champion_by_the_margin(
    margin: float, candidate: ClassAnswers, champion: ClassAnswers, passed: bool, value: float
) -> None:
    judged = contract(gate={"metric": "accuracy", "margin": margin})
    check = check_margin(judged, Y, candidate, Champion(answers=champion))
    assert (check.passed, check.value, check.bound) == (passed, pytest.approx(value), margin)


def test_of_a_loss_less_is_better() -> None:
    judged = contract(gate={"metric": "log_loss", "margin": 0.1})
    assert check_margin(judged, Y, GOOD, Champion(answers=HALF)).passed
    assert not check_margin(judged, Y, HALF, Champion(answers=GOOD)).passed


def test_without_a_champion_the_margin_is_passed_and_says_why() -> None:
    check = check_margin(contract(), Y, HALF, Champion(answers=None, why_not="there is none"))
    assert (check.passed, check.value, check.detail) == (True, None, "there is none")


def test_a_slice_is_measured_by_itself() -> None:
    slices = [
        {"feature": "size", "minimum": 2, "below": 3, "at_least": 0.5},
        {"feature": "size", "below": 2, "at_least": 0.5},
        {"feature": "colour", "category": "green", "at_least": 1.0},
    ]
    checks = check_slices(contract(gate={"metric": "accuracy", "slices": slices}), X, Y, HALF)
    assert [(check.name, check.value, check.detail, check.passed) for check in checks] == [
        ("size from 2 below 3", 0.0, "1 rows", False),
        ("size below 2", 1.0, "1 rows", True),
        ("colour = green", 1.0, "2 rows", True),
    ]


def test_a_slice_that_cannot_be_measured_has_not_been_proven() -> None:
    slices = [{"feature": "size", "below": 2, "at_least": 0.5}, {"feature": "size", "minimum": 90, "at_least": 0.5}]
    one_class, empty = check_slices(contract(gate={"metric": "roc_auc", "slices": slices}), X, Y, GOOD)
    assert (one_class.passed, one_class.value) == (False, None)
    assert one_class.detail == "1 rows: not every class is among the rows, and roc_auc compares them"
    assert (empty.passed, empty.detail) == (False, "0 rows: there are no rows")


def test_a_file_may_have_so_many_bytes_and_no_more() -> None:
    judged = contract(gate={"maximum_bytes": 100})
    assert check_size(judged, 100).passed
    assert not check_size(judged, 101).passed


@pytest.mark.parametrize(
    ("changes", "why_not"),
    [
        ({}, ""),
        ({"target": {"name": "ripe", "classes": ["yes", "no"]}}, "the champion knows other classes"),
        ({"task": "finished"}, "the champion was made for another task"),
        ({"features": card()["features"][:2]}, "the champion reads other features"),
        ({"features": card()["features"][::-1]}, "the champion reads other features"),
        (
            {"features": [{"name": "size", "missing": 1.0}, *card()["features"][1:]]},
            "the champion reads other features",
        ),
    ],
)
def test_a_champion_is_compared_only_where_it_reads_the_same_numbers(changes: dict[str, Any], why_not: str) -> None:
    assert comparable(card(**changes), contract()) == why_not


def test_other_metrics_are_checked_by_bounds_of_their_own() -> None:
    also = [{"metric": "brier", "at_most": 0.1}, {"metric": "recall", "at_least": 0.9}]
    found = check_also(contract(gate={"metric": "accuracy", "also": also}), Y, GOOD)
    assert [(check.name, check.passed) for check in found] == [("brier", True), ("recall", True)]
    assert [check.passed for check in check_also(contract(gate={"also": also}), Y, HALF)] == [False, False]


def test_where_the_interval_counts_its_worse_end_must_reach_the_bound() -> None:
    y, half_right = np.tile(Y, 25), np.tile([[0.9, 0.1], [0.2, 0.8], [0.1, 0.9], [0.2, 0.8]], (25, 1))
    answers = ClassAnswers.likeliest(half_right)
    gate = {"metric": "accuracy", "minimum": 0.7}
    assert check_metric(contract(gate=gate), y, answers).passed
    check = check_metric(contract(gate={**gate, "interval": True}), y, answers)
    assert (check.passed, check.value) == (False, 0.75)
    assert check.interval is not None
    assert check.detail == f"100 rows; judged by the lower end of its interval, {check.interval[0]:.4g}"
    loss = check_metric(contract(gate={**BRIER, "interval": True}), y, answers)
    assert "judged by the upper end" in loss.detail


def test_a_perfect_score_on_eight_rows_does_not_pass_by_its_interval() -> None:
    y = np.tile(Y, 2)
    perfect = ClassAnswers.likeliest(np.eye(2)[y])
    for metric in ("accuracy", "roc_auc", "f1", "precision"):
        gate = {"metric": metric, "minimum": 0.9}
        assert check_metric(contract(gate=gate), y, perfect).passed
        check = check_metric(contract(gate={**gate, "interval": True}), y, perfect)
        assert (check.passed, check.value) == (False, 1.0), metric
    gate = {"metric": "log_loss", "minimum": None, "maximum": 0.1, "interval": True}
    loss = check_metric(contract(gate=gate), y, perfect)
    assert (loss.passed, "they give it no interval" in loss.detail) == (False, True)


def gap(**changes: Any) -> tuple[Contract, Gap]:
    judged = contract(gate={"metric": "accuracy", "gaps": [{"feature": "colour", "at_most": 0.1, **changes}]})
    return judged, judged.gate.gaps[0]


def test_groups_may_be_so_far_apart_and_no_farther() -> None:
    check = check_gap(*gap(minimum_rows=2), X, Y, HALF)
    assert (check.name, check.passed, check.value) == ("gap of accuracy by colour", False, 1.0)
    assert check.detail == "red 0, green 1"
    assert check_gap(*gap(minimum_rows=2), X, Y, GOOD).passed


def test_of_many_small_groups_a_few_are_named_and_the_others_counted() -> None:
    names = [f"c{at:02}" for at in range(30)]
    colour = {"name": "colour", "kind": "category", "categories": names}
    judged = contract(
        features=[colour], gate={"metric": "accuracy", "slices": [], "gaps": [{"feature": "colour", "at_most": 0.1}]}
    )
    x, y = np.arange(30, dtype=np.float32)[:, None], np.arange(30) % 2
    check = check_gap(judged, judged.gate.gaps[0], x, y, ClassAnswers.likeliest(np.stack([1 - y, y], axis=1) * 1.0))
    named = ", ".join(f"{name} with 1" for name in names[:10])
    assert check.detail.endswith(f"; of fewer than 20 rows: {named} and 20 more")


def test_a_gap_of_too_few_rows_or_of_one_class_has_not_been_proven() -> None:
    few = check_gap(*gap(), X, Y, GOOD)
    assert (few.passed, few.value) == (False, None)
    assert few.detail == (
        "fewer than two groups have 20 rows, and a gap is between two; of fewer than 20 rows: green with 2, red with 2"
    )
    one_class = check_gap(*gap(minimum_rows=1, metric="roc_auc"), X[:3], np.array([0, 0, 1]), GOOD.of(slice(3)))
    assert (one_class.passed, one_class.detail.partition(":")[0]) == (False, "green, 1 rows")


def test_a_holdout_that_is_too_small_to_tell_is_said_to_be() -> None:
    judged = contract(
        gate={"metric": "accuracy", "minimum": 0.7, "margin": -0.01, "also": [{"metric": "brier", "at_most": 1}]}
    )
    check = Check(name="accuracy", passed=True, value=0.75, bound=0.7, interval=(0.66, 0.83))
    brier = Check(name="brier", passed=True, value=0.1, bound=1, interval=(0.05, 0.2))
    margin = Check(name=MARGIN, passed=True, value=0.0, bound=-0.01, interval=(-0.05, 0.05))
    assert doubts(judged, [check, brier, margin], 100) == [
        "accuracy: 100 rows are too few to tell whether it keeps to 0.7: on others like them it would be 0.66 to 0.83",
        "margin over the champion: its interval on 100 rows, -0.05 to 0.05, is 0.1 wide, and the gate asks for a margin"
        " of -0.01: they are too few to tell two such models apart",
    ]
    assert doubts(judged, [replace(check, interval=(0.748, 0.752)), brier], 9_000) == []


def test_a_slice_has_a_name_in_words() -> None:
    assert name_of(Slice(feature="size", minimum=1.5, at_least=0)) == "size from 1.5"
