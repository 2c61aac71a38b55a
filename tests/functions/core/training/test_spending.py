"""Caps on a run: what its experiments may use together, and those that are skipped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from functions.core.dataset import rounds
from functions.core.registry.runs import RunUsage
from functions.core.runtime.usage import Usage
from functions.core.selection.candidate import NothingTrained
from functions.core.selection.failures import TooManyFailed
from functions.core.training.spending import STEP, beyond
from models.budget import Budget
from tests.functions.bench import MODEL, Bench, csv, rows

FIVE: dict[str, Any] = {"families": [{"ridge": [0.1, 0.5, 1.0, 5.0, 10.0]}]}
CALL = Usage(1, 10.0, 30.0, 0.2)
"""What each call of the bench uses."""


class Metered(Bench):
    """The steps, of which each experiment that is called uses as much."""

    def train(self, run: str, experiment: str, in_round: int | None = None) -> dict[str, Any]:
        answer = super().train(run, experiment, in_round)
        if self.status(run, experiment) != "skipped":
            RunUsage(self.models).note(MODEL, run, STEP, CALL)
        return answer

    def status(self, run: str, experiment: str) -> str:
        return self.models.get_json(f"{MODEL}/runs/{run}/experiments/{experiment}.json")["status"]


@pytest.fixture
def bench(tmp_path: Path) -> Metered:
    return Metered(folder=tmp_path)


def searched(bench: Metered, **search: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the record of a run, and the lines of its leaderboard."""
    bench.write_model(search={**FIVE, **search})
    run, _ = bench.run_through(csv())
    return bench.record(run), bench.models.get_json(f"{MODEL}/runs/{run}/leaderboard.json")["experiments"]


def test_experiments_beyond_the_cap_are_skipped_and_the_best_of_the_others_is_registered(bench: Metered) -> None:
    record, board = searched(bench, budget={"maximum_usd": 0.5})
    assert [line["status"] for line in board] == ["succeeded"] * 3 + ["skipped"] * 2
    assert [(line["id"], line["why"]) for line in board[3:]] == [
        ("e3", "the run had used 0.60 of 0.50 USD"),
        ("e4", "the run had used 0.60 of 0.50 USD"),
    ]
    assert record["status"] == "registered"
    assert record["skipped"] == {"skipped": 2, "of": 5, "said": "3 of 5 experiments, then the cap of 0.50 USD"}
    assert "failures" not in record, "what is skipped has not failed"


def test_seconds_are_capped_alike(bench: Metered) -> None:
    record, board = searched(bench, budget={"maximum_seconds": 15})
    assert [line.get("why") for line in board] == [None, None, *["the run had used 20 of 15 seconds"] * 3]
    assert record["skipped"]["said"] == "2 of 5 experiments, then the cap of 15 seconds"


def test_a_run_below_its_caps_is_the_run_that_it_would_be_without(bench: Metered) -> None:
    record, board = searched(bench, budget={"maximum_usd": 100, "maximum_seconds": 1e6})
    assert [line["status"] for line in board] == ["succeeded"] * 5
    assert "skipped" not in record


def test_the_first_experiment_runs_whatever_the_run_has_used(bench: Metered) -> None:
    bench.write_model(search={**FIVE, "budget": {"maximum_usd": 0.01}})
    run = bench.prepare(bench.upload(csv()))["run"]
    RunUsage(bench.models).note(MODEL, run, STEP, CALL)
    for name in ("e3", "e0", "e1"):
        bench.train(run, name)
    assert [bench.status(run, name) for name in ("e3", "e0", "e1")] == ["skipped", "succeeded", "skipped"]


def test_what_was_skipped_is_looked_at_again_by_the_next_execution_and_not_by_the_same(bench: Metered) -> None:
    bench.write_model(search={**FIVE, "budget": {"maximum_usd": 0.1}})
    run = bench.prepare(bench.upload(csv()), "first")["run"]
    bench.train(run, "e0")
    bench.train(run, "e1")
    key = f"{MODEL}/runs/{run}/experiments/e1.json"
    before = bench.models.get_json(key)
    bench.train(run, "e1")
    assert bench.models.get_json(key) == before
    bench.prepare(bench.upload(csv()), "second")
    bench.train(run, "e1")
    assert bench.models.get_json(key) == {**before, "execution": "second"}


def test_the_share_that_failed_is_one_of_those_that_ran(bench: Metered) -> None:
    bench.write_model(
        search={
            "families": [{"ridge": [1.0]}, {"ridge": [2.0], "fails": [True]}, {"ridge": [3.0, 4.0, 5.0]}],
            "budget": {"maximum_usd": 0.4},
            "maximum_failed_share": 0.4,
        }
    )
    with pytest.raises(TooManyFailed, match="1 of 2 experiments failed"):
        bench.run_through(csv())


def test_where_the_only_one_that_ran_failed_the_run_says_that_others_were_skipped(bench: Metered) -> None:
    bench.write_model(
        search={"families": [{"ridge": [1.0], "fails": [True]}, {"ridge": [2.0]}], "budget": {"maximum_usd": 0.1}}
    )
    with pytest.raises(
        NothingTrained, match=r"none of 2 .*; e0: ValueError.*; e1 was skipped: the run had used 0.20 of 0.10 USD"
    ):
        bench.run_through(csv())


def test_a_search_that_narrows_goes_on_with_the_best_of_each_round(
    bench: Metered, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, "LEAST_ROWS", 20)
    ridges = [0.1, 0.5, 1.0, 5.0, 10.0, 20.0, 30.0, 40.0]
    bench.write_model(search={"method": "halving", "families": [{"ridge": ridges}], "budget": {"maximum_usd": 1.7}})
    answer = bench.prepare(bench.upload(csv(rows(400))))
    run, answers = answer["run"], [answer]
    while answers[-1]["status"] in ("accepted", "narrowed"):
        for name in answers[-1]["experiments"]:
            bench.train(run, name, answers[-1]["round"])
        answers.append(bench.select(run, answers[-1]["round"]))
    board = bench.models.get_json(f"{MODEL}/runs/{run}/leaderboard.json")["experiments"]
    assert [len(one["experiments"]) for one in answers[:-1]] == [8, 3, 1]
    assert answers[-1]["status"] == "registered"
    assert [line["status"] for line in board] == ["succeeded"] + ["stopped"] * 5 + ["skipped"] * 2
    assert bench.record(run)["skipped"]["said"] == "6 of 8 experiments, then the cap of 1.70 USD"


@pytest.mark.parametrize(
    ("budget", "used", "said"),
    [
        ({"maximum_usd": 0.5}, Usage(usd=0.52), "the run had used 0.52 of 0.50 USD"),
        ({"maximum_usd": 0.001}, Usage(usd=0.00125), "the run had used 0.00125 of 0.001 USD"),
        ({"maximum_seconds": 3600}, Usage(seconds=3712.4), "the run had used 3,712 of 3,600 seconds"),
        ({"maximum_usd": 1, "maximum_seconds": 10}, Usage(usd=0.5, seconds=10), "the run had used 10 of 10 seconds"),
        ({"maximum_usd": 0.5, "maximum_seconds": 10}, Usage(usd=0.49, seconds=9), None),
    ],
)
def test_a_cap_that_is_reached_is_told_with_what_was_used(
    budget: dict[str, float], used: Usage, said: str | None
) -> None:
    assert beyond(Budget.model_validate(budget), used) == said
