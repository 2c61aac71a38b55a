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
