from __future__ import annotations

from typing import Any

import pytest

from sml import sentences


def experiment(name: str, metric: str, mean: float) -> dict[str, Any]:
    return {"id": name, "status": "succeeded", "params": {}, "metrics": {metric: {"mean": mean, "std": 0.0}}}


@pytest.mark.parametrize(
    ("metric", "best"),
    [("roc_auc", "b"), ("accuracy", "b"), ("r2", "b"), ("log_loss", "a"), ("mae", "a"), ("mape", "a")],
)
def test_the_best_experiment_comes_first_whether_more_is_better_or_less(metric: str, best: str) -> None:
    experiments = [experiment("b", metric, 2.0), experiment("a", metric, 1.0), {"status": "failed"}]
    assert [one["id"] for one in sentences.leaderboard(experiments, metric)] == [best, "ab".replace(best, "")]


WEIGHING = {"against": 0.3944, "against_needed": 20.0, "in_favour": 3.14, "in_favour_needed": 20.0}


def test_the_evidence_of_a_release_is_said_beside_what_is_needed() -> None:
    record = {"rollout": {"reason": "", "evidence": {"requests": 3, "weighing": WEIGHING}}}
    assert sentences.evidence(record) == "against 0.394 of 20 needed, for 3.14 of 20 needed"


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"rollout": None},
        {"rollout": {"evidence": None}},
        {"rollout": {"evidence": {"requests": 3}}},
        {"rollout": {"evidence": {"weighing": [1]}}},
        {"rollout": {"evidence": {"weighing": {**WEIGHING, "against": "many"}}}},
    ],
)
def test_of_a_release_that_was_not_weighed_no_evidence_is_said(record: dict[str, Any]) -> None:
    assert sentences.evidence(record) == ""
